use std::fs;
use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::raw::{self, sys};
use crate::outcome::Judgement;
use crate::stage::Stage;

/// One setting of another process.
macro_rules! setting {
    ($name:literal, $what:literal, $read:expr, $attack:expr) => {
        Attack {
            id: "C8",
            name: $name,
            what: $what,
            prepare: |stage| prepare(stage, $read),
            attack: |args| $attack(raw::number(args, 0)?),
            ..Attack::ROW
        }
    };
}

pub(super) const NICE: Attack = setting!(
    "renice-host-pid",
    "lowers the priority of a host process",
    |pid| field(pid, "stat", 18),
    |pid: i32| sys!(SYS_setpriority, libc::PRIO_PROCESS, pid, 15).map(drop)
);
pub(super) const AFFINITY: Attack = setting!(
    "pin-host-pid",
    "binds a host process to one processor",
    |pid| line(pid, "status", "Cpus_allowed:"),
    |pid: i32| sys!(SYS_sched_setaffinity, pid, 8, 1u64.to_ne_bytes().as_slice()).map(drop)
);
pub(super) const RLIMIT: Attack = setting!(
    "prlimit-host-pid",
    "takes the descriptors away from a host process",
    |pid| line(pid, "limits", "Max open files"),
    |pid: i32| {
        let limit = libc::rlimit { rlim_cur: 3, rlim_max: 3 };
        sys!(SYS_prlimit64, pid, libc::RLIMIT_NOFILE, &raw const limit, 0).map(drop)
    }
);

fn prepare(stage: &mut Stage, read: fn(u32) -> Option<String>) -> io::Result<Judge> {
    let pid = stage.victim(&[])?;
    stage.arg(pid);
    let before = read(pid);
    Ok(Box::new(move |_| {
        Ok(Judgement::escaped_if(read(pid) != before, "a setting of a host process changed"))
    }))
}

/// Field of `/proc/PID/stat`, counted from 1 as in proc(5).
fn field(pid: u32, file: &str, index: usize) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
    text.split_whitespace().nth(index - 1).map(str::to_owned)
}

fn line(pid: u32, file: &str, start: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
    text.lines().find(|line| line.starts_with(start)).map(str::to_owned)
}
