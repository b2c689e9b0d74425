//! Kernel calls that nobody else wraps, and the code that runs between clone and exec.
#![no_std]

pub mod ask;
