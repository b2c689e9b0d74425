//! Files that are opened outside and handed to the box by number.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::stage::Stage;

/// Opens the file, hands it over with this right and gives its number to the attack.
pub(super) fn file(stage: &mut Stage, path: &Path, how: &OpenOptions, right: &str) -> io::Result<()> {
    let file = how.open(path)?;
    hand_over(stage, file, right)
}

/// A hidden file opened for reading and handed over for reading.
pub(super) fn for_reading(stage: &mut Stage) -> io::Result<PathBuf> {
    let path = stage.host_file("bait", "content that must stay\n")?;
    file(stage, &path, OpenOptions::new().read(true), "read")?;
    Ok(path)
}

/// Hands an open file over.
pub(super) fn hand_over(stage: &mut Stage, file: File, right: &str) -> io::Result<()> {
    let number = stage.inherit(file)?;
    stage.arg(number);
    stage.belljar_flags(&["--pass-fd", &format!("{number}:{right}")]);
    Ok(())
}
