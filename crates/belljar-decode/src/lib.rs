//! Pictures that nobody trusts, as plain pixels: each is decoded in a worker of its own under the policy `@decoder`.
//!
//! ```text
//! files ─ open ─► descriptor ─► worker: decode, make small ─► raw pixels ─ check ─► PNG ─ place ─► DIR/FILE.png
//!        parent                 one picture, then gone                    parent
//! ```
//!
//! The parent never looks into a picture: it opens files, checks the size of what comes back and writes PNG from plain pixels.
#![forbid(unsafe_code)]

mod arguments;
mod decode;
mod inbox;
mod picture;
mod place;
mod progress;
mod small;
mod summary;
mod whole;
mod work;

pub use arguments::{Arguments, USAGE, UsageError};
pub use decode::{Answer, Limits, Order, Pixels, Reason, decode, warm};
pub use picture::{Flaw, encode};
pub use work::{DECODE, FAILED, HEAP, RunError, policy, run};
