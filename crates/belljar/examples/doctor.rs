//! Prints what the doctor finds on this host; with `--json` as data.
#![forbid(unsafe_code)]

use std::io::Write;

fn main() -> std::io::Result<()> {
    let diagnosis = belljar::doctor::examine();
    let mut out = std::io::stdout().lock();
    if std::env::args().any(|argument| argument == "--json") {
        serde_json::to_writer_pretty(&mut out, &diagnosis)?;
        return writeln!(out);
    }
    write!(out, "{diagnosis}")
}
