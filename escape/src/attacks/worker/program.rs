//! K1: inside a program under a template: makes every system call there is that its lists do not let through.

use std::collections::HashMap;
use std::io;

use super::template::{Listed, is_known, listed, refused};
use crate::attack::{Attack, Judge};
use crate::attacks::{kernel, raw};
use crate::outcome::{Judgement, Outcome};
use crate::stage::Stage;

const ROW: Attack = Attack { id: "K1", attack, boxes: &["none", "belljar"], ..Attack::ROW };

pub(super) const FILTER: Attack = Attack {
    name: "calls-of-a-filter",
    what: "makes system calls that the template of programs between two pipes does not list",
    prepare: |stage| prepare(stage, "@filter", &["filter"]),
    ..ROW
};

pub(super) const VIEWER: Attack = Attack {
    name: "calls-of-a-viewer",
    what: "makes system calls that the template of viewers does not list",
    prepare: |stage| prepare(stage, "@viewer", &["default"]),
    ..ROW
};

/// What the planner says, whatever the lists do: without a network; of rings, so that programs go on without; of urgent bytes,
/// which all flags at once ask for.
const PLANNED: &[(&str, i32)] = &[
    ("socket", libc::EACCES),
    ("socketpair", libc::EACCES),
    ("io_uring_setup", libc::ENOSYS),
    ("sendto", libc::EOPNOTSUPP),
    ("sendmsg", libc::EOPNOTSUPP),
    ("sendmmsg", libc::EOPNOTSUPP),
];

/// Calls that harm nobody where nothing refuses them: sockets without an address, shared memory without a number.
const HARMLESS: &[u32] = &[29, 30, 31, 41, 42, 43, 49, 50];

fn prepare(stage: &mut Stage, preset: &'static str, groups: &[&str]) -> io::Result<Judge> {
    let listed = listed(groups);
    let numbers: Vec<u32> = match stage.belljar() {
        Some(_) => refused(&listed).collect(),
        None => HARMLESS.to_vec(),
    };
    stage.belljar_flags(&["-p", preset]);
    numbers.iter().for_each(|number| stage.arg(number));
    Ok(Box::new(move |outcome| {
        if !outcome.began() {
            return Ok(Judgement::Held);
        }
        let told = told(outcome);
        let wrong = |number: &u32| told.get(number) != Some(&expected(&listed, *number));
        let got = numbers.iter().filter(|number| wrong(number));
        let got: Vec<_> = got.map(|number| format!("{number}: {:?}", told.get(number))).collect();
        Ok(Judgement::escaped_if(!got.is_empty(), &got.join(", ")))
    }))
}

/// What nothing lists fails with `EPERM`, and numbers that nobody knows with `ENOSYS`.
fn expected(listed: &HashMap<u32, Listed>, number: u32) -> i32 {
    let planned = |(call, _): &&(&str, i32)| belljar_bpf::syscall_number(call) == Some(number);
    if let Some((_, errno)) = PLANNED.iter().find(planned) {
        return *errno;
    }
    match listed.get(&number) {
        Some(Listed::Answered(errno)) => *errno,
        _ if is_known(number) => libc::EPERM,
        _ => libc::ENOSYS,
    }
}

/// What the calls answered.
fn told(outcome: &Outcome) -> HashMap<u32, i32> {
    let text = String::from_utf8_lossy(&outcome.stdout);
    let pair = |line: &str| {
        let (number, errno) = line.strip_prefix("call ")?.split_once(' ')?;
        Some((number.parse().ok()?, errno.parse().ok()?))
    };
    text.lines().filter_map(pair).collect()
}

fn attack(args: &[String]) -> io::Result<()> {
    for number in args {
        let number: i64 = number.parse().map_err(io::Error::other)?;
        let done = raw::call(number, &[usize::MAX; 6]);
        let errno = done.map_or_else(|error| error.raw_os_error().unwrap_or(-1), |_| 0);
        kernel::say(&format!("call {number} {errno}\n"))?;
    }
    Ok(())
}
