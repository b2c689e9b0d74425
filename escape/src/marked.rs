//! A copy of this program that carries a canary in its data, to prove that a particular host file was executed.

use std::fs;
use std::hint::black_box;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::attacks::raw::find;
use crate::canary;

const LENGTH: usize = 38;
const PLACE: &[u8; LENGTH + 12] = b"escape-mark:--------------------------------------";

#[used]
static MARK: [u8; LENGTH + 12] = *PLACE;

/// `escape mark`: prints the mark of this copy.
pub(crate) fn main(_: &[String]) -> io::Result<u8> {
    io::stdout().write_all(black_box(&MARK))?;
    Ok(0)
}

/// Copies `program` to `to` with a fresh canary in place of the mark; returns the canary.
pub(crate) fn copy(program: &Path, to: &Path) -> io::Result<String> {
    let canary = canary::fresh()?;
    let mut bytes = fs::read(program)?;
    let mut marks = 0;
    while let Some(at) = find(&bytes, PLACE) {
        let target = bytes.get_mut(at + 12..at + 12 + canary.len()).ok_or(io::ErrorKind::InvalidData)?;
        target.copy_from_slice(canary.as_bytes());
        marks += 1;
    }
    if marks == 0 {
        return Err(io::Error::other("the program has no mark"));
    }
    fs::write(to, bytes)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o755))?;
    Ok(canary)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_canary_fits_the_mark() {
        assert_eq!(crate::canary::fresh().unwrap().len(), super::LENGTH);
    }
}
