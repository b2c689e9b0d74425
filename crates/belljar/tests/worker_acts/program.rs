//! The program whose workers `tests/workers` attacks and is attacked by.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::exit,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test program"
)]

#[allow(dead_code, unused_imports, reason = "the tests do what this program is asked for")]
mod acts;

fn main() {
    belljar::worker::serve(&[
        &acts::ECHO,
        &acts::ACTS,
        &acts::BURNT,
        &acts::INVERT,
        &acts::ENDS,
        &acts::FILES,
    ]);
}
