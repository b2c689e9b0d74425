//! X6: calls that are newer than the filter's tables.

use std::io;

use crate::attack::Attack;
use crate::attacks::kernel::in_child;
use crate::attacks::{proof, raw};
use crate::needs::Need;

/// Numbers above the last one of Linux 6.18.
const NEWER: std::ops::Range<i64> = 470..1024;
/// The kernel's word for a call that it does not have, and how a filter refuses.
const REFUSED: [i32; 3] = [libc::ENOSYS, libc::EPERM, libc::EACCES];

const NEED: Need = Need { name: "a kernel newer than the tables", found: || first().is_some() };

pub(super) const ROW: Attack = Attack {
    id: "X6",
    name: "newer-calls",
    what: "uses a call that did not exist when the filter was written",
    prepare: proof::demanded,
    attack: |args| match first() {
        Some(_) => proof::show(args, 0),
        None => Err(io::Error::other("none")),
    },
    needs: &[&NEED],
    ..Attack::ROW
};

/// The first number that the kernel acts on.
fn first() -> Option<i64> {
    NEWER.into_iter().find(|number| alive(*number))
}

fn alive(number: i64) -> bool {
    let outcome = in_child(|| match raw::call(number, &[usize::MAX; 6]) {
        Err(error) if error.raw_os_error().is_some_and(|code| REFUSED.contains(&code)) => Err(error),
        _ => Ok(()),
    });
    outcome.is_ok()
}
