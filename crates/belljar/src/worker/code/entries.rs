//! Maps to bytes: in the order of their keys' bytes, whatever order the map has them in.

use std::ops::Range;

use serde::Serialize;
use serde::ser::SerializeMap;

use super::super::carry;
use super::CodeError;
use super::encode::Encoder;

/// A map that is being encoded.
pub(super) struct Entries<'a> {
    encoder: &'a mut Encoder,
    list: Vec<Entry>,
}

/// Where an entry begins, and its key ends, in what was encoded; how many descriptors came before it.
struct Entry {
    at: usize,
    key_end: usize,
    carried: usize,
}

impl<'a> Entries<'a> {
    pub(super) fn of(encoder: &'a mut Encoder) -> Self {
        Self { encoder, list: Vec::new() }
    }

    /// From the beginning of one entry to that of the next.
    fn range(&self, index: usize, begin: impl Fn(&Entry) -> usize, end: usize) -> Range<usize> {
        let at = |index: usize| self.list.get(index).map_or(end, &begin);
        at(index)..at(index.saturating_add(1))
    }

    fn key(&self, index: usize) -> &[u8] {
        let range = self.list.get(index).map(|entry| entry.at..entry.key_end);
        range.and_then(|range| self.encoder.bytes.get(range)).unwrap_or_default()
    }
}

impl SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = CodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), CodeError> {
        let (at, carried) = (self.encoder.bytes.len(), carry::count());
        key.serialize(&mut *self.encoder)?;
        self.list.push(Entry { at, key_end: self.encoder.bytes.len(), carried });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodeError> {
        value.serialize(&mut *self.encoder)
    }

    fn end(self) -> Result<(), CodeError> {
        let mut order: Vec<usize> = (0..self.list.len()).collect();
        order.sort_by(|one, other| self.key(*one).cmp(self.key(*other)));
        if order.is_sorted() {
            return Ok(());
        }
        let end = self.encoder.bytes.len();
        let bytes = |index: &usize| self.encoder.bytes.get(self.range(*index, |entry| entry.at, end));
        let sorted: Vec<u8> = order.iter().filter_map(bytes).flatten().copied().collect();
        let all = carry::count();
        let carried = |index: &usize| self.range(*index, |entry| entry.carried, all);
        carry::reorder(order.iter().map(carried));
        self.encoder.bytes.truncate(self.list.first().map_or(end, |entry| entry.at));
        self.encoder.bytes.extend(sorted);
        Ok(())
    }
}
