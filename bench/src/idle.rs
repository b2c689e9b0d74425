//! Boxes that only wait: memory and processes of one, and how many fit beside each other.

use std::fs;
use std::io::Read;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::process::{self, Process};

/// Longest wait for one box to be ready.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long threads get to make their requests.
const SETTLE: Duration = Duration::from_secs(1);

/// What is asked: `count` copies of a command that ends in a program called `program`, which waits.
#[derive(Debug, Deserialize)]
struct Request {
    words: Vec<String>,
    program: String,
    count: usize,
    /// Threads of the program without which it is not ready.
    #[serde(default)]
    threads: u64,
}

/// What was found. Memory in KiB; all but the program itself belongs to the box.
#[derive(Debug, Default, Serialize)]
struct Found {
    /// Copies that reached their program.
    ready: usize,
    /// Seconds from the first start until all were ready.
    seconds: f64,
    /// Processes of one copy beside the program.
    processes: usize,
    /// Resident memory of the first process of one copy, and of its peak.
    supervisor: u64,
    supervisor_peak: u64,
    /// Proportional memory of one copy, its program included: the mean over all copies.
    proportional: u64,
}

/// Reads a request from standard input, starts the copies, measures, ends them.
pub(crate) fn run(_: &[String]) -> Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let request: Request = serde_json::from_str(&text).context("the request")?;
    let start = Instant::now();
    let mut copies = Copies(Vec::new());
    for _ in 0..request.count {
        let mut command = process::command(&request.words)?;
        copies.0.push(command.stdout(Stdio::null()).spawn()?);
    }
    let ready = wait_for_all(&copies, &request, start)?;
    if request.threads > 0 {
        // What the last of them asks for is on its way.
        process::pause(SETTLE)?;
    }
    let found = measure(&copies, ready, start.elapsed())?;
    Ok(serde_json::to_string(&found)?)
}

/// Started copies; ended when dropped.
struct Copies(Vec<Child>);

impl Drop for Copies {
    fn drop(&mut self) {
        for child in &mut self.0 {
            if child.kill().is_ok() {
                drop(child.wait());
            }
        }
    }
}

/// Waits until every copy has started its program, and says how many did.
fn wait_for_all(copies: &Copies, request: &Request, start: Instant) -> Result<usize> {
    loop {
        let all = process::all()?;
        let has_program = |child: &&Child| {
            program_of(child.id(), &all, &request.program)
                .is_some_and(|id| request.threads <= field(id, "status", "Threads:").unwrap_or(0))
        };
        let ready = copies.0.iter().filter(has_program).count();
        if ready == request.count || start.elapsed() > PATIENCE {
            return Ok(ready);
        }
        process::pause(Duration::from_millis(20))?;
    }
}

fn program_of(root: u32, all: &[Process], name: &str) -> Option<u32> {
    process::tree(root, all).iter().find(|process| process.name == name).map(|process| process.id)
}

fn measure(copies: &Copies, ready: usize, time: Duration) -> Result<Found> {
    let all = process::all()?;
    let first = copies.0.first().context("no copy was asked for")?.id();
    let trees: Vec<Vec<Process>> = copies.0.iter().map(|child| process::tree(child.id(), &all)).collect();
    let everyone = trees.iter().flatten();
    let proportional: u64 =
        everyone.map(|process| field(process.id, "smaps_rollup", "Pss:").unwrap_or(0)).sum();
    if ready == 0 {
        bail!("no copy reached its program");
    }
    Ok(Found {
        ready,
        seconds: time.as_secs_f64(),
        processes: trees.first().map_or(0, |tree| tree.len().saturating_sub(1)),
        supervisor: field(first, "status", "VmRSS:").unwrap_or(0),
        supervisor_peak: field(first, "status", "VmHWM:").unwrap_or(0),
        proportional: proportional / u64::try_from(ready)?,
    })
}

/// A number in KiB from a file of /proc.
fn field(id: u32, file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{id}/{file}")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}
