//! Memory that processes hand to one another: written by one, then sealed, then read by others without a copy.

use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use linux_raw_sys::general as g;
use syscalls::Sysno;

use crate::call::{self, Errno, Fd, Result, int, raw, word};

const F_ADD_SEALS: u32 = 1033;
const F_GET_SEALS: u32 = 1034;
/// No more seals, no shrinking, growing or writing.
const ALL: usize = 1 | 2 | 4 | 8;
/// `MFD_CLOEXEC`, `MFD_ALLOW_SEALING`.
const MFD: u32 = 1 | 2;
/// Never executable; kernels before 6.3 lack it.
const MFD_NOEXEC_SEAL: u32 = 8;
const READ: usize = 1;
const WRITE: usize = 2;
const SHARED: usize = 1;
const PRIVATE: usize = 2;
const DONTFORK: usize = 10;

/// A mapped piece of memory; unmapped when dropped.
#[derive(Debug)]
struct Mapping {
    at: NonNull<u8>,
    len: usize,
}

// SAFETY: it is memory of this process, owned by this value alone.
unsafe impl Send for Mapping {}
// SAFETY: through a shared reference it is only read.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(fd: Fd, len: usize, protection: usize, flags: usize) -> Result<Self> {
        if len == 0 || isize::try_from(len).is_err() {
            return Err(Errno::INVAL);
        }
        // SAFETY: the kernel chooses an address where nothing is mapped, and takes no pointer.
        let at = unsafe { raw(Sysno::mmap, [0, len, protection, flags, int(fd), 0]) }?;
        let at = NonNull::new(core::ptr::with_exposed_provenance_mut(at)).ok_or(Errno::INVAL)?;
        Ok(Self { at, len })
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: `len` bytes are mapped and initialised for as long as this value lives, and nobody else writes to them: the
        // two kinds of mappings below see to that.
        unsafe { core::slice::from_raw_parts(self.at.as_ptr(), self.len) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let at = self.at.as_ptr().expose_provenance();
        // SAFETY: the mapping belongs to this value and nobody has a reference to it any more.
        call::unheard(unsafe { raw(Sysno::munmap, [at, self.len, 0, 0, 0, 0]) });
    }
}

/// Fresh memory that this process alone can see and write.
#[derive(Debug)]
pub struct Fresh {
    mapping: Mapping,
    fd: OwnedFd,
}

impl Fresh {
    /// Memory of `len` bytes, all zero.
    ///
    /// # Errors
    /// `EINVAL` for none; otherwise the kernel's, as where there is not as much.
    pub fn new(len: usize) -> Result<Self> {
        let fd = create()?;
        // SAFETY: no pointer. All of it is taken now, so that no later access can fail.
        unsafe { raw(Sysno::fallocate, [int(fd.as_raw_fd()), 0, 0, len, 0, 0]) }?;
        let mapping = Mapping::new(fd.as_raw_fd(), len, READ | WRITE, SHARED)?;
        let at = mapping.at.as_ptr().expose_provenance();
        // SAFETY: the range is this mapping. A forked process must not share what two would write to.
        unsafe { raw(Sysno::madvise, [at, len, DONTFORK, 0, 0, 0]) }?;
        Ok(Self { mapping, fd })
    }

    /// Ends writing for good.
    ///
    /// # Errors
    /// The kernel's.
    pub fn seal(self) -> Result<OwnedFd> {
        drop(self.mapping);
        seal(&self.fd)?;
        Ok(self.fd)
    }
}

impl Deref for Fresh {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.mapping.bytes()
    }
}

impl DerefMut for Fresh {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and this borrow is exclusive; the descriptor is handed to nobody before it is sealed, and
        // nothing forked has the mapping.
        unsafe { core::slice::from_raw_parts_mut(self.mapping.at.as_ptr(), self.mapping.len) }
    }
}

/// Sealed memory that holds a copy of these bytes. The kernel makes it: none of its pages is mapped here first.
///
/// # Errors
/// `EINVAL` for none; otherwise the kernel's, as where there is not as much memory.
pub fn sealed_copy(bytes: &[u8]) -> Result<OwnedFd> {
    if bytes.is_empty() {
        return Err(Errno::INVAL);
    }
    let fd = create()?;
    let mut rest = bytes;
    while !rest.is_empty() {
        match call::write(fd.as_raw_fd(), rest) {
            Ok(written @ 1..) => rest = rest.get(written..).unwrap_or_default(),
            Ok(0) => return Err(Errno::INVAL),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    seal(&fd)?;
    Ok(fd)
}

fn seal(fd: &OwnedFd) -> Result<()> {
    // SAFETY: no pointer.
    unsafe { raw(Sysno::fcntl, [int(fd.as_raw_fd()), word(F_ADD_SEALS), ALL, 0, 0, 0]) }.map(drop)
}

fn create() -> Result<OwnedFd> {
    match memfd(MFD | MFD_NOEXEC_SEAL) {
        Err(Errno::INVAL) => memfd(MFD),
        other => other,
    }
}

fn memfd(flags: u32) -> Result<OwnedFd> {
    let name = c"belljar".as_ptr().expose_provenance();
    // SAFETY: the name is a static C string.
    let fd = unsafe { raw(Sysno::memfd_create, [name, word(flags), 0, 0, 0, 0]) }?;
    Ok(crate::owned::own(Fd::try_from(fd).map_err(|_| Errno::INVAL)?))
}

/// Sealed memory, mapped for reading: nobody can write, shrink or grow it any more.
#[derive(Debug)]
pub struct Sealed(Option<Mapping>);

impl Sealed {
    /// Maps all `len` bytes of memory that somebody else sealed.
    ///
    /// # Errors
    /// `EINVAL`: it is no such memory, lacks a seal, or has another size; otherwise the kernel's.
    pub fn map(fd: BorrowedFd<'_>, len: usize) -> Result<Self> {
        // SAFETY: no pointer. It fails for everything but memory.
        let seals = unsafe { raw(Sysno::fcntl, [int(fd.as_raw_fd()), word(F_GET_SEALS), 0, 0, 0, 0]) }?;
        if seals & ALL & !1 != ALL & !1 {
            return Err(Errno::INVAL);
        }
        let (size, present) = size(fd)?;
        // Absent pages would come to be when they are read, or end the reader where there is no more memory.
        if size != len || present < len {
            return Err(Errno::INVAL);
        }
        if len == 0 {
            return Ok(Self(None));
        }
        Mapping::new(fd.as_raw_fd(), len, READ, PRIVATE).map(|mapping| Self(Some(mapping)))
    }
}

impl Deref for Sealed {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], Mapping::bytes)
    }
}

/// Size in bytes, and how much of it is there.
fn size(fd: BorrowedFd<'_>) -> Result<(usize, usize)> {
    let mut about = core::mem::MaybeUninit::<g::stat>::zeroed();
    let at = about.as_mut_ptr().expose_provenance();
    // SAFETY: the kernel writes one such structure there. The call is made directly: C libraries make others, which a sealed
    // process lacks.
    unsafe { raw(Sysno::fstat, [int(fd.as_raw_fd()), at, 0, 0, 0, 0]) }?;
    // SAFETY: all of it is numbers, which zeros initialise, and the kernel has written them.
    let about = unsafe { about.assume_init() };
    let blocks = usize::try_from(about.st_blocks).unwrap_or(0);
    Ok((usize::try_from(about.st_size).map_err(|_| Errno::INVAL)?, blocks.saturating_mul(512)))
}
