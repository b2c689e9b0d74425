//! The `belljar` command: arguments in, one exit status out.
#![forbid(unsafe_code)]

pub mod text;
