use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::raw::{self, sys};
use crate::outcome::Judgement;
use crate::stage::Stage;
use crate::{canary, files};

pub(super) const READ: Attack = Attack {
    id: "C8",
    name: "sysv-shm-read",
    what: "reads a host program's System V shared memory",
    prepare: prepare_read,
    attack: attack_read,
    ..Attack::ROW
};

pub(super) const WRITE: Attack = Attack {
    id: "L9",
    name: "sysv-shm-write",
    what: "changes a host program's System V shared memory, which Landlock does not know",
    prepare: prepare_write,
    attack: attack_write,
    control: crate::attack::Control::Landlock,
    ..Attack::ROW
};

const SIZE: usize = 4096;

/// A segment of the host, removed at the end.
struct Segment {
    id: usize,
    at: *mut u8,
}

impl Segment {
    fn open(key: i32, flags: i32) -> io::Result<Segment> {
        let id = sys!(SYS_shmget, key, SIZE, flags)?;
        Ok(Segment { id, at: sys!(SYS_shmat, id, 0, 0)? as *mut u8 })
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the kernel mapped SIZE bytes there, and nobody else in this process knows the address.
        unsafe { std::slice::from_raw_parts_mut(self.at, SIZE) }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        drop(sys!(SYS_shmctl, self.id, libc::IPC_RMID, 0));
    }
}

fn prepare_read(stage: &mut Stage) -> io::Result<Judge> {
    let key = raw::random_key()?;
    let mut segment = Segment::open(key, libc::IPC_CREAT | libc::IPC_EXCL | 0o666)?;
    let canary = canary::fresh()?;
    segment.bytes()[..canary.len()].copy_from_slice(canary.as_bytes());
    stage.arg(key);
    let judge = files::not_printed(canary);
    Ok(Box::new(move |outcome| {
        let judgement = judge(outcome);
        drop(segment);
        judgement
    }))
}

fn attack_read(args: &[String]) -> io::Result<()> {
    let mut segment = std::mem::ManuallyDrop::new(Segment::open(raw::number(args, 0)?, 0)?);
    raw::print(segment.bytes())
}

fn prepare_write(stage: &mut Stage) -> io::Result<Judge> {
    let key = raw::random_key()?;
    let mut segment = Segment::open(key, libc::IPC_CREAT | libc::IPC_EXCL | 0o666)?;
    stage.arg(key);
    Ok(Box::new(move |_| {
        let changed = segment.bytes().iter().any(|&byte| byte != 0);
        Ok(Judgement::escaped_if(changed, "shared memory of the host changed"))
    }))
}

fn attack_write(args: &[String]) -> io::Result<()> {
    let mut segment = std::mem::ManuallyDrop::new(Segment::open(raw::number(args, 0)?, 0)?);
    segment.bytes().fill(7);
    Ok(())
}
