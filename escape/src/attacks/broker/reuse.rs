//! N2: the caller dies while the broker answers it, and another process of the host takes its number.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::{ROW as BROKERED, alone};
use crate::attack::{Attack, Control, Judge};
use crate::attacks::kernel::{child, sys, wait};
use crate::attacks::proof;
use crate::attacks::successor::{self, NUMBER, PLACE};
use crate::canary;
use crate::needs;
use crate::outcome::Judgement;
use crate::stage::Stage;

/// How often each moment has its turn, and in a long run.
const ROUNDS: u32 = 2;
const MANY: u32 = 100;
/// How long callers call at most: the box is ended when all is done.
const TIME: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(600);

const ROW: Attack = Attack {
    id: "N2",
    control: Control::Fault,
    boxes: &["belljar"],
    needs: &[&needs::USERNS],
    fault: "stale",
    ..BROKERED
};

pub(super) const NAME: Attack = Attack {
    name: "number-taken-name",
    what: "learns a word from the memory of a process that takes the number of a dead caller, as the name of a folder",
    prepare: |stage| {
        stage.belljar_flags(&["--trace"]);
        let secret = stage.work.join(canary::fresh()?);
        let own = stage.work.join("own");
        let judge = taken(stage, &own, &secret)?;
        Ok(Box::new(move |outcome| match fs::symlink_metadata(&secret).is_ok() {
            true => Ok(Judgement::Escaped("a folder is called as the other's memory says".to_owned())),
            false => judge(outcome),
        }))
    },
    attack: |args| callers(args, || sys!(SYS_mkdir, PLACE, 0o700).map(drop)),
    ..ROW
};

pub(super) const RESULT: Attack = Attack {
    name: "number-taken-result",
    what: "has a result written into the memory of a process that takes the number of a dead caller",
    prepare: |stage| {
        stage.belljar_flags(&["--trace"]);
        taken(stage, Path::new("/"), Path::new("/"))
    },
    attack: |args| callers(args, || sys!(SYS_stat, PLACE, PLACE + successor::RESULT).map(drop)),
    ..ROW
};

pub(super) const DESCRIPTOR: Attack = Attack {
    name: "number-taken-descriptor",
    what: "changes what a process has open that takes the number of a dead caller",
    prepare: |stage| {
        alone(stage);
        // With Landlock the broker's threads are held to the jar's own processes besides, by the kernel.
        stage.sabotage("userns,landlock");
        stage.belljar_flags(&["--allow-weaker", "ipc"]);
        taken(stage, Path::new("/"), Path::new("/"))
    },
    attack: |args| callers(args, || sys!(SYS_fchmod, NUMBER, 0o123).map(drop)),
    ..ROW
};

/// The box among numbers of its own, whose successors have `theirs` in memory where callers have `own`.
fn taken(stage: &mut Stage, own: &Path, theirs: &Path) -> io::Result<Judge> {
    let tells = stage.host.join("tells");
    fs::write(&tells, "")?;
    let (time, rounds) = if stage.long { (LONG, MANY) } else { (TIME, ROUNDS) };
    stage.time = time;
    stage.path_arg(own);
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let program = text(&stage.program());
    stage.through =
        vec![program, "weak".into(), "successor".into(), text(&tells), rounds.to_string(), text(theirs)];
    Ok(Box::new(move |_| {
        let told = fs::read_to_string(&tells)?;
        match (told.split_once('\n'), told.split_once(' ')) {
            (Some((counts, lost)), _) if !lost.is_empty() => {
                Ok(Judgement::Escaped(format!("{lost} (rounds, successors: {counts})")))
            }
            (_, Some((done, _))) if done == rounds.to_string() => Ok(Judgement::Held),
            _ => Err(io::Error::other(format!("not all moments had their turn: {told:?}"))),
        }
    }))
}

/// One after the other makes one call, until the box is ended.
fn callers(args: &[String], call: fn() -> io::Result<()>) -> io::Result<()> {
    successor::memory(proof::arg(args, 0)?, libc::MAP_PRIVATE)?;
    successor::pipe()?;
    loop {
        wait(child(|| {
            sys!(SYS_prctl, libc::PR_SET_NAME, successor::CALLER.as_ptr())?;
            call()
        })?)?;
    }
}
