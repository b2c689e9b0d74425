//! N3: the broker is killed while calls wait for it.

use std::fs;
use std::io;
use std::path::Path;

use super::{ROW, alone, bait, said, size_of};
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{child, nap, ready, sys};
use crate::attacks::proof;
use crate::attacks::raw::c;
use crate::judges;
use crate::outcome::{Judgement, contains};
use crate::processes;
use crate::stage::Stage;

pub(super) const PENDING: Attack = Attack {
    id: "N3",
    name: "broker-killed-with-calls-waiting",
    what: "survives the broker in calls that wait for its answer",
    prepare: |stage| {
        stage.belljar_flags(&["--trace"]);
        killed(stage);
        Ok(judges::nothing_survives())
    },
    attack: |_| {
        let name = c("fifo");
        sys!(SYS_mknodat, libc::AT_FDCWD, &name, libc::S_IFIFO | 0o600, 0)?;
        for _ in 0..8 {
            // Nobody ever opens the other end.
            child(|| sys!(SYS_open, &name, libc::O_WRONLY).map(drop))?;
        }
        wait_ready()
    },
    ..ROW
};

pub(super) const UNANSWERED: Attack = Attack {
    id: "N3",
    name: "broker-killed-before-the-jar",
    what: "goes on without the broker where nothing else guards attributes",
    prepare: unanswered,
    attack: orphans,
    ..ROW
};

/// Kills the supervisor when the attack says that its calls wait.
fn killed(stage: &mut Stage) {
    let ready = stage.is_ready();
    stage.watches.push(Box::new(move |pid| {
        if ready.get() {
            // It may be gone already, which is the same to the judge.
            drop(processes::end(pid));
        }
    }));
}

fn unanswered(stage: &mut Stage) -> io::Result<Judge> {
    alone(stage);
    killed(stage);
    let bait = bait(stage)?;
    stage.path_arg(&bait.hidden);
    let loot = stage.work.join("loot");
    let wanted = said(bait.size);
    Ok(Box::new(move |_| {
        let found = fs::read(&loot).unwrap_or_default();
        Ok(Judgement::escaped_if(
            contains(&found, wanted.as_bytes()),
            "a call was carried out without the broker",
        ))
    }))
}

/// Children that belong to nobody and ask again and again.
fn orphans(args: &[String]) -> io::Result<()> {
    let hidden = c(proof::arg(args, 0)?);
    let loot = fs::File::options().create(true).append(true).open(Path::new("loot"))?;
    for _ in 0..4 {
        child(|| {
            drop(sys!(SYS_setsid));
            drop(sys!(SYS_prctl, libc::PR_SET_PDEATHSIG, 0));
            for _ in 0..300 {
                if let Ok(size) = size_of(hidden.as_ptr().cast()) {
                    io::Write::write_all(&mut &loot, said(size).as_bytes())?;
                }
                nap(5);
            }
            Ok(())
        })?;
    }
    wait_ready()
}

/// Lets the calls reach the broker, says so, and waits for the end.
fn wait_ready() -> io::Result<()> {
    nap(100);
    ready()?;
    nap(20_000);
    Ok(())
}
