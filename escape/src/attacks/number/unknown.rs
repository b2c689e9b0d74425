//! X6: calls that are newer than the filter.

use std::io;

use crate::attack::Attack;
use crate::attacks::kernel::{Word, in_child};
use crate::attacks::{proof, raw};
use crate::needs::Need;

/// Reads the attributes of a file; Linux 6.17.
const FILE_GETATTR: i64 = 468;
/// Numbers that no kernel of the filter's time has.
const NEWER: std::ops::Range<i64> = 467..1024;
/// The kernel's word for a call that it does not have.
const ABSENT: i32 = 38;
/// How a filter refuses.
const REFUSED: [i32; 2] = [1, 13];

const NEED: Need = Need { name: "file_getattr", found: || get_attributes().is_ok() };

const ROW: Attack = Attack { id: "X6", prepare: proof::demanded, needs: &[&NEED], ..Attack::ROW };

pub(super) const ATTRIBUTES: Attack = Attack {
    name: "newer-call",
    what: "uses a call that did not exist when most filters were written",
    attack: |args| get_attributes().and_then(|()| proof::show(args, 0)),
    ..ROW
};

pub(super) const SWEEP: Attack = Attack {
    name: "newer-calls-sweep",
    what: "finds any number above the known ones that the kernel acts on",
    attack: |args| match NEWER.into_iter().find(|number| alive(*number)) {
        Some(_) => proof::show(args, 0),
        None => Err(io::Error::other("none")),
    },
    ..ROW
};

fn get_attributes() -> io::Result<()> {
    let attributes = [0u64; 4];
    let here = libc::AT_FDCWD.word();
    raw::call(FILE_GETATTR, &[here, c".".word(), attributes.as_ptr().word(), 24, 0]).map(|_| ())
}

/// True if the kernel does something with the number.
fn alive(number: i64) -> bool {
    let bad = usize::MAX;
    let outcome = in_child(|| match raw::call(number, &[bad; 6]) {
        Err(error) if error.raw_os_error() == Some(ABSENT) => Err(error),
        Err(error) if error.raw_os_error().is_some_and(|code| REFUSED.contains(&code)) => Err(error),
        _ => Ok(()),
    });
    outcome.is_ok()
}
