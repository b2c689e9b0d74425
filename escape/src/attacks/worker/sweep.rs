//! K1: inside a worker of a template: makes every system call there is that its lists do not let through.

use std::io;
use std::time::Duration;

use belljar::policy::Policy;
use belljar::worker::{Entry, Seal, WorkerError, Zygote};

use super::template::{Listed, listed, refused};
use crate::attack::{Attack, Judge};
use crate::attacks::raw;
use crate::outcome::Judgement;
use crate::stage::Stage;

const ROW: Attack = Attack {
    id: "K1",
    attack: |_| Ok(()),
    boxes: &["none", "belljar"],
    needs: &[&crate::needs::USERNS],
    ..Attack::ROW
};

pub(super) const PREAUTH: Attack = Attack {
    name: "calls-of-a-preauth-worker",
    what: "makes system calls from inside a worker that its template does not list",
    prepare: |stage| prepare(stage, "@preauth", &["preauth", "channel"]),
    ..ROW
};

pub(super) const RENDERER: Attack = Attack {
    name: "calls-of-a-renderer-worker",
    what: "makes system calls from inside a renderer that its template does not list",
    prepare: |stage| prepare(stage, "@renderer", &["renderer", "channel"]),
    ..ROW
};

pub(super) const DECODER: Attack = Attack {
    name: "calls-of-a-decoder-worker",
    what: "makes system calls from inside a decoder that its template does not list",
    prepare: |stage| prepare(stage, "@decoder", &["decoder", "channel"]),
    ..ROW
};

/// Longest time one call may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a worker answers for a call that succeeded.
const DONE: i32 = 0;

/// The part of this program that a worker is: it makes the call with arguments that nothing accepts, and tells the error.
pub(crate) static CALLS: Entry<u32, i32> = Entry::new("calls", |number, _| {
    let done = raw::call(i64::from(number), &[usize::MAX; 6]);
    done.map_or_else(|error| error.raw_os_error().unwrap_or(-1), |_| DONE)
});

/// The workers are started by the judge, as a program would that splits itself.
fn prepare(stage: &Stage, preset: &'static str, groups: &'static [&str]) -> io::Result<Judge> {
    let is_sealed = stage.belljar().is_some();
    Ok(Box::new(move |_| {
        let zygote = started(is_sealed, preset).map_err(io::Error::other)?;
        let mut listed = listed(groups);
        // Stands before the filter of every worker: signals to other threads than its own.
        listed
            .extend(belljar_bpf::syscall_number("tgkill").map(|call| (call, Listed::Answered(libc::EPERM))));
        let mut got = Vec::new();
        for number in refused(&listed) {
            let mut worker = zygote.spawn().map_err(io::Error::other)?;
            let outcome = worker.call(&number, PATIENCE);
            if !holds(&outcome, listed.get(&number).copied().unwrap_or(Listed::No)) {
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

fn started(is_sealed: bool, preset: &str) -> Result<Zygote<u32, i32>, WorkerError> {
    let builder = Zygote::builder(&Policy::none(), &CALLS);
    // The control: a worker that has the calls of most programs.
    if is_sealed {
        let policy = Policy::preset(preset).map_err(|_| WorkerError::ZygoteGone)?;
        builder.under(&policy)?.start()
    } else {
        builder.seal(Seal::new().allow("@default")).start()
    }
}

/// What is not listed ends the worker; what is listed with an error has that error.
fn holds(outcome: &Result<i32, WorkerError>, listed: Listed) -> bool {
    match (outcome, listed) {
        (Err(WorkerError::Violation { .. }), Listed::No) => true,
        (Ok(errno), Listed::Answered(expected)) => *errno == expected,
        _ => false,
    }
}
