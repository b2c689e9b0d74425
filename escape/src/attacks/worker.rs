//! K1: inside a worker of the template `@preauth`: makes every system call there is.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use belljar::policy::Policy;
use belljar::worker::{Entry, Seal, WorkerError, Zygote};

use crate::attack::{Attack, Family, Judge};
use crate::attacks::raw;
use crate::outcome::Judgement;
use crate::stage::Stage;

pub(super) const FAMILY: Family = Family { title: "K1: inside a worker of a template", rows: &[ROW] };

const ROW: Attack = Attack {
    id: "K1",
    name: "calls-of-a-preauth-worker",
    what: "makes system calls from inside a worker that its template does not list",
    prepare,
    attack: |_| Ok(()),
    boxes: &["none", "belljar"],
    needs: &[&crate::needs::USERNS],
    ..Attack::ROW
};

/// The last number that Linux 6.18 has.
const LAST: u32 = 469;
/// `uretprobe` and `uprobe`: the kernel lets them pass every filter since 6.14, and ends or refuses whoever makes them without a
/// probe of its own.
const PAST_EVERY_FILTER: [u32; 2] = [335, 336];
/// Longest time one call may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a worker answers for a call that succeeded.
const DONE: i32 = 0;

/// The part of this program that a worker is: it makes the call with arguments that nothing accepts, and tells the error.
pub(crate) static CALLS: Entry<u32, i32> = Entry::new("calls", |number, _| {
    let done = raw::call(i64::from(number), &[usize::MAX; 6]);
    done.map_or_else(|error| error.raw_os_error().unwrap_or(-1), |_| DONE)
});

/// What the template says of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Listed {
    Passes,
    Answered(i32),
}

/// The workers are started by the judge, as a program would that splits itself.
fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let is_sealed = stage.belljar().is_some();
    Ok(Box::new(move |_| {
        let zygote = started(is_sealed).map_err(io::Error::other)?;
        let listed = template();
        let mut got = Vec::new();
        let tried =
            |number: &u32| !PAST_EVERY_FILTER.contains(number) && listed.get(number) != Some(&Listed::Passes);
        for number in (0..=LAST).filter(tried) {
            let mut worker = zygote.spawn().map_err(io::Error::other)?;
            let outcome = worker.call(&number, PATIENCE);
            if !holds(&outcome, listed.get(&number).copied()) {
                got.push(format!("{number}: {outcome:?}"));
            }
            // One is enough where nothing holds.
            if got.len() >= 8 {
                break;
            }
        }
        Ok(Judgement::escaped_if(!got.is_empty(), &got.join(", ")))
    }))
}

fn started(is_sealed: bool) -> Result<Zygote<u32, i32>, WorkerError> {
    let preauth = || Policy::preset("@preauth").map_err(|_| WorkerError::ZygoteGone);
    let builder = Zygote::builder(&Policy::none(), &CALLS);
    // The control: a worker that has the calls of most programs.
    if is_sealed {
        builder.under(&preauth()?)?.start()
    } else {
        builder.seal(Seal::new().allow("@default")).start()
    }
}

/// What is not listed ends the worker; what is listed with an error has that error.
fn holds(outcome: &Result<i32, WorkerError>, listed: Option<Listed>) -> bool {
    match (outcome, listed) {
        (Err(WorkerError::Violation { .. }), _) => true,
        (Ok(errno), Some(Listed::Answered(expected))) => *errno == expected,
        _ => false,
    }
}

/// The template's own list, with that of the channel.
fn template() -> HashMap<u32, Listed> {
    let own = include_str!("../../../crates/belljar-bpf/groups/preauth.txt");
    let channel = include_str!("../../../crates/belljar-bpf/groups/channel.txt");
    // Stands before the filter of every worker: signals to other threads than its own.
    let tgkill = belljar_bpf::syscall_number("tgkill").map(|number| (number, Listed::Answered(libc::EPERM)));
    own.lines().chain(channel.lines()).filter_map(row).chain(tgkill).collect()
}

fn row(line: &str) -> Option<(u32, Listed)> {
    let mut cells = line.split('|').map(str::trim);
    let number = belljar_bpf::syscall_number(cells.next()?)?;
    let listed = match cells.next()? {
        "errno EACCES" => Listed::Answered(libc::EACCES),
        _ => Listed::Passes,
    };
    Some((number, listed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_read() {
        let listed = template();
        assert!(listed.get(&0) == Some(&Listed::Passes), "read");
        assert!(listed.get(&257) == Some(&Listed::Answered(libc::EACCES)), "openat");
        assert!(!listed.contains_key(&59), "execve");
    }
}
