//! Files that come in: opened once, by the parent, and never waited for.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// `O_NONBLOCK`, `O_NOCTTY`: a pipe or terminal must be refused, not waited for.
const NO_WAIT: i32 = 0o4000 | 0o400;

/// Opens a plain file for reading.
pub(crate) fn open(path: &Path, most: u64) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(NO_WAIT).open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a plain file"));
    }
    if about.len() > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than the limits"));
    }
    Ok(file)
}
