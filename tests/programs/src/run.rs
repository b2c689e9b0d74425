//! Runs one command with a time limit and keeps all it said.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::jar;
use crate::options::Options;
use crate::scenario::{Argv, Scenario};
use crate::work::{PATH, Place, toolchain};

/// No row may take longer than this, outside or inside.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// How long output may stay open after the program ended.
const DRAIN: Duration = Duration::from_secs(20);

/// A command with all it depends on.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    /// Program and arguments.
    pub(crate) argv: Vec<String>,
    /// Working folder.
    pub(crate) cwd: PathBuf,
    /// The whole environment.
    pub(crate) env: Vec<(String, OsString)>,
    /// Bytes for standard input.
    pub(crate) stdin: Vec<u8>,
}

/// What a command did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Exit code as a shell reports it: 128+n for signal n.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: Vec<u8>,
    /// Standard error.
    pub(crate) stderr: Vec<u8>,
}

/// All that one row needs to run: the row, the box, the folders.
#[derive(Debug)]
pub(crate) struct Rig<'a> {
    /// The row.
    pub(crate) row: &'static Scenario,
    /// Which box.
    pub(crate) options: &'a Options,
    /// Private folders of the run.
    pub(crate) place: &'a Place,
    /// The row's work folder.
    pub(crate) work: PathBuf,
    /// Port of the runner's listener on loopback.
    pub(crate) port: u16,
    /// File that the jar must not change.
    pub(crate) victim: PathBuf,
}

impl Rig<'_> {
    /// Empties the work folder, writes the row's files and runs its preparation.
    pub(crate) fn fresh(&self) -> Result<()> {
        self.place.fresh(self.row.name)?;
        for (name, contents) in self.row.files {
            let path = self.work.join(name);
            std::fs::create_dir_all(path.parent().unwrap_or(&self.work))?;
            std::fs::write(&path, contents).with_context(|| format!("write {name}"))?;
        }
        for step in self.row.prepare {
            let outcome = self.command(step).run()?;
            ensure!(outcome.code == 0, "preparation {step:?} failed:\n{}", outcome.text());
        }
        Ok(())
    }

    /// A command in the work folder with the base environment and the row's own.
    pub(crate) fn command(&self, argv: Argv) -> Command {
        let base = [("PATH", PATH), ("LANG", "C.UTF-8"), ("TERM", "dumb"), ("HOME", "{home}")];
        let env =
            base.iter().chain(self.row.env).map(|(key, value)| ((*key).to_owned(), self.fill(value).into()));
        Command { argv: self.filled(argv), cwd: self.work.clone(), env: env.collect(), stdin: Vec::new() }
    }

    /// The same command inside the box with the row's flags.
    pub(crate) fn boxed(&self, plain: &Command) -> Command {
        self.boxed_with(self.row.flags, plain)
    }

    /// The same command inside the box with these flags.
    pub(crate) fn boxed_with(&self, flags: &[&str], plain: &Command) -> Command {
        jar::inside(self.options, &self.filled(flags), plain)
    }

    /// Fills in the words in braces.
    pub(crate) fn fill(&self, text: &str) -> String {
        let path = |text: &Path| text.to_string_lossy().into_owned();
        let words = [
            ("{work}", path(&self.work)),
            ("{home}", path(&self.place.home)),
            ("{shared}", path(&self.place.shared)),
            ("{secret}", path(&self.place.secret)),
            ("{victim}", path(&self.victim)),
            ("{cargo-home}", path(&toolchain("CARGO_HOME", ".cargo"))),
            ("{rustup-home}", path(&toolchain("RUSTUP_HOME", ".rustup"))),
            ("{port}", self.port.to_string()),
        ];
        words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
    }

    fn filled(&self, words: &[&str]) -> Vec<String> {
        words.iter().map(|word| self.fill(word)).collect()
    }
}

impl Command {
    /// The standard library's form: exact environment, no descriptors set yet.
    pub(crate) fn build(&self) -> Result<std::process::Command> {
        let (program, args) = self.argv.split_first().context("empty command")?;
        let mut command = std::process::Command::new(program);
        command.args(args).current_dir(&self.cwd).env_clear().envs(self.env.iter().cloned());
        Ok(command)
    }

    /// Runs it with pipes and waits; what is too slow is killed and an error.
    pub(crate) fn run(&self) -> Result<Outcome> {
        let mut command = self.build()?;
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("start {}", self.argv.join(" ")))?;
        let mut input = child.stdin.take();
        let bytes = self.stdin.clone();
        thread::spawn(move || input.as_mut().map(|pipe| pipe.write_all(&bytes)));
        let (stdout, stderr) = (read_all(child.stdout.take()), read_all(child.stderr.take()));
        let status = wait(&mut child, LIMIT)?;
        Ok(Outcome { code: shell_code(status), stdout: drained(&stdout)?, stderr: drained(&stderr)? })
    }
}

impl Outcome {
    /// Both outputs and the code, for a message.
    pub(crate) fn text(&self) -> String {
        let (out, err) = (String::from_utf8_lossy(&self.stdout), String::from_utf8_lossy(&self.stderr));
        format!("exit code {}\nstdout: {}\nstderr: {}", self.code, shortened(&out), shortened(&err))
    }
}

/// Waits for the end of the child; kills its group at the limit.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Result<ExitStatus> {
    if ends_within(child, limit)? {
        return Ok(child.wait()?);
    }
    kill_group(child);
    child.wait()?;
    bail!("still running after {} s", limit.as_secs_f32())
}

/// Whether the child ends within this time.
pub(crate) fn ends_within(child: &Child, limit: Duration) -> Result<bool> {
    let pidfd = pidfd_open(pid(child)?, PidfdFlags::empty())?;
    let deadline = Instant::now() + limit;
    loop {
        let left = Timespec::try_from(deadline.saturating_duration_since(Instant::now()))?;
        match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&left)) {
            Err(rustix::io::Errno::INTR) => {}
            other => return Ok(other? == 1),
        }
    }
}

/// The child's process id.
pub(crate) fn pid(child: &Child) -> Result<Pid> {
    Pid::from_raw(i32::try_from(child.id())?).context("process id 0")
}

/// Ends the child and all of its process group.
pub(crate) fn kill_group(child: &Child) {
    if let Ok(group) = pid(child) {
        kill_process_group(group, Signal::KILL).ok();
    }
}

/// Exit code as a shell reports it.
pub(crate) fn shell_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// Pauses without a busy loop.
pub(crate) fn pause(time: Duration) {
    if let Ok(time) = Timespec::try_from(time) {
        poll(&mut [], Some(&time)).ok();
    }
}

fn read_all<R: Read + Send + 'static>(pipe: Option<R>) -> mpsc::Receiver<std::io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut bytes));
        sender.send(read.map(|_| bytes)).ok();
    });
    receiver
}

fn drained(output: &mpsc::Receiver<std::io::Result<Vec<u8>>>) -> Result<Vec<u8>> {
    Ok(output.recv_timeout(DRAIN).context("the program ended but its output stays open")??)
}

fn shortened(text: &str) -> String {
    const MOST: usize = 2000;
    text.char_indices().nth(MOST).map_or_else(|| text.to_owned(), |(at, _)| format!("{}...", &text[..at]))
}
