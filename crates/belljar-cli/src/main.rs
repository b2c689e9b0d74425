//! The `belljar` program.
#![forbid(unsafe_code)]

use std::process::ExitCode;

/// A start touches many small pieces of memory once.
#[global_allocator]
static HEAP: belljar::heap::Prefilled = belljar::heap::Prefilled::new();

fn main() -> ExitCode {
    ExitCode::from(belljar_cli::main(std::env::args_os()))
}
