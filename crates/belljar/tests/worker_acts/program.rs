//! The program whose workers `tests/workers.rs` attacks and is attacked by.
#![forbid(unsafe_code)]

fn main() {}
