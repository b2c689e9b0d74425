//! What a worker that was taken over does to its neighbours, and what its neighbours hold.

use std::io;

use belljar::worker::{Bytes, Entry};

use super::{descriptors, mem_read, mem_write, ptrace, vm_read, vm_write};
use crate::attacks::kernel::sys;
use crate::attacks::target::{ADDRESS, SLOT};

/// Number of the descriptor that a victim holds: below the limit of workers.
pub(super) const HELD_FD: i32 = 50;
/// How much of a page attacks read, and of a slot victims show.
pub(super) const LENGTH: usize = 64;
const PAGE: usize = 4096;

/// Something to be done by a worker: the name, a process, a word.
pub(crate) type Deed = (String, i32, String);

/// A way to get at a process: its number and a word in, loot out.
type Means = fn(i32, &str) -> io::Result<Vec<u8>>;

const MEANS: &[(&str, Means)] = &[
    ("hold", |_, secret| hold(secret).map(|pid| pid.to_string().into_bytes())),
    ("slot", |_, _| Ok(slot())),
    ("ptrace", ptrace::change),
    ("vm-write", vm_write::change),
    ("vm-read", vm_read::read),
    ("mem-write", mem_write::change),
    ("mem-read", mem_read::read),
    ("descriptors", descriptors::take),
];

/// The part of this program that its workers are.
pub(crate) static DEEDS: Entry<Deed, Bytes> =
    Entry::new("deeds", |deed, _| Bytes(done(&deed).unwrap_or_default())).warm(|| drop(page()));

/// Does it, here.
pub(super) fn done((name, pid, word): &Deed) -> io::Result<Vec<u8>> {
    let means = MEANS.iter().find(|(known, _)| known == name);
    means.ok_or_else(|| io::Error::other("no such means"))?.1(*pid, word)
}

/// Maps the page that attacks aim at.
pub(super) fn page() -> io::Result<()> {
    let both = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
    sys!(SYS_mmap, ADDRESS, PAGE, both, flags, -1, 0).map(drop)
}

/// Keeps a secret in memory and in a descriptor; the own number.
pub(super) fn hold(secret: &str) -> io::Result<usize> {
    for (to, from) in (ADDRESS..).zip(secret.bytes()) {
        // SAFETY: the page is mapped, and secrets are shorter.
        unsafe { std::ptr::with_exposed_provenance_mut::<u8>(to as usize).write_volatile(from) }
    }
    let memory = sys!(SYS_memfd_create, c"secret", libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING)?;
    sys!(SYS_write, memory, secret.as_ptr(), secret.len())?;
    let held = sys!(SYS_fcntl, memory, libc::F_DUPFD_CLOEXEC, HELD_FD)?;
    if held != HELD_FD as usize {
        return Err(io::Error::other("the number is taken"));
    }
    sys!(SYS_getpid)
}

/// What lies where attacks write.
pub(super) fn slot() -> Vec<u8> {
    let at = |place: u64| {
        // SAFETY: the page is mapped, and the slot lies in it.
        unsafe { std::ptr::with_exposed_provenance::<u8>(place as usize).read_volatile() }
    };
    (SLOT..SLOT + LENGTH as u64).map(at).collect()
}
