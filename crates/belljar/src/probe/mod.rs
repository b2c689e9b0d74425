//! Read-only questions to this host. The answers are data, so that plans for other hosts can be made and tested here.

mod facts;

pub use facts::*;
