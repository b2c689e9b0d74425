//! The broker (door 2): answers system calls that the kernel hands to the supervisor instead of carrying them out. It copies
//! the arguments once, decides on what it has opened, and acts on that.

mod judge;

pub use judge::{Judge, Object, Observer, Request, Rule, Verdict, View, Wanted};
