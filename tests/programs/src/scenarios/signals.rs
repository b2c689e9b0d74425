//! Signals sent to belljar, and the keys and the size of a terminal.

use std::io::Read;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Signal, kill_process};

use crate::run::{Command, LIMIT, Rig, pause, pid, shell_code, wait};
use crate::scenario::{Check, ROW, Scenario};
use crate::term::Terminal;
use crate::watch::{GONE, nothing_left, within};

/// Says `ready`, then loops in a shell that answers each signal.
const TRAPS: &str = "trap 'echo term; exit 7' TERM; trap 'echo int; exit 8' INT; trap 'echo hup; exit 9' HUP; \
    trap 'echo usr1; exit 10' USR1; trap 'echo quit; exit 11' QUIT; echo ready; while :; do sleep 0.05; done";

const LOOP: &[&str] = &["sh", "-c", TRAPS];

/// Time for a shell to hand its terminal over after it said so.
const SETTLE: Duration = Duration::from_millis(800);

const NEEDS: &[&str] = &["setsid", "stty", "bash"];

pub(crate) const ROWS: &[Scenario] = &[
    Scenario {
        name: "signal-term",
        command: LOOP,
        check: Check::Own(|rig| sent(rig, Signal::TERM, "term\n", 7)),
        ..ROW
    },
    Scenario {
        name: "signal-int",
        command: LOOP,
        check: Check::Own(|rig| sent(rig, Signal::INT, "int\n", 8)),
        ..ROW
    },
    Scenario {
        name: "signal-hup",
        command: LOOP,
        check: Check::Own(|rig| sent(rig, Signal::HUP, "hup\n", 9)),
        ..ROW
    },
    Scenario {
        name: "signal-usr1",
        command: LOOP,
        check: Check::Own(|rig| sent(rig, Signal::USR1, "usr1\n", 10)),
        ..ROW
    },
    Scenario {
        name: "signal-quit",
        command: LOOP,
        check: Check::Own(|rig| sent(rig, Signal::QUIT, "quit\n", 11)),
        ..ROW
    },
    Scenario {
        name: "signal-term-untrapped",
        command: &["sh", "-c", "echo ready; sleep 60; echo more"],
        check: Check::Own(|rig| sent(rig, Signal::TERM, "", 143)),
        ..ROW
    },
    // Servers with a master process and workers (nginx) start no worker without it.
    Scenario {
        name: "signal-of-a-socket",
        needs: &["perl"],
        command: &[
            "perl",
            "-MSocket",
            "-MFcntl=F_SETOWN,F_SETFL,O_ASYNC",
            "-e",
            "socketpair(A, B, AF_UNIX, SOCK_STREAM, 0) or die; $SIG{IO} = sub { $SIG{IO} = 'IGNORE'; print qq(io\n); exit }; \
             fcntl(A, F_SETOWN, 0 + $$) or die $!; fcntl(A, F_SETFL, O_ASYNC) or die $!; syswrite B, 'x'; sleep 5; die 'no signal'",
        ],
        ..ROW
    },
    Scenario { name: "pty-ctrl-c", needs: NEEDS, command: LOOP, check: Check::Own(ctrl_c), ..ROW },
    Scenario {
        name: "pty-ctrl-c-untrapped",
        needs: NEEDS,
        files: &[("echo.sh", b"echo up; exec cat\n")],
        command: &["sh", "echo.sh"],
        check: Check::Own(|rig| ctrl_c_kills(rig, "up\r\n")),
        ..ROW
    },
    Scenario {
        name: "pty-keys-at-start",
        needs: NEEDS,
        command: &["cat"],
        check: Check::Own(|rig| ctrl_c_kills(rig, "")),
        ..ROW
    },
    Scenario { name: "signal-at-start", command: &["sleep", "60"], check: Check::Own(at_start), ..ROW },
    Scenario {
        name: "pty-resize",
        needs: NEEDS,
        command: &["sh", "-c", "trap 'stty size; exit 3' WINCH; echo ready; while :; do sleep 0.05; done"],
        check: Check::Own(resize),
        ..ROW
    },
    Scenario {
        name: "pty-ctrl-z",
        needs: NEEDS,
        files: &[("echo.sh", b"echo up; exec cat\n")],
        command: &["sh", "echo.sh"],
        check: Check::Own(ctrl_z),
        ..ROW
    },
    Scenario {
        name: "pty-job-control-inside",
        needs: NEEDS,
        files: &[("echo.sh", b"echo up; exec cat\n")],
        env: &[("PS1", "prompt$ ")],
        flags: &["-w", "{work}", "-e", "PS1"],
        command: &["bash", "--norc", "--noprofile", "-i"],
        check: Check::Own(jobs_inside),
        ..ROW
    },
    Scenario {
        name: "pty-settings-restored",
        needs: NEEDS,
        command: &["sh", "-c", "stty raw -echo; echo ready; sleep 60"],
        check: Check::Own(settings_restored),
        ..ROW
    },
    Scenario {
        name: "signal-no-secret",
        command: &["sh", "-c", "trap 'cat {secret}' USR1; kill -USR1 $$"],
        check: Check::NoSecret,
        ..ROW
    },
];

fn twice(rig: &Rig<'_>, test: impl Fn(&Command) -> Result<()>) -> Result<()> {
    let plain = rig.row.plain(rig);
    test(&plain).context("outside")?;
    test(&rig.boxed(&plain)).context("inside")
}

