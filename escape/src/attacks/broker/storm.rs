//! N4: signals interrupt calls that wait for the broker.

use std::fs;
use std::io;

use super::ROW as BROKERED;
use crate::attack::{Attack, Control, Judge};
use crate::attacks::kernel::{say, sys};
use crate::attacks::proof;
use crate::attacks::raw::c;
use crate::outcome::{Judgement, Outcome};
use crate::stage::Stage;

/// Folders of one run, and of a long one.
const FOLDERS: u32 = 2_000;
const MANY: u32 = 100_000;

/// What the attack says at its end, before the number.
const MADE: &str = "made ";

pub(super) const ROW: Attack = Attack {
    id: "N4",
    name: "signal-storm",
    what: "has calls carried out twice, or told as failed, by a thousand signals a second",
    prepare,
    attack,
    control: Control::Fault,
    boxes: &["belljar"],
    fault: "continue",
    ..BROKERED
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    stage.belljar_flags(&["--trace"]);
    let count = if stage.long { MANY } else { FOLDERS };
    stage.arg(count);
    let work = stage.work.clone();
    if stage.long {
        stage.time = std::time::Duration::from_secs(300);
    }
    Ok(Box::new(move |outcome| {
        let there = fs::read_dir(&work)?.count();
        let said = counted(outcome);
        let right = said == Some(there) && u32::try_from(there).is_ok_and(|there| there == count);
        Ok(Judgement::escaped_if(
            !right,
            &format!("of {count} calls {said:?} succeeded and made {there} folders"),
        ))
    }))
}

fn counted(outcome: &Outcome) -> Option<usize> {
    let text = String::from_utf8_lossy(&outcome.stdout);
    text.lines().find_map(|line| line.strip_prefix(MADE)?.parse().ok())
}

fn attack(args: &[String]) -> io::Result<()> {
    let count: u32 = proof::number(args, 0)?;
    signals()?;
    let mut made = 0u32;
    for number in 0..count {
        let name = c(&number.to_string());
        loop {
            match sys!(SYS_mkdir, &name, 0o700) {
                Ok(_) => made += 1,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => {}
            }
            break;
        }
    }
    say(&format!("{MADE}{made}\n"))
}

/// One every millisecond, of a kind that makes calls start again.
fn signals() -> io::Result<()> {
    // SAFETY: the handler does nothing.
    let action = unsafe { libc::signal(libc::SIGALRM, nothing as *const () as libc::sighandler_t) };
    if action == libc::SIG_ERR {
        return Err(io::Error::last_os_error());
    }
    let every = [0i64, 1000, 0, 1000];
    sys!(SYS_setitimer, libc::ITIMER_REAL, &every, 0).map(drop)
}

extern "C" fn nothing(_: libc::c_int) {}
