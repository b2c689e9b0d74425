//! Prints the facts of this host as JSON, to record a host for the planner's tests; with a number, also asks that many
//! times and prints the nanoseconds that one asking takes.
#![forbid(unsafe_code)]

use std::io::Write;
use std::time::Instant;

fn main() -> std::io::Result<()> {
    let mut facts = belljar::probe::probe();
    facts.cgroup = belljar::probe::cgroup();
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &facts)?;
    writeln!(out)?;
    if let Some(times) =
        std::env::args().nth(1).and_then(|text| text.parse::<u32>().ok()).filter(|times| *times > 0)
    {
        let mut best = u128::MAX;
        for _ in 0..times {
            let start = Instant::now();
            std::hint::black_box(belljar::probe::probe());
            best = best.min(start.elapsed().as_nanos());
        }
        writeln!(out, "{best} ns at best of {times}")?;
    }
    Ok(())
}
