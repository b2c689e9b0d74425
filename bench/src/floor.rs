//! What the kernel itself takes for the layers of a jar: each layer at its smallest, with nothing of ours in it.
//!
//! `bench floor filter|landlock COMMAND...` runs a command below a filter of one instruction, or below that and a Landlock domain
//! of one rule; `bench floor start COMMAND...` starts one as [`bare`] does; `bench floor opened|refused COUNT` measures opens that another process answers without looking at anything.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use belljar_sys::abi::{LandlockPath, LandlockRuleset, SockFilter};
use belljar_sys::call;
use belljar_sys::notify::{Answer, Listener};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::{bare, calls};

/// What is opened.
const THERE: &str = "/etc/passwd";

pub(crate) const ALLOW: SockFilter = give(0x7FFF_0000);
const NOTIFY: SockFilter = give(0x7FC0_0000);

const fn give(k: u32) -> SockFilter {
    SockFilter { code: 0x06, jt: 0, jf: 0, k }
}

/// `floor WHAT ...`
pub(crate) fn run(words: &[String]) -> Result<String> {
    let (what, rest) = words.split_first().context("floor WHAT ...")?;
    match what.as_str() {
        "filter" => below(rest, &[filter]),
        "landlock" => below(rest, &[landlock, filter]),
        "start" => bare::start(rest).map(|_| String::new()),
        "opened" | "refused" => answered(words),
        _ => bail!("filter, landlock, start, opened or refused"),
    }
}

/// Becomes the command, confined.
fn below(words: &[String], layers: &[fn() -> Result<()>]) -> Result<String> {
    let (program, arguments) = words.split_first().context("which command?")?;
    no_new_privileges()?;
    for layer in layers {
        layer()?;
    }
    Err(Command::new(program).args(arguments).exec()).with_context(|| program.clone())
}

fn no_new_privileges() -> Result<()> {
    const NO_NEW_PRIVS: u32 = 38;
    call::prctl(NO_NEW_PRIVS, 1).map(drop).map_err(kernel)
}

/// One instruction: everything is allowed.
fn filter() -> Result<()> {
    call::seccomp(&[ALLOW]).map_err(kernel)
}

/// Rights to open files and folders.
pub(crate) const OPENS: u64 = 0b1111;

/// What this kernel's Landlock guards of files.
pub(crate) fn guarded() -> u64 {
    if belljar_sys::ask::landlock_abi() >= 5 { 0xFFFF } else { 0x1FFF }
}

/// One rule: every file below `/` can be run, written and read, every folder listed. Whatever else this kernel guards is refused,
/// so that each open is looked up as far as `/`.
fn landlock() -> Result<()> {
    let ruleset = LandlockRuleset { fs: guarded(), net: 0, scoped: 0 };
    let ruleset = call::landlock_create(&ruleset).map_err(kernel)?;
    let root = rustix::fs::openat(CWD, c"/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let rule = LandlockPath { allowed: OPENS, parent_fd: root.as_raw_fd() };
    call::landlock_path(ruleset, &rule).map_err(kernel)?;
    call::landlock_restrict(ruleset).map_err(kernel)?;
    call::close(ruleset);
    Ok(())
}

pub(crate) fn kernel(errno: belljar_sys::Errno) -> anyhow::Error {
    std::io::Error::from_raw_os_error(errno.0).into()
}

/// Answers the calls of a copy of this program, and says what the copy measured.
fn answered(words: &[String]) -> Result<String> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut child = command.arg("waits").args(words).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut output = BufReader::new(child.stdout.take().context("its output")?);
    let mut number = String::new();
    output.read_line(&mut number)?;
    let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
    let fd = pidfd_getfd(&pidfd, number.trim().parse()?, PidfdGetfdFlags::empty())?;
    let listener = Listener::new(fd).map_err(kernel)?.ending(ends()?);
    let opens = words.first().is_some_and(|what| what == "opened");
    let mut count = 0_u32;
    while let Some(call) = listener.receive().map_err(kernel)? {
        count += 1;
        answer(&listener, call.id, opens)?;
    }
    let mut measured = String::new();
    output.read_to_string(&mut measured)?;
    ensure!(child.wait()?.success() && count > 0, "{count} calls were answered");
    Ok(measured.trim().to_owned())
}

fn answer(listener: &Listener, id: u64, opens: bool) -> Result<()> {
    if !opens {
        return listener.answer(id, Answer::Error(belljar_sys::Errno::NOENT)).map_err(kernel);
    }
    let fd = rustix::fs::openat(CWD, THERE, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    listener.answer_fd(id, fd.as_fd(), true).map_err(kernel)
}

/// Whether this kernel ends the wait for calls when nobody is left to make one: Linux 6.11.
fn ends() -> Result<bool> {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    Ok((numbers.next(), numbers.next()) >= (Some(6), Some(11)))
}

/// `waits opened|refused COUNT`: hands its opens over to its parent, whom it tells the number of the listener, and measures them.
pub(crate) fn waits(words: &[String]) -> Result<String> {
    let [what, count] = words else { bail!("waits opened|refused COUNT") };
    let openat = belljar_bpf::syscall_number("openat").context("no such call")?;
    let number = SockFilter { code: 0x20, jt: 0, jf: 0, k: 0 };
    let is_openat = SockFilter { code: 0x15, jt: 0, jf: 1, k: openat };
    // As programs of a jar are: Linux shares processors out among sessions, which delays whoever waits for another one.
    rustix::process::setsid()?;
    no_new_privileges()?;
    let listener = call::seccomp_listener(&[number, is_openat, NOTIFY, ALLOW]).map_err(kernel)?;
    writeln!(std::io::stdout(), "{listener}")?;
    match what.as_str() {
        "opened" => calls::open(std::slice::from_ref(count)),
        _ => calls::refused(&[count.clone(), THERE.to_owned()]),
    }
}
