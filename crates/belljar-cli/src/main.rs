//! The `belljar` program.
#![forbid(unsafe_code)]

use std::process::ExitCode;

/// A start is a few hundred allocations: the C library's own allocator turns them into some 160 system calls.
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    ExitCode::from(belljar_cli::main(std::env::args_os()))
}
