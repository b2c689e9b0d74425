//! Standard input, output and error as pipes, files, sockets and terminals.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use crate::run::{Command, LIMIT, Rig, wait};
use crate::scenario::{Check, ROW, Scenario};
use crate::term::Terminal;

const LARGE: usize = 48 << 20;

pub(crate) const ROWS: &[Scenario] = &[
    Scenario { name: "stdio-pipe-in-out", command: &["tr", "a-z", "A-Z"], stdin: b"through pipes\n", ..ROW },
    Scenario {
        name: "stdio-error-apart",
        command: &["sh", "-c", "echo out; echo err >&2; echo out again"],
        ..ROW
    },
    Scenario {
        name: "stdio-large-pipe",
        command: &["sh", "-c", "head -c 50331648 /dev/zero | tr '\\0' x"],
        check: Check::Own(large_pipe),
        ..ROW
    },
    Scenario { name: "stdio-echo-large", command: &["cat"], check: Check::Own(large_echo), ..ROW },
    Scenario {
        name: "stdio-files",
        command: &["sh", "-c", "cat; echo err >&2"],
        check: Check::Own(files),
        ..ROW
    },
    Scenario {
        name: "stdio-sockets",
        command: &["sh", "-c", "read line; echo \"got $line\"; echo err >&2"],
        check: Check::Own(sockets),
        ..ROW
    },
    Scenario { name: "stdio-null", command: &["sh", "-c", "cat; echo end"], check: Check::Own(null), ..ROW },
    Scenario {
        name: "stdio-broken-pipe",
        needs: &["bash"],
        command: &["bash", "-c", "yes | head -n 1; echo ${PIPESTATUS[0]}"],
        ..ROW
    },
    Scenario { name: "stdio-reader-gone", command: &["yes"], check: Check::Own(reader_gone), ..ROW },
    Scenario {
        name: "stdio-pty",
        needs: &["setsid", "stty", "tty"],
        command: &[
            "sh",
            "-c",
            "test -t 0 && test -t 1 && test -t 2 && stty size && read x && echo \"[$x]\" && exit 5",
        ],
        check: Check::Own(terminal),
        ..ROW
    },
    Scenario {
        name: "stdio-descriptors-closed",
        command: &["sh", "-c", "ls /proc/self/fd | wc -l"],
        check: Check::Own(no_other_descriptors),
        ..ROW
    },
    Scenario {
        name: "stdio-no-secret",
        command: &["sh", "-c", "exec 7<{secret}; cat <&7"],
        check: Check::NoSecret,
        ..ROW
    },
];

fn twice(rig: &Rig<'_>, test: impl Fn(&Rig<'_>, &Command) -> Result<()>) -> Result<()> {
    let plain = rig.row.plain(rig);
    test(rig, &plain).context("outside")?;
    rig.fresh()?;
    test(rig, &rig.boxed(&plain)).context("inside")
}

fn large_pipe(rig: &Rig<'_>) -> Result<()> {
    twice(rig, |_, command| {
        let outcome = command.run()?;
        ensure!(outcome.code == 0 && outcome.stderr.is_empty(), "{}", outcome.text());
        ensure!(outcome.stdout.len() == LARGE, "{} bytes of {LARGE} came out", outcome.stdout.len());
        ensure!(outcome.stdout.iter().all(|byte| *byte == b'x'), "other bytes came out");
        Ok(())
    })
}

fn large_echo(rig: &Rig<'_>) -> Result<()> {
    twice(rig, |_, command| {
        let stdin: Vec<u8> = (0..u32::try_from(LARGE / 16)?).flat_map(u32::to_le_bytes).collect();
        let outcome = Command { stdin: stdin.clone(), ..command.clone() }.run()?;
        ensure!(outcome.code == 0, "exit code {}", outcome.code);
        ensure!(outcome.stdout == stdin, "{} bytes of {} came back", outcome.stdout.len(), stdin.len());
        Ok(())
    })
}

