//! The three properties of a machine that shape every number: what CPUID, a page fault and a wake-up cost.

use std::arch::x86_64::__cpuid;
use std::time::Instant;

use anyhow::Result;
use rustix::thread::{CpuSet, sched_setaffinity};

/// `machine`: the properties as JSON, in microseconds.
pub(crate) fn run(_: &[String]) -> Result<String> {
    let same = wake_up(0, 0)?;
    let other = wake_up(0, 1)?;
    let found = serde_json::json!({
        "cpuid": cpuid(), "page_fault": page_fault(), "wake_same": same, "wake_other": other,
    });
    Ok(found.to_string())
}

fn cpuid() -> f64 {
    per(200, || {
        std::hint::black_box(__cpuid(0));
    })
}

/// Touching a page of fresh memory.
fn page_fault() -> f64 {
    const PAGES: usize = 8192;
    let mut memory: Vec<u8> = Vec::with_capacity(PAGES * 4096);
    let start = Instant::now();
    for _ in 0..PAGES {
        memory.push(1);
        memory.resize(memory.len() + 4095, 0);
    }
    std::hint::black_box(&memory);
    start.elapsed().as_secs_f64() * 1e6 / 8192.0
}

/// One way of a message between two threads on these processors.
fn wake_up(here: usize, there: usize) -> Result<f64> {
    const ROUNDS: u32 = 500;
    let (from_here, to_there) = rustix::pipe::pipe()?;
    let (from_there, to_here) = rustix::pipe::pipe()?;
    let echo = std::thread::spawn(move || -> Result<()> {
        pin(there)?;
        let mut byte = [0];
        while rustix::io::read(&from_here, &mut byte)? == 1 {
            rustix::io::write(&to_here, &byte)?;
        }
        Ok(())
    });
    pin(here)?;
    let mut byte = [0];
    let time = per(ROUNDS, || {
        let sent = rustix::io::write(&to_there, &byte);
        std::hint::black_box((sent, rustix::io::read(&from_there, &mut byte)).0.is_ok());
    });
    drop(to_there);
    let ended = echo.join();
    anyhow::ensure!(matches!(ended, Ok(Ok(()))), "the echo failed");
    Ok(time / 2.0)
}

fn pin(processor: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(processor);
    Ok(sched_setaffinity(None, &set)?)
}

/// Microseconds of one call.
fn per(count: u32, mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..count).for_each(|_| call());
    start.elapsed().as_secs_f64() * 1e6 / f64::from(count)
}
