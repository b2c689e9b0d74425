//! System calls in a loop: what one costs, outside and inside.

use std::time::Instant;

use anyhow::{Context, Result, bail};
use rustix::fs::{CWD, Mode, OFlags};

/// How many rounds of the loop are measured apart; the least of them is free of interruptions.
const ROUNDS: u32 = 5;

/// `getppid N`
pub(crate) fn getppid(arguments: &[String]) -> Result<String> {
    least(arguments, || {
        std::hint::black_box(rustix::process::getppid());
        Ok(())
    })
}

/// `open N`: opens and closes a file that every system has.
pub(crate) fn open(arguments: &[String]) -> Result<String> {
    least(arguments, || {
        drop(rustix::fs::openat(CWD, c"/etc/passwd", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?);
        Ok(())
    })
}

/// `refused N PATH`: an open that fails.
pub(crate) fn refused(arguments: &[String]) -> Result<String> {
    let path = arguments.get(1).context("of what?")?;
    least(arguments, || {
        match rustix::fs::openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(_) => bail!("{path} can be opened"),
            Err(_) => Ok(()),
        }
    })
}

/// Nanoseconds per call in the quickest round.
fn least(arguments: &[String], mut call: impl FnMut() -> Result<()>) -> Result<String> {
    let count: u32 = arguments.first().context("how many calls?")?.parse()?;
    let mut least = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..count {
            call()?;
        }
        least = least.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(count));
    }
    Ok(format!("{least:.1}"))
}
