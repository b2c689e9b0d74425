//! The `belljar` program.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(belljar_cli::main(std::env::args_os()))
}
