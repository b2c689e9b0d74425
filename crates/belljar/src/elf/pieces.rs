//! A file of which little is read, whatever it says about itself: a hostile one may be sparse and huge, and name tables of any
//! length.

use std::cell::Cell;
use std::fs::File;
use std::ops::Range;

use object::{ReadCache, ReadRef};

/// Bytes of one file that are read at most. Headers, dynamic entries and names of large programs take less than one of them.
const MOST: u64 = 8 << 20;
/// Longest name, with its end.
const NAME: u64 = 4096;

/// A file that is read in pieces.
#[derive(Debug)]
pub(super) struct Pieces {
    cache: ReadCache<File>,
    left: Cell<u64>,
}

impl Pieces {
    pub(super) fn of(file: File) -> Self {
        Self { cache: ReadCache::new(file), left: Cell::new(MOST) }
    }

    fn take(&self, size: u64) -> Result<(), ()> {
        self.left.set(self.left.get().checked_sub(size).ok_or(())?);
        Ok(())
    }
}

impl<'a> ReadRef<'a> for &'a Pieces {
    fn len(self) -> Result<u64, ()> {
        (&self.cache).len()
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        self.take(size)?;
        (&self.cache).read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        let end = range.end.min(range.start.saturating_add(NAME));
        self.take(end.saturating_sub(range.start))?;
        (&self.cache).read_bytes_at_until(range.start..end, delimiter)
    }
}
