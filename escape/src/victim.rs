//! Host processes that wait to be attacked.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

use rustix::event::{Timespec, poll};

/// Longest life of a victim, in seconds: it must never outlive a crashed runner for long.
const LIFE: i64 = 300;

/// `escape victim [open FILE]...`: opens and reads the files, keeps them, says so, and waits to be ended.
pub(crate) fn main(words: &[String]) -> io::Result<u8> {
    let mut held: Vec<(OwnedFd, Vec<u8>)> = Vec::new();
    for pair in words.chunks(2) {
        let [_, path] = pair else { return Err(io::Error::other("victim: open FILE")) };
        let mut content = Vec::new();
        let mut file = File::open(path)?;
        file.read_to_end(&mut content)?;
        held.push((file.into(), content));
    }
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let mut out = io::stdout();
    out.write_all(b"ready\n")?;
    out.flush()?;
    poll(&mut [], Some(&Timespec { tv_sec: LIFE, tv_nsec: 0 }))?;
    // The content stays in memory until here, for attacks that read memory.
    drop(held);
    Ok(0)
}
