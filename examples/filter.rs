//! `gzip -d` through the preset `@filter`: it has its input and its output, and opens nothing.
//!
//! ```console
//! $ gzip -c README.md | cargo run -p belljar --example filter
//! ```
#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "it says what ended it")]

use std::error::Error;
use std::process::ExitCode;

use belljar::policy::Policy;
use belljar::{Command, Stdio};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut gzip = Command::new("gzip");
    gzip.arg("-dc").policy(Policy::preset("@filter")?);
    gzip.stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    let report = gzip.status()?;
    if !report.success() {
        eprintln!("gzip: {:?} {}", report.verdict, report.reason);
    }
    Ok(ExitCode::from(report.verdict.exit_code()))
}
