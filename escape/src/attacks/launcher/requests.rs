//! B3, B7: requests for actions that get more than the policy grants.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::attack::{Attack, Judge};
use crate::attacks::proof;
use crate::files;
use crate::stage::Stage;

pub(super) const NAME: Attack = Attack {
    id: "B3",
    name: "name-of-a-saved-file",
    what: "makes or changes a host file outside the folder that an action may save to",
    prepare: outside,
    attack: save,
    ..Attack::ROW
};

pub(super) const WORDS: Attack = Attack {
    id: "B7",
    name: "words-and-environment-of-an-action",
    what: "hands options or variables to a program that belljar starts outside",
    prepare: noter,
    attack: open,
    ..Attack::ROW
};

/// In a jar only; elsewhere the attacks do it themselves.
const REQUESTS: &str = "/run/belljar/channel/requests";

/// Numbers of the actions in a frame.
pub(super) const OPEN_URL: u8 = 0;
pub(super) const SAVE_AS: u8 = 2;

fn outside(stage: &mut Stage) -> io::Result<Judge> {
    let saved = stage.host.join("saved");
    std::fs::create_dir(&saved)?;
    let (escaped, victim) = (stage.host.join("escaped"), stage.host_file("victim", "mine\n")?);
    symlink(&escaped, saved.join("dangling"))?;
    symlink(&victim, saved.join("link"))?;
    stage.belljar_flags(&["--action", &format!("save-as={}", saved.display())]);
    stage.path_arg(&escaped);
    Ok(files::any(vec![files::absent(escaped), files::untouched(&victim)?]))
}

fn save(args: &[String]) -> io::Result<()> {
    let escaped = proof::arg(args, 0)?;
    let done = std::fs::write(escaped, "written\n");
    for (number, name) in
        (1..).zip(["../escaped", escaped, "dangling", "link", "./../escaped", "a\0/../../escaped"])
    {
        let begun = frame(1, SAVE_AS, number, &argument(name));
        requested(&[begun, frame(2, 0, number, b"written\n"), frame(3, 0, number, b"")])?;
    }
    settle();
    done
}

fn noter(stage: &mut Stage) -> io::Result<Judge> {
    let noted = stage.host.join("noted");
    // An option or a variable of the attack makes it write.
    let text = format!(
        "#!/bin/sh\n[ \"$1\" = --evil ] || [ \"$2\" = --evil ] || [ -n \"$EVIL\" ] && echo > {}\n",
        noted.display()
    );
    let program = stage.host_file("program", &text)?;
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755))?;
    stage.belljar_flags(&["--action", &format!("open-url={}", program.display())]);
    stage.path_arg(&program);
    Ok(files::absent(noted))
}

fn open(args: &[String]) -> io::Result<()> {
    let program = proof::arg(args, 0)?;
    let done = std::process::Command::new(program).arg("--evil").env("EVIL", "1").status();
    let address = "https://example.org/";
    let lists = [
        vec!["--evil"],
        vec![address, "--evil"],
        vec!["https://example.org/ --evil"],
        vec!["https://example.org/\n--evil"],
        vec!["EVIL=1", address],
        vec![address],
    ];
    for (number, list) in (1..).zip(lists) {
        let words: Vec<u8> = list.into_iter().flat_map(argument).collect();
        requested(&[frame(1, OPEN_URL, number, &words)])?;
    }
    settle();
    done.map(drop)
}

/// A word behind its length.
pub(super) fn argument(word: &str) -> Vec<u8> {
    let length = u16::try_from(word.len()).unwrap_or(u16::MAX).to_le_bytes();
    [&length[..], word.as_bytes()].concat()
}

pub(super) fn frame(kind: u8, action: u8, number: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX).to_le_bytes();
    [&b"BJR1"[..], &length, &[kind, action], &[number; 16], payload].concat()
}

pub(super) fn requested(frames: &[Vec<u8>]) -> io::Result<()> {
    if !Path::new(REQUESTS).try_exists()? {
        return Ok(());
    }
    let mut channel = OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(REQUESTS)?;
    frames.iter().try_for_each(|frame| channel.write_all(frame))
}

/// What was asked for is done by somebody else, who needs a moment.
pub(super) fn settle() {
    let end = Instant::now() + Duration::from_millis(500);
    while Instant::now() < end {
        std::thread::yield_now();
    }
}
