//! `cargo xtask rooms`: which crate may import what, that no modules use each other, and where unsafe code may stand.

mod cycles;
mod edges;
mod places;

use anyhow::Result;

use crate::{check, tree};

/// Fails on an import edge, a circle of modules or a file with unsafe code that the tables here lack. With `--accept`, brings
/// the list of files with unsafe code up to date first, for review in the diff.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|word| word == "--accept") {
        places::accept()?;
    }
    let metadata = tree::metadata(false)?;
    let parts = [
        edges::crates(&metadata)?,
        edges::modules()?,
        cycles::circles()?,
        places::listed()?,
        places::forbidden(&metadata)?,
    ];
    check::verdict(&parts.concat())
}