fn sent(rig: &Rig<'_>, signal: Signal, says: &str, code: i32) -> Result<()> {
    twice(rig, |command| {
        let mut child = command.build()?;
        let mut child = child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut output = child.stdout.take().context("no pipe")?;
        let mut ready = [0_u8; 6];
        output.read_exact(&mut ready).context("the program never said it is ready")?;
        kill_process(pid(&child)?, signal)?;
        let status = wait(&mut child, LIMIT)?;
        let mut said = String::new();
        if !says.is_empty() {
            output.read_to_string(&mut said)?;
        }
        ensure!((said.as_str(), shell_code(status)) == (says, code), "said {said:?}, {status}");
        Ok(())
    })
}

/// A signal ends belljar at whatever point of the start it comes.
fn at_start(rig: &Rig<'_>) -> Result<()> {
    let command = rig.boxed(&rig.row.plain(rig));
    for delay in (0..24).map(Duration::from_millis) {
        let mut child = command.build()?.stdin(Stdio::null()).stderr(Stdio::null()).spawn()?;
        pause(delay);
        kill_process(pid(&child)?, Signal::TERM)?;
        let status = wait(&mut child, LIMIT).with_context(|| format!("SIGTERM after {delay:?}"))?;
        ensure!(shell_code(status) == 143, "SIGTERM after {delay:?}: {status}");
    }
    nothing_left(rig)
}

fn ended(mut terminal: Terminal, code: i32) -> Result<()> {
    let real = terminal.end()?;
    ensure!(real == code, "exit code {real}, not {code}; shown: {:?}", terminal.seen);
    Ok(())
}

fn ctrl_c(rig: &Rig<'_>) -> Result<()> {
    twice(rig, |command| {
        let mut terminal = Terminal::start(command)?;
        terminal.expect("ready")?;
        terminal.keys("\x03")?;
        terminal.expect("int")?;
        ended(terminal, 8)
    })
}

/// Keys and then Ctrl-C, after the program said this; with nothing to wait for, they come while it is being started.
fn ctrl_c_kills(rig: &Rig<'_>, first: &str) -> Result<()> {
    twice(rig, |command| {
        let mut terminal = Terminal::start(command)?;
        terminal.expect(first)?;
        terminal.keys("echo me\r")?;
        terminal.expect("echo me\r\necho me")?;
        terminal.keys("\x03")?;
        ended(terminal, 130)
    })
}

fn resize(rig: &Rig<'_>) -> Result<()> {
    twice(rig, |command| {
        let mut terminal = Terminal::start(command)?;
        terminal.expect("ready")?;
        terminal.resize(41, 101)?;
        terminal.expect("41 101")?;
        ended(terminal, 3)
    })
}

/// A shell in front of belljar sees it stop, and `fg` brings the program back with its terminal.
fn ctrl_z(rig: &Rig<'_>) -> Result<()> {
    twice(rig, |command| {
        let mut shell = Command {
            argv: ["bash", "--norc", "--noprofile", "-i"].map(str::to_owned).to_vec(),
            ..command.clone()
        };
        shell.env.push(("PS1".to_owned(), "prompt$ ".into()));
        let mut terminal = Terminal::start(&shell)?;
        terminal.expect("prompt$ ")?;
        terminal.keys(&format!("{}\r", command.argv.join(" ")))?;
        terminal.expect("up\r\n")?;
        terminal.keys("first\r")?;
        terminal.expect("first\r\nfirst")?;
        terminal.keys("\x1a")?;
        terminal.expect("Stopped")?;
        terminal.expect("prompt$ ")?;
        terminal.keys("echo $((20+3)); fg\r")?;
        terminal.expect("\r\n23")?;
        terminal.expect("echo.sh")?;
        pause(SETTLE);
        terminal.keys("second\r")?;
        terminal.expect("second\r\nsecond")?;
        terminal.keys("\x04")?;
        terminal.expect("prompt$ ")?;
        terminal.keys("exit 6\r")?;
        ended(terminal, 6)
    })
}

/// A shell inside stops and continues its own children.
fn jobs_inside(rig: &Rig<'_>) -> Result<()> {
    twice(rig, |command| {
        let mut terminal = Terminal::start(command)?;
        terminal.expect("prompt$ ")?;
        terminal.keys("sh echo.sh\r")?;
        terminal.expect("up\r\n")?;
        terminal.keys("hello\r")?;
        terminal.expect("hello\r\nhello")?;
        terminal.keys("\x1a")?;
        terminal.expect("Stopped")?;
        terminal.keys("fg\r")?;
        terminal.expect("echo.sh\r\n")?;
        pause(SETTLE);
        terminal.keys("\x03")?;
        pause(SETTLE);
        terminal.keys("exit 4\r")?;
        ended(terminal, 4)
    })
}

/// Whatever the program did to its terminal, and however belljar ends, the user's terminal is as it was.
fn settings_restored(rig: &Rig<'_>) -> Result<()> {
    let command = rig.boxed(&rig.row.plain(rig));
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut terminal = Terminal::start(&command)?;
        terminal.expect("ready")?;
        kill_process(pid(terminal.child())?, signal)?;
        let real = terminal.end()?;
        ensure!(real == code, "exit code {real}, not {code}");
        let restored = within(GONE, || terminal.is_restored());
        ensure!(restored, "the terminal's settings stay changed after {signal:?}");
    }
    Ok(())
}
