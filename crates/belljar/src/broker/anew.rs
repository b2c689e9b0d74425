//! Opening once more what the caller has open already, where its own tree has no path to it: a file of the host that was handed
//! to it, or a file without a name. Its descriptor says what may be done; the new one never says more.

use std::os::fd::OwnedFd;

use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat};
use rustix::io::Errno;

use super::connect::fetch;
use super::judge::Wanted;
use super::open::{How, hand_over, open_again};
use super::own::{Held, is_proc};
use super::task::{Served, Task};

/// What stands under a number of the caller's, opened anew. It is fetched itself: whatever the number means a moment later.
pub(super) fn open(task: &Task<'_>, number: i32, how: How) -> Served {
    let file = fetch(task, number)?;
    let has = fcntl_getfl(&file)?;
    if !is_plain(&file)? || !covers(has, how) {
        return Err(Errno::ACCESS.into());
    }
    let wanted = if how.writes() { Wanted::Write } else { Wanted::Read };
    let held = Held::new(file, None);
    task.decide(wanted, &held)?;
    let how = if has.contains(OFlags::APPEND) { how.appending() } else { how };
    hand_over(open_again(task.shared, &held.fd, how)?, how)
}

/// A file whose content is its own: what one of `/proc` shows is chosen by who opens it, and when.
fn is_plain(file: &OwnedFd) -> Result<bool, Errno> {
    Ok(FileType::from_raw_mode(fstat(file)?.st_mode) == FileType::RegularFile && !is_proc(file))
}

/// Whether a descriptor with these flags gives all that is asked for.
fn covers(has: OFlags, how: How) -> bool {
    let (reads, writes) = match has & OFlags::ACCMODE {
        _ if has.contains(OFlags::PATH) => (false, false),
        OFlags::RDONLY => (true, false),
        OFlags::WRONLY => (false, true),
        OFlags::RDWR => (true, true),
        _ => (false, false),
    };
    (reads || !how.reads()) && (writes || !how.writes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_descriptor_gives_more_than_it_has() {
        const TRUNCATES: u32 = 0o1000;
        const WITHOUT_RIGHTS: u32 = 0o10_000_000;
        let covered = |has| {
            [0, 1, 2, 3, TRUNCATES, 1 | TRUNCATES, WITHOUT_RIGHTS].map(|flags| covers(has, How::of(flags)))
        };
        assert_eq!(covered(OFlags::RDONLY), [true, false, false, false, false, false, true]);
        assert_eq!(covered(OFlags::WRONLY), [false, true, false, false, false, true, false]);
        assert_eq!(covered(OFlags::RDWR | OFlags::APPEND), [true; 7]);
        assert_eq!(covered(OFlags::RDWR | OFlags::PATH), [false; 7]);
        assert_eq!(covered(OFlags::ACCMODE), [false; 7]);
    }
}
