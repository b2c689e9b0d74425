//! Extended attributes.

use rustix::fs::{
    XattrFlags, getxattr as kernel_get, listxattr as kernel_list, removexattr as kernel_remove,
    setxattr as kernel_set,
};
use rustix::io::Errno;

use super::attributes::opened;
use super::caller::own_name;
use super::judge::Wanted;
use super::look::{AT_NOFOLLOW, object};
use super::memory;
use super::own::Held;
use super::table::Of;
use super::task::{Done, Served, Stop, Task};

/// Longest name with its final zero.
const NAME: usize = 256;
/// Longest value, and longest list of names.
const VALUE: u64 = 65536;
const DONE: Served = Ok(Done::Value(0));

/// What the spelling of a call says about its object.
fn object_of(task: &Task<'_>, wanted: Wanted) -> Result<Held, Stop> {
    let held = match task.row.of {
        Of::Descriptor => opened(task, task.int(0))?,
        Of::Link => object(task, &task.name()?, AT_NOFOLLOW)?,
        Of::Path => object(task, &task.name()?, 0)?,
    };
    task.decide(wanted, &held)?;
    Ok(held)
}

fn name(task: &Task<'_>) -> Result<Vec<u8>, Stop> {
    let name = memory::string(task.caller().pid, task.register(1), NAME, Errno::RANGE)?;
    if name.is_empty() { Err(Errno::RANGE.into()) } else { Ok(name) }
}

/// `setxattr`, `lsetxattr`, `fsetxattr`.
pub(super) fn set(task: &Task<'_>) -> Served {
    let (name, size) = (name(task)?, task.register(3));
    if size > VALUE {
        return Err(Errno::TOOBIG.into());
    }
    let mut value = vec![0_u8; usize::try_from(size).unwrap_or(0)];
    memory::fill(task.caller().pid, task.register(2), &mut value)?;
    let flags = XattrFlags::from_bits(task.word(4)).ok_or(Errno::INVAL)?;
    let held = object_of(task, Wanted::Write)?;
    kernel_set(own_name(&held.fd), name, &value, flags)?;
    DONE
}

/// `getxattr`, `lgetxattr`, `fgetxattr`.
pub(super) fn get(task: &Task<'_>) -> Served {
    let name = name(task)?;
    let held = object_of(task, Wanted::Read)?;
    filled(task, task.register(3), 2, |buffer| kernel_get(own_name(&held.fd), name.as_slice(), buffer))
}

/// `listxattr`, `llistxattr`, `flistxattr`.
pub(super) fn list(task: &Task<'_>) -> Served {
    let held = object_of(task, Wanted::Read)?;
    filled(task, task.register(2), 1, |buffer| kernel_list(own_name(&held.fd), buffer))
}

/// Room of size 0 asks for the length alone.
fn filled(
    task: &Task<'_>,
    size: u64,
    to: u8,
    read: impl FnOnce(&mut [u8]) -> Result<usize, Errno>,
) -> Served {
    let mut buffer = vec![0_u8; usize::try_from(size.min(VALUE)).unwrap_or(0)];
    let length = read(&mut buffer)?;
    if !buffer.is_empty() {
        task.give(to, buffer.get(..length).unwrap_or_default())?;
    }
    Ok(Done::Value(i64::try_from(length).unwrap_or(0)))
}

/// `removexattr`, `lremovexattr`, `fremovexattr`.
pub(super) fn remove(task: &Task<'_>) -> Served {
    let name = name(task)?;
    let held = object_of(task, Wanted::Write)?;
    kernel_remove(own_name(&held.fd), name)?;
    DONE
}
