//! Many requests to the broker at once.

use anyhow::{Context, Result};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, openat};

const FIFO: &str = "bench-crowd";

/// `crowd N`: so many threads wait in the open of a FIFO of the current folder that nobody writes, until the program is ended.
pub(crate) fn run(arguments: &[String]) -> Result<String> {
    let count: usize = arguments.first().context("how many?")?.parse()?;
    match mknodat(CWD, FIFO, FileType::Fifo, Mode::RWXU, 0) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(errno) => return Err(errno.into()),
    }
    let mut waiting = Vec::new();
    for _ in 0..count {
        let small = std::thread::Builder::new().stack_size(32 << 10);
        waiting.push(small.spawn(|| openat(CWD, FIFO, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()))?);
    }
    let opened = waiting.into_iter().filter_map(|thread| thread.join().ok()).filter(Result::is_ok).count();
    Ok(format!("{opened} found a writer"))
}
