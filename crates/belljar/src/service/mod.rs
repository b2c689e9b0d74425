//! Services (after FreeBSD's Casper): what is looked up with the caller's rights, so that a confined program need not reach for it.
//!
//! A program that knows nothing of it gets the answers as files, once, at its start (`services` in a policy, `--service`).

mod lookup;

pub(crate) use lookup::answer;
