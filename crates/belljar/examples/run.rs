//! Runs a program under the default policy: `cargo run -p belljar --example run -- /bin/ls -l`.

use std::process::ExitCode;

use belljar::{Command, policy};

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut words = std::env::args_os().skip(1);
    let program = words.next().ok_or("name a program")?;
    let mut command = Command::new(program);
    let request = policy::Request {
        cwd: std::env::current_dir()?,
        home: std::env::var_os("HOME").map(Into::into),
        ..policy::Request::default()
    };
    command.args(words).policy(policy::load(&request, &|path| std::fs::read_to_string(path))?);
    let report = command.run();
    if !report.reason.is_empty() {
        return Err(format!("{} ({})", report.reason, report.hint).into());
    }
    Ok(ExitCode::from(report.verdict.exit_code()))
}
