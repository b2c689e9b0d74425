//! Counts the lines of many files at once, each in a jar that sees that file alone:
//! `cargo run -p belljar --features tokio --example tokio -- FILE...`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use belljar::{Command, policy::Policy};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let files: Vec<PathBuf> = std::env::args_os().skip(1).map(Into::into).collect();
    runtime.block_on(async {
        let tasks: Vec<_> = files.into_iter().map(|file| tokio::spawn(count(file))).collect();
        for task in tasks {
            print(&task.await??)?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn count(file: PathBuf) -> Result<String, Failure> {
    let mut command = Command::new("wc");
    command.arg("-l").arg(&file).policy(Policy::preset("@strict")?.read(&file)?);
    let output = belljar::tokio::output(command.timeout(Duration::from_secs(10))).await?;
    match output.report.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{}: {}", file.display(), output.report.reason).into()),
    }
}

fn print(text: &str) -> std::io::Result<()> {
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes())
}
