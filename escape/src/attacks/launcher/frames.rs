//! B8, B9: requests out of order, broken, repeated, too many.

use std::fs;
use std::io;
use std::path::Path;

use super::requests::{OPEN_URL, SAVE_AS, argument, frame, requested, settle};
use crate::attack::{Attack, Judge};
use crate::attacks::proof;
use crate::files;
use crate::outcome::Judgement;
use crate::stage::Stage;

pub(super) const OUT_OF_PHASE: Attack = Attack {
    id: "B8",
    name: "requests-out-of-phase",
    what: "has a file saved that was never asked for, by data and ends without a beginning, twice begun and broken off",
    prepare: |stage| {
        let saved = saved(stage)?;
        stage.path_arg(&saved.join("never"));
        Ok(files::any(vec![files::absent(saved.join("never")), files::absent(saved.join("half"))]))
    },
    attack: out_of_phase,
    ..Attack::ROW
};

pub(super) const NONSENSE: Attack = Attack {
    id: "B8",
    name: "requests-after-nonsense",
    what: "has a request heard behind bytes that are none, where nobody can tell any more what is one",
    prepare: |stage| {
        let saved = saved(stage)?;
        stage.path_arg(&saved.join("never"));
        Ok(files::absent(saved.join("never")))
    },
    attack: nonsense,
    ..Attack::ROW
};

pub(super) const FLOOD: Attack = Attack {
    id: "B9",
    name: "requests-flood",
    what: "has belljar start a program outside hundreds of times",
    prepare: flooded,
    attack: flood,
    ..Attack::ROW
};

/// Starts in a minute that no user minds.
const STARTS: usize = 20;
const REQUESTS: u32 = 300;

fn saved(stage: &mut Stage) -> io::Result<std::path::PathBuf> {
    let saved = stage.host.join("saved");
    fs::create_dir(&saved)?;
    stage.belljar_flags(&["--action", &format!("save-as={}", saved.display())]);
    Ok(saved)
}

fn out_of_phase(args: &[String]) -> io::Result<()> {
    let done = fs::write(Path::new(proof::arg(args, 0)?), "written");
    let begin = |number| frame(1, SAVE_AS, number, &argument("never"));
    let (data, end) = (|number| frame(2, 0, number, b"text"), |number| frame(3, 0, number, b""));
    // Data and ends of nobody; another's end; a beginning that is never ended.
    requested(&[data(1), end(1), begin(2), data(3), end(3)])?;
    // The same number begins twice, under two names, and only one may end it: none does.
    requested(&[frame(1, SAVE_AS, 4, &argument("half")), begin(4), data(4)])?;
    settle();
    done
}

fn nonsense(args: &[String]) -> io::Result<()> {
    let done = fs::write(Path::new(proof::arg(args, 0)?), "written");
    let whole =
        [frame(1, SAVE_AS, 9, &argument("never")), frame(2, 0, 9, b"text"), frame(3, 0, 9, b"")].concat();
    // No magic, an unknown kind, a length that reaches into the next frame, an argument longer than its frame.
    for broken in [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        frame(7, 0, 1, b""),
        [&b"BJR1\xff\xff\x01\x02"[..], &[1; 16]].concat(),
        frame(1, SAVE_AS, 1, b"\xff\xffnever"),
    ] {
        // A channel that is closed takes nothing: whoever writes is told so.
        drop(requested(&[[broken, whole.clone()].concat()]));
    }
    drop(requested(&[whole]));
    settle();
    done
}

fn flooded(stage: &mut Stage) -> io::Result<Judge> {
    let noted = stage.host.join("noted");
    let program = stage.host_file("program", &format!("#!/bin/sh\necho >> {}\n", noted.display()))?;
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    stage.belljar_flags(&["--action", &format!("open-url={}", program.display())]);
    stage.path_arg(&program);
    Ok(Box::new(move |_| {
        let starts = fs::read(&noted).unwrap_or_default().len();
        Ok(Judgement::escaped_if(starts > STARTS, &format!("{starts} programs were started")))
    }))
}

fn flood(args: &[String]) -> io::Result<()> {
    let program = proof::arg(args, 0)?;
    let mut done = Ok(());
    for _ in 0..STARTS + 5 {
        done = std::process::Command::new(program).status().map(drop);
        if done.is_err() {
            break;
        }
    }
    for number in 0..REQUESTS {
        let address = argument(&format!("https://example.org/{number}"));
        // A replay: the same number again and again.
        drop(requested(&[frame(1, OPEN_URL, (number % 7) as u8, &address)]));
    }
    settle();
    done
}