fn files(rig: &Rig<'_>) -> Result<()> {
    twice(rig, |rig, command| {
        let path = |name: &str| rig.place.base.join(name);
        std::fs::write(path("in.txt"), "from a file\n")?;
        let append = OpenOptions::new().create(true).append(true).open(path("err.txt"))?;
        let mut child = command.build()?;
        child.stdin(File::open(path("in.txt"))?).stdout(File::create(path("out.txt"))?).stderr(append);
        let status = wait(&mut child.spawn()?, LIMIT)?;
        ensure!(status.success(), "{status}");
        let (out, err) =
            (std::fs::read_to_string(path("out.txt"))?, std::fs::read_to_string(path("err.txt"))?);
        std::fs::remove_file(path("err.txt"))?;
        ensure!(out == "from a file\n" && err == "err\n", "out {out:?}, err {err:?}");
        Ok(())
    })
}

fn sockets(rig: &Rig<'_>) -> Result<()> {
    twice(rig, |_, command| {
        let (mut mine, theirs) = UnixStream::pair()?;
        let end = || theirs.try_clone().map(|end| Stdio::from(std::os::fd::OwnedFd::from(end)));
        let mut child = command.build()?.stdin(end()?).stdout(end()?).stderr(end()?).spawn()?;
        drop(theirs);
        mine.set_read_timeout(Some(LIMIT))?;
        mine.write_all(b"words\n")?;
        ensure!(wait(&mut child, LIMIT)?.success(), "failed");
        let mut text = String::new();
        mine.read_to_string(&mut text)?;
        ensure!(text == "got words\nerr\n", "over the socket: {text:?}");
        Ok(())
    })
}

fn null(rig: &Rig<'_>) -> Result<()> {
    twice(rig, |_, command| {
        let out = command.build()?.stdin(Stdio::null()).stderr(Stdio::null()).output()?;
        ensure!(out.status.success() && out.stdout == b"end\n", "{out:?}");
        Ok(())
    })
}

/// A reader that goes away ends the program by SIGPIPE (or its error) and not belljar's patience.
fn reader_gone(rig: &Rig<'_>) -> Result<()> {
    twice(rig, |_, command| {
        let mut child = command.build()?;
        let mut child = child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut first = [0_u8; 2];
        child.stdout.take().context("no pipe")?.read_exact(&mut first)?;
        let status = wait(&mut child, crate::run::LIMIT)?;
        ensure!(crate::run::shell_code(status) == 141, "must end by SIGPIPE: {status}");
        Ok(())
    })
}

fn terminal(rig: &Rig<'_>) -> Result<()> {
    twice(rig, |_, command| {
        let mut terminal = Terminal::start(command)?;
        terminal.expect("24 80")?;
        terminal.keys("typed\r")?;
        terminal.expect("[typed]")?;
        let code = terminal.end()?;
        ensure!(code == 5, "exit code {code}; shown: {:?}", terminal.seen);
        Ok(())
    })
}

/// A descriptor that the caller leaves open reaches a plain program and not one in a jar.
fn no_other_descriptors(rig: &Rig<'_>) -> Result<()> {
    let plain = rig.row.plain(rig);
    let counted = |command: &Command| -> Result<String> {
        let mut command = command.clone();
        command.argv.splice(
            0..0,
            ["sh", "-c", "exec 8</dev/null 9<{secret}; exec \"$@\"", "sh"].map(|word| rig.fill(word)),
        );
        Ok(String::from_utf8_lossy(&command.run()?.stdout).trim().to_owned())
    };
    let (outside, inside) = (counted(&plain)?.parse::<u32>()?, counted(&rig.boxed(&plain))?.parse::<u32>()?);
    // 0, 1, 2 and the folder that ls reads; the two more outside show that the test can fail.
    ensure!(outside >= 6 && inside == 4, "descriptors in ls: outside {outside}, inside {inside}");
    Ok(())
}
