//! Ids of the jar: the caller's own, or nobody's when the caller is root.

use std::io;

use belljar_sys::Op;

use super::Storage;
use crate::error::StartError;
use crate::plan::{Plan, Step};

/// An ordinary user maps itself to itself.
pub(super) fn own_maps(storage: &Storage) -> Result<Op<'_>, StartError> {
    let uid = rustix::process::geteuid().as_raw();
    let gid = rustix::process::getegid().as_raw();
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

/// Root needs another user for the jar: a user namespace that holds root alone has none.
pub(crate) fn refuse_unmapped(plan: &Plan) -> Result<(), StartError> {
    let uid = plan.init.iter().find_map(|step| match step {
        Step::BecomeUser { uid, .. } => Some(*uid),
        _ => None,
    });
    match uid.filter(|uid| !is_mapped(*uid)) {
        Some(uid) => Err(StartError::Step {
            step: "id-maps",
            object: format!("of uid {uid}"),
            source: rustix::io::Errno::INVAL.into(),
        }),
        None => Ok(()),
    }
}

/// Whether a user id means somebody in this user namespace.
fn is_mapped(uid: u32) -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().filter_map(|word| word.parse::<u32>().ok());
        let (first, count) = (numbers.next(), numbers.nth(1));
        first.zip(count).is_some_and(|(first, count)| (first..first.saturating_add(count)).contains(&uid))
    })
}

/// Root writes the maps of its child: only these ids exist in the jar.
pub(crate) fn write_maps(pid: i32, uid: u32, gid: u32) -> io::Result<()> {
    std::fs::write(format!("/proc/{pid}/uid_map"), format!("{uid} {uid} 1"))?;
    std::fs::write(format!("/proc/{pid}/gid_map"), format!("{gid} {gid} 1"))
}

/// Maps for translating owners: these ids of a file system are nobody's.
pub(crate) fn write_maps_between(pid: i32, (uid, gid): (u32, u32)) -> io::Result<()> {
    std::fs::write(format!("/proc/{pid}/uid_map"), format!("{uid} {NOBODY} 1"))?;
    std::fs::write(format!("/proc/{pid}/gid_map"), format!("{gid} {NOBODY} 1"))
}

const NOBODY: u32 = 65534;
