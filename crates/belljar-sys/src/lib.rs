//! Kernel calls that no library wraps, and the code that runs between clone and exec.
//!
//! The child side ([`child`]) allocates nothing, takes no lock, logs nothing and cannot panic: everything it needs is
//! prepared by the parent as [`child::Op`] values. `cargo xtask symbols` proves it from the linked object.
#![no_std]
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

#[cfg(feature = "std")]
extern crate std;

pub mod abi;
pub mod ask;
pub mod call;
pub mod child;
#[cfg(feature = "std")]
pub mod fork;
#[cfg(feature = "std")]
pub mod heap;
#[cfg(feature = "std")]
pub mod look;
#[cfg(feature = "std")]
pub mod memory;
#[cfg(feature = "std")]
pub mod notify;
#[cfg(feature = "std")]
pub mod owned;
#[cfg(feature = "std")]
pub mod sockets;
pub mod spawn;
#[cfg(feature = "std")]
pub mod violation;
pub mod wire;

pub use call::{Errno, Fd};
pub use child::{Op, Step};
