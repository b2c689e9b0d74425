//! Ids of the jar: the caller's own, or nobody's when the caller is root.

use std::io;

use belljar_sys::Op;
use rustix::fs::{Mode, OFlags};

use super::Storage;
use crate::error::StartError;
use crate::plan::Plan;

/// An ordinary user maps itself to itself.
pub(super) fn own_maps((uid, gid): (u32, u32), storage: &Storage) -> Result<Op<'_>, StartError> {
    Ok(Op::IdMaps { uid: map(storage, uid)?, gid: map(storage, gid)? })
}

fn map(storage: &Storage, id: u32) -> Result<&[u8], StartError> {
    Ok(storage.text("an id map", format!("{id} {id} 1").as_bytes())?.to_bytes())
}

/// Whether this thread has the power over its bounding set.
pub(super) fn may_drop_bounding() -> bool {
    use rustix::thread::{CapabilitySet, capabilities};
    capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::SETPCAP))
}

/// Root needs another user for the jar: a user namespace that holds root alone has none. With namespaces of its own the
/// start fails at the maps, and [`unmapped`] says why; without, nothing would be told before the child fails.
pub(crate) fn refuse_unmapped(plan: &Plan) -> Result<(), StartError> {
    if plan.namespaces != 0 { Ok(()) } else { unmapped().map_or(Ok(()), Err) }
}

/// What is wrong where root has nobody to become.
pub(crate) fn unmapped() -> Option<StartError> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let source = match text("/proc/self/uid_map") {
        Ok(map) if is_mapped(&map, NOBODY) => return None,
        Ok(_) => rustix::io::Errno::INVAL.into(),
        Err(source) => source,
    };
    Some(StartError::Step { step: "id-maps", object: format!("of uid {NOBODY}"), source })
}

/// Whether a user id means somebody in this user namespace.
fn is_mapped(map: &str, uid: u32) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().filter_map(|word| word.parse::<u32>().ok());
        let (first, count) = (numbers.next(), numbers.nth(1));
        first.zip(count).is_some_and(|(first, count)| (first..first.saturating_add(count)).contains(&uid))
    })
}

/// All of a small file of the kernel's: few calls, since every start reads it.
fn text(path: &str) -> io::Result<String> {
    let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let (mut text, mut bytes) = (Vec::new(), [0_u8; 4096]);
    loop {
        match rustix::io::read(&file, &mut bytes)? {
            0 => return Ok(String::from_utf8_lossy(&text).into_owned()),
            count => text.extend_from_slice(bytes.get(..count).unwrap_or_default()),
        }
    }
}

/// Root writes the maps of its child: only these ids exist in the jar.
pub(crate) fn write_maps(pid: i32, uid: u32, gid: u32) -> io::Result<()> {
    write_map(pid, "uid_map", uid, uid)?;
    write_map(pid, "gid_map", gid, gid)
}

fn write_map(pid: i32, file: &str, inside: u32, outside: u32) -> io::Result<()> {
    let map =
        rustix::fs::open(format!("/proc/{pid}/{file}"), OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&map, format!("{inside} {outside} 1").as_bytes())?;
    Ok(())
}

/// Maps for translating owners: these ids of a file system are nobody's.
pub(crate) fn write_maps_between(pid: i32, (uid, gid): (u32, u32)) -> io::Result<()> {
    write_map(pid, "uid_map", uid, NOBODY)?;
    write_map(pid, "gid_map", gid, NOBODY)
}

const NOBODY: u32 = 65534;
