//! K2: a program that splits itself, one of whose workers attacks the others. Without belljar its parts are forks.

use std::io;
use std::process::Command;
use std::time::Duration;

use belljar::policy::Policy;
use belljar::worker::{Bytes, Seal, Worker, WorkerError, Zygote};

pub(crate) use super::deeds::DEEDS;
use super::deeds::{self, Deed};
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{self, sys};
use crate::attacks::proof;
use crate::canary;
use crate::outcome::{Judgement, contains};
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "K2",
    attack: |_| Ok(()),
    boxes: &["none", "belljar"],
    needs: &[&crate::needs::USERNS],
    ..Attack::ROW
};

/// Longest time one deed may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a worker's filter lets through where the other walls stand alone.
const CALLS: &[&str] = &[
    "ptrace",
    "wait4",
    "process_vm_readv",
    "process_vm_writev",
    "open",
    "openat",
    "openat2",
    "creat",
    "pidfd_open",
    "pidfd_getfd",
    "getppid",
];
/// Number of the zygote in its jar, whose init is the first.
const ZYGOTE: i32 = 2;

/// The attack must not change or read the victim, and everybody must go on: behind the filter of every worker, and behind one
/// that lets its calls through.
pub(super) fn judge(stage: &Stage, means: &'static str, victim: &'static str) -> io::Result<Judge> {
    let (program, secret, word) = (stage.program(), canary::fresh()?, canary::fresh()?);
    let ways: &[&str] = if stage.belljar().is_some() { &["sealed", "open"] } else { &["forks"] };
    Ok(Box::new(move |_| {
        for way in ways {
            let words = ["split", way, means, victim, &secret, &word];
            let done = Command::new(&program).args(words).output()?;
            let out = contains(&done.stdout, secret.as_bytes());
            let written = contains(&done.stdout, proof::of(&word).as_bytes());
            if out || written || !done.status.success() {
                let evidence = if done.status.success() { "reached it" } else { "the program did not go on" };
                let said = String::from_utf8_lossy(&done.stderr).into_owned();
                return Ok(Judgement::Escaped(format!("{way}: {evidence} {said}")));
            }
        }
        Ok(Judgement::Held)
    }))
}

/// `escape split WAY MEANS VICTIM SECRET WORD`: prints what the attack brought and what lies in its victims afterwards.
pub(crate) fn main(words: &[String]) -> io::Result<u8> {
    let [way, means, victim, secret, word] = words else { return Err(io::Error::other("split: 5 words")) };
    let plan = Plan { means, victim, secret, word };
    deeds::page()?;
    match way.as_str() {
        "forks" => plan.forks()?,
        "sealed" => plan.workers(Seal::new()).map_err(io::Error::other)?,
        _ => {
            let open = CALLS.iter().fold(Seal::new(), |seal, call| seal.allow(call));
            plan.workers(open).map_err(io::Error::other)?;
        }
    }
    show(&deeds::slot())?;
    Ok(0)
}

struct Plan<'a> {
    means: &'a str,
    victim: &'a str,
    secret: &'a str,
    word: &'a str,
}

impl Plan<'_> {
    fn deed(&self, parent: i32, zygote: i32, sibling: i32) -> Deed {
        let pid = match self.victim {
            "parent" => parent,
            "zygote" => zygote,
            _ => sibling,
        };
        (self.means.to_owned(), pid, self.word.to_owned())
    }

    fn workers(&self, seal: Seal) -> Result<(), WorkerError> {
        let builder = Zygote::builder(&Policy::none(), &DEEDS).seal(seal).spare(0);
        let zygote = builder.start()?;
        deeds::hold(self.secret).map_err(failed)?;
        let (mut sibling, mut worker) = (zygote.spawn()?, zygote.spawn()?);
        let Bytes(number) = sibling.call(&("hold".to_owned(), 0, self.secret.to_owned()), PATIENCE)?;
        let number = String::from_utf8_lossy(&number).parse().map_err(|_| WorkerError::Gone)?;
        let parent = std::process::id().cast_signed();
        // A worker that this ends, or that hangs, has brought nothing.
        let loot = worker.call(&self.deed(parent, ZYGOTE, number), PATIENCE).unwrap_or(Bytes(Vec::new()));
        show(&loot.0).map_err(failed)?;
        drop(worker);
        for worker in [sibling, zygote.spawn()?] {
            show(&slot_of(worker)?).map_err(failed)?;
        }
        Ok(())
    }

    /// The same among processes that nothing holds: this one, its child, two children of that.
    fn forks(&self) -> io::Result<()> {
        let parent = kernel::small(sys!(SYS_getpid)?)?;
        deeds::hold(self.secret)?;
        kernel::in_child(|| {
            let zygote = kernel::small(sys!(SYS_getpid)?)?;
            sys!(SYS_close, deeds::HELD_FD)?;
            let (held, hold) = io::pipe()?;
            let (tell, told) = io::pipe()?;
            let sibling = kernel::child(|| {
                deeds::hold(self.secret)?;
                io::Write::write_all(&mut &hold, b"h")?;
                io::Read::read_exact(&mut &tell, &mut [0])?;
                show(&deeds::slot())
            })?;
            io::Read::read_exact(&mut &held, &mut [0])?;
            // What it says is looked at, not whether it ends well.
            drop(kernel::in_child(|| show(&deeds::done(&self.deed(parent, zygote, sibling))?)));
            show(&deeds::slot())?;
            io::Write::write_all(&mut &told, b"t")?;
            kernel::wait(sibling).map(drop)
        })
    }
}

/// An honest worker's word about its own memory.
fn slot_of(mut worker: Worker<Deed, Bytes>) -> Result<Vec<u8>, WorkerError> {
    Ok(worker.call(&("slot".to_owned(), 0, String::new()), PATIENCE)?.0)
}

fn show(bytes: &[u8]) -> io::Result<()> {
    sys!(SYS_write, 1, bytes.as_ptr(), bytes.len())?;
    kernel::say("\n")
}

fn failed(source: io::Error) -> WorkerError {
    WorkerError::System { what: "splitting", source }
}
