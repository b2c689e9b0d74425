//! What travels beside the bytes of a message: descriptors, and memory.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{self, Serialize, Serializer};

thread_local! {
    /// Copies for the message that is being encoded.
    static OUT: RefCell<Option<Vec<OwnedFd>>> = const { RefCell::new(None) };
    /// Those of the message that is being decoded.
    static IN: RefCell<Option<VecDeque<OwnedFd>>> = const { RefCell::new(None) };
}

/// Encodes with `work`; the copies that it leaves for the message.
pub(super) fn collecting<T, E>(work: impl FnOnce() -> Result<T, E>) -> (Result<T, E>, Vec<OwnedFd>) {
    let outer = OUT.replace(Some(Vec::new()));
    let done = work();
    (done, OUT.replace(outer).unwrap_or_default())
}

/// How many copies there are for the message that is being encoded.
pub(super) fn count() -> usize {
    OUT.with_borrow(|out| out.as_ref().map_or(0, Vec::len))
}

/// Puts the last copies into another order: these ranges, which are all from the first of them on.
pub(super) fn reorder(ranges: impl Iterator<Item = Range<usize>>) {
    OUT.with_borrow_mut(|out| {
        let Some(out) = out else { return };
        let ranges: Vec<_> = ranges.collect();
        let first = ranges.iter().map(|range| range.start).min().unwrap_or(out.len());
        let mut moved: Vec<Option<OwnedFd>> = out.drain(first..).map(Some).collect();
        let places = ranges.into_iter().flatten().map(|place| place.saturating_sub(first));
        out.extend(places.filter_map(|place| moved.get_mut(place)?.take()));
    });
}

/// Decodes with `work`, which takes these descriptors one after the other; how many it left. Those are closed.
pub(super) fn handing_out<T, E>(
    descriptors: Vec<OwnedFd>,
    work: impl FnOnce() -> Result<T, E>,
) -> (Result<T, E>, usize) {
    let outer = IN.replace(Some(descriptors.into()));
    let done = work();
    (done, IN.replace(outer).unwrap_or_default().len())
}

/// A descriptor as a part of a message: a socket, a pipe, an open file. It travels beside the bytes; the receiver gets a
/// descriptor of its own for the same thing.
///
/// Outside of messages to and from workers it cannot be serialised.
///
/// ```
/// use belljar::worker::Descriptor;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// enum Request {
///     Greet { connection: Descriptor, banner: String },
/// }
/// ```
#[derive(Debug)]
pub struct Descriptor(OwnedFd);

impl Descriptor {
    /// The descriptor itself.
    #[must_use]
    pub fn into_owned(self) -> OwnedFd {
        self.0
    }
}

impl<T: Into<OwnedFd>> From<T> for Descriptor {
    fn from(owned: T) -> Self {
        Self(owned.into())
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Serialize for Descriptor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let copy = self.0.try_clone().map_err(ser::Error::custom)?;
        let kept = OUT.with_borrow_mut(|out| out.as_mut().map(|out| out.push(copy)));
        kept.ok_or_else(|| ser::Error::custom("descriptors travel in messages to and from workers only"))?;
        serializer.serialize_unit_struct("Descriptor")
    }
}

impl<'de> Deserialize<'de> for Descriptor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_unit_struct("Descriptor", Next)
    }
}

/// Takes the next descriptor that came along.
struct Next;

impl Visitor<'_> for Next {
    type Value = Descriptor;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a descriptor that came along")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Descriptor, E> {
        let next = IN.with_borrow_mut(|come| come.as_mut().and_then(VecDeque::pop_front));
        next.map(Descriptor).ok_or_else(|| E::custom("a descriptor is named that did not come along"))
    }
}

/// Bytes that are sent as they are. A `Vec<u8>` works too, byte by byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(Copied)
    }
}

struct Copied;

impl Visitor<'_> for Copied {
    type Value = Bytes;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes(bytes.to_vec()))
    }
}
