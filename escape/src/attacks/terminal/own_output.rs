use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::attack::{Attack, Judge};
use crate::attacks::raw;
use crate::outcome::{Judgement, contains};
use crate::stage::Stage;

/// Words for belljar in which `{evil}` is a name with an escape sequence and `{file}` a policy that contains one.
macro_rules! spoken {
    ($name:literal, $what:literal, $words:expr) => {
        Attack {
            id: "Y4",
            name: $name,
            what: $what,
            prepare: |stage| prepare(stage, $words),
            attack,
            boxes: &["none", "belljar"],
            ..Attack::ROW
        }
    };
}

/// Opens the title of a terminal, then rings: nothing of it may reach a terminal raw.
const EVIL: &str = "\u{1b}]0;owned\u{7}\u{9b}31m";

pub(super) const DENIED: Attack = spoken!(
    "escape-in-denied-name",
    "drives the caller's terminal by the name of a file that it was refused",
    &["run", "-v", "-r", "{bin}", "--", "{program}", "attack", "escape-in-denied-name", "{evil}"]
);
pub(super) const COMMAND: Attack = spoken!(
    "escape-in-command",
    "drives the caller's terminal by the name of a command that does not exist",
    &["run", "--", "/{evil}"]
);
pub(super) const GRANT: Attack = spoken!(
    "escape-in-grant",
    "drives the caller's terminal by the name of a path that is to be granted and does not exist",
    &["run", "-r", "/{evil}", "--", "true"]
);
pub(super) const POLICY_NAME: Attack = spoken!(
    "escape-in-policy-name",
    "drives the caller's terminal by the name of a policy file that does not exist",
    &["run", "-p", "/{evil}.toml", "--", "true"]
);
pub(super) const POLICY_KEY: Attack = spoken!(
    "escape-in-policy-key",
    "drives the caller's terminal by an unknown key of a policy file, which belljar quotes",
    &["policy", "check", "{file}"]
);
pub(super) const WHY: Attack = spoken!(
    "escape-in-why",
    "drives the caller's terminal by a path that somebody asks `belljar why` about",
    &["why", "/{evil}"]
);
pub(super) const PLAN: Attack = spoken!(
    "escape-in-plan",
    "drives the caller's terminal by a path that `belljar plan` shows",
    &["plan", "-r", "?/{evil}", "--", "/{evil}"]
);
pub(super) const BAD_FLAG: Attack = spoken!(
    "escape-in-flag",
    "drives the caller's terminal by a flag that does not exist",
    &["run", "--{evil}", "--", "true"]
);

/// Asks belljar outside a box and looks at everything it says. Without belljar a careless program speaks: the shell's
/// `printf`.
fn prepare(stage: &mut Stage, words: &[&str]) -> io::Result<Judge> {
    let file = stage
        .host_file("evil.toml", &format!("belljar = 1\n\"{EVIL}\" = 1\n[fs]\n\"{EVIL}\" = \"reed\"\n"))?;
    let said = match stage.belljar() {
        Some(belljar) => ask(belljar, stage, words, &file)?,
        None => careless(&file)?,
    };
    Ok(Box::new(move |_| {
        let raw = contains(&said, b"\x1b") || contains(&said, b"\x07") || contains(&said, b"\xc2\x9b");
        Ok(Judgement::escaped_if(raw, "a control sequence came out raw"))
    }))
}

fn ask(belljar: &Path, stage: &Stage, words: &[&str], file: &Path) -> io::Result<Vec<u8>> {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let fill = |word: &&str| {
        let word = word.replace("{evil}", EVIL).replace("{file}", &path(file));
        word.replace("{bin}", &path(&stage.bin)).replace("{program}", &path(&stage.program()))
    };
    let mut command = Command::new(belljar);
    command.args(words.iter().map(fill)).current_dir(&stage.work).stdin(Stdio::null());
    let output = command.output()?;
    if output.stdout.is_empty() && output.stderr.is_empty() {
        // A run without denials to report says nothing, which is harmless.
        return Ok(Vec::new());
    }
    Ok([output.stdout, output.stderr].concat())
}

fn careless(file: &Path) -> io::Result<Vec<u8>> {
    Ok(Command::new("cat").arg(file).output()?.stdout)
}

/// Inside the box only the first row does anything: it asks for a file with an evil name in every usual way.
fn attack(args: &[String]) -> io::Result<()> {
    let Some(evil) = args.first() else { return Ok(()) };
    let path = format!("/{evil}");
    let steps = [
        raw::openat(libc::AT_FDCWD, &path, libc::O_RDONLY).map(drop),
        std::fs::write(&path, "x"),
        std::fs::create_dir(&path),
        std::os::unix::net::UnixStream::connect(&path).map(drop),
        Command::new(&path).status().map(drop),
    ];
    steps.into_iter().find(Result::is_err).unwrap_or(Ok(()))
}
