//! Ends: time limits, left-over grandchildren, and a supervisor that is killed.

use std::fs::File;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rustix::process::{Signal, kill_process};

use crate::run::{Command, LIMIT, Rig, pid, shell_code, wait};
use crate::scenario::{Check, ROW, Scenario};
use crate::watch::{GONE, processes_with, within};

/// What `-t 1s` gives at least.
const GIVEN: Duration = Duration::from_secs(1);

pub(crate) const ROWS: &[Scenario] = &[
    Scenario { name: "grandchild-holds-stdout", check: Check::Own(grandchild), ..ROW },
    Scenario { name: "daemon-does-not-survive", needs: &["setsid"], check: Check::Own(daemon), ..ROW },
    Scenario { name: "timeout-124", flags: &["-w", "{work}", "-t", "1s"], check: Check::Own(timeout), ..ROW },
    Scenario {
        name: "timeout-stubborn",
        flags: &["-w", "{work}", "-t", "1s"],
        check: Check::Own(stubborn),
        ..ROW
    },
    Scenario {
        name: "timeout-not-reached",
        flags: &["-w", "{work}", "-t", "60s"],
        command: &["echo", "in time"],
        ..ROW
    },
    Scenario { name: "supervisor-killed", needs: &["setsid"], check: Check::Own(supervisor_killed), ..ROW },
    Scenario {
        name: "daemon-no-write",
        needs: &["setsid"],
        command: &["sh", "-c", "setsid sh -c 'echo changed >{victim}'; sleep 0.1"],
        check: Check::NoWrite,
        ..ROW
    },
];

/// A number of seconds to sleep that no other process of the host has on its command line.
fn mark(rig: &Rig<'_>) -> String {
    format!("3{}", u32::from_str_radix(rig.place.token.get(..7).unwrap_or("1"), 16).unwrap_or(1))
}

fn shell(rig: &Rig<'_>, script: &str) -> Command {
    let mut command = rig.command(&["sh", "-c"]);
    command.argv.push(script.replace("{mark}", &mark(rig)));
    rig.boxed(&command)
}

fn start(command: &Command, stdout: Stdio) -> Result<Child> {
    Ok(command.build()?.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::null()).spawn()?)
}

fn all_gone(rig: &Rig<'_>) -> Result<()> {
    let text = format!("sleep {}", mark(rig));
    ensure!(within(GONE, || processes_with(&text).is_empty()), "still alive: {:?}", processes_with(&text));
    Ok(())
}

fn grandchild(rig: &Rig<'_>) -> Result<()> {
    let begin = Instant::now();
    let outcome = shell(rig, "sleep {mark} & echo done").run()?;
    ensure!(outcome.code == 0 && outcome.stdout == b"done\n", "{}", outcome.text());
    ensure!(begin.elapsed() < LIMIT, "belljar waited {:?} for a grandchild", begin.elapsed());
    all_gone(rig)
}

fn daemon(rig: &Rig<'_>) -> Result<()> {
    let script = "(setsid setsid sleep {mark} </dev/null >/dev/null 2>&1 &) ; sleep 0.2; exit 3";
    let outcome = shell(rig, script).run()?;
    ensure!(outcome.code == 3, "{}", outcome.text());
    all_gone(rig)
}

fn limited(rig: &Rig<'_>, script: &str) -> Result<()> {
    let begin = Instant::now();
    let status = wait(&mut start(&shell(rig, script), Stdio::null())?, LIMIT)?;
    let took = begin.elapsed();
    ensure!(shell_code(status) == 124, "must be 124: {status}");
    ensure!(took >= GIVEN && took < LIMIT, "took {took:?}");
    all_gone(rig)
}

fn timeout(rig: &Rig<'_>) -> Result<()> {
    limited(rig, "sleep {mark}")
}

fn stubborn(rig: &Rig<'_>) -> Result<()> {
    limited(rig, "trap '' TERM INT HUP; setsid sleep {mark} & while :; do sleep {mark}; done")
}

fn supervisor_killed(rig: &Rig<'_>) -> Result<()> {
    let beat = rig.work.join("beat");
    let script = "trap '' TERM INT HUP; setsid sleep {mark} & sleep {mark} & while :; do echo x >>beat; sleep 0.02; done";
    let mut child = start(&shell(rig, script), Stdio::from(File::create(rig.place.base.join("log"))?))?;
    let text = format!("sleep {}", mark(rig));
    let size = || std::fs::metadata(&beat).map_or(0, |meta| meta.len());
    ensure!(within(GONE, || size() > 0 && processes_with(&text).len() >= 2), "the jar never started");
    kill_process(pid(&child)?, Signal::KILL)?;
    child.wait()?;
    all_gone(rig)?;
    let after = size();
    crate::run::pause(Duration::from_millis(200));
    ensure!(size() == after, "something in the jar still writes");
    Ok(())
}
