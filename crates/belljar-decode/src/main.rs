//! `belljar-decode`: what `belljar decode` becomes.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::process::ExitCode;

use belljar::heap::Arena;
use belljar_decode::{Arguments, DECODE, FAILED, HEAP, USAGE, run};

#[global_allocator]
static ALLOCATOR: &Arena = &HEAP;

fn main() -> ExitCode {
    belljar::worker::serve(&[&DECODE]);
    let failed = match Arguments::parse(std::env::args_os().skip(1)) {
        Err(error) => format!("belljar: {error}\nhint: {USAGE}\n"),
        Ok(arguments) => match run(&arguments) {
            Ok(status) => return ExitCode::from(status),
            Err(error) => {
                let hint = error.hint().map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
                format!("belljar: {error}\n{hint}")
            }
        },
    };
    // Nobody is left to hear that nobody hears.
    drop(std::io::stderr().write_all(failed.as_bytes()));
    ExitCode::from(FAILED)
}
