//! A place for C strings that ops borrow: it only grows, so borrows stay valid without unsafe code.

use std::cell::{Cell, OnceCell};
use std::ffi::{CStr, CString};

/// Strings in the first chunk; each further chunk holds twice as many.
const FIRST: usize = 64;
/// 64 * (2^16 - 1) strings are far beyond any policy.
const CHUNKS: usize = 16;

/// Strings that live as long as the arena.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    chunks: [OnceCell<Vec<OnceCell<CString>>>; CHUNKS],
    chunk: Cell<usize>,
    next: Cell<usize>,
}

impl Arena {
    /// Keeps a string; none when the arena is full.
    pub(crate) fn keep(&self, text: CString) -> Option<&CStr> {
        let chunk = self.chunk.get();
        let size = FIRST << chunk;
        let cells = self.chunks.get(chunk)?.get_or_init(|| (0..size).map(|_| OnceCell::new()).collect());
        match cells.get(self.next.get()) {
            Some(cell) => {
                self.next.set(self.next.get() + 1);
                Some(cell.get_or_init(|| text).as_c_str())
            }
            None => {
                self.chunk.set(chunk + 1);
                self.next.set(0);
                self.keep(text)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_many_chunks_stay_readable() {
        let arena = Arena::default();
        let kept: Vec<&CStr> =
            (0..1000).map(|n| arena.keep(CString::new(n.to_string()).unwrap()).unwrap()).collect();
        for (n, text) in kept.iter().enumerate() {
            assert_eq!(text.to_str().unwrap(), n.to_string());
        }
    }
}
