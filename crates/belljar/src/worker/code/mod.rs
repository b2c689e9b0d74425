//! How values become bytes between a worker and its parent: compact, and each value in one way only.
//!
//! Whoever decodes trusts nothing: lengths are at most what is there, nesting ends at [`DEEPEST`], numbers come in their shortest
//! form, keys of maps in the order of their bytes and each once, nothing may be left over, and every descriptor that came along must
//! be named by the value exactly once. What the values take in memory is bounded too: a byte can stand for a large one that is empty.
//! Every value is a byte at least. So neither a forged length, nor a nested one, nor a second spelling of a message gets past it.
//! A set is a list here: who may hear one member twice takes a list, and asks.
//!
//! Numbers are LEB128, signed ones zigzag; texts, lists and maps begin with their length; fields follow one another without
//! names; variants are numbers. Both ends are the same program, so nothing needs to describe itself.

mod decode;
mod encode;
mod entries;
mod names;

use std::os::fd::OwnedFd;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::carry;
use super::frame::MOST_BODY;

pub(super) use decode::first_number;
pub(super) use names::variants;

/// How deep values may be nested.
pub const DEEPEST: u32 = 128;
/// How many bytes of memory values may take for each byte that a message may have.
const ROOM: usize = 16;

/// A value that cannot be encoded, or bytes that are no value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CodeError {
    /// The bytes end inside a value.
    #[error("the message ends inside a value")]
    Short,
    /// Bytes follow the value.
    #[error("{0} bytes follow the value")]
    Left(usize),
    /// A length is larger than what follows could hold.
    #[error("a length of {0} is more than the message holds")]
    Length(u64),
    /// A number is not in its shortest form, or too large for its type.
    #[error("a number is malformed")]
    Number,
    /// A truth value, an option, a character or a text is none.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// The keys of a map are not in the order of their bytes, or one comes twice.
    #[error("the keys of a map are out of order")]
    Order,
    /// Nested deeper than [`DEEPEST`].
    #[error("values are nested too deep")]
    Deep,
    /// The values take more memory than 16 times the longest message.
    #[error("the values take too much memory")]
    Room,
    /// A descriptor is named that did not come along, or one came along that is not named.
    #[error("the descriptors are not those of the value")]
    Descriptors,
    /// What the type wants is not in this encoding: a list of unknown length, or a value that describes itself.
    #[error("{0} cannot be sent")]
    Kind(&'static str),
    /// What the type itself says.
    #[error("{0}")]
    Type(String),
}

impl serde::ser::Error for CodeError {
    fn custom<T: std::fmt::Display>(said: T) -> Self {
        Self::Type(said.to_string().chars().take(200).collect())
    }
}

impl serde::de::Error for CodeError {
    fn custom<T: std::fmt::Display>(said: T) -> Self {
        Self::Type(said.to_string().chars().take(200).collect())
    }
}

/// The bytes of a value, and copies of the descriptors in it.
///
/// # Errors
/// See [`CodeError`].
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<(Vec<u8>, Vec<OwnedFd>), CodeError> {
    let mut encoder = encode::Encoder::default();
    let (done, carried) = carry::collecting(|| value.serialize(&mut encoder));
    done.map(|()| (encoder.bytes, carried))
}

/// The value of these bytes, with these descriptors in it.
///
/// # Errors
/// See [`CodeError`]. The descriptors are closed then.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], descriptors: Vec<OwnedFd>) -> Result<T, CodeError> {
    decode_from(bytes, descriptors, MOST_BODY)
}

/// The same of a channel whose messages have at most so many bytes.
///
/// # Errors
/// As [`decode()`].
pub(super) fn decode_from<T: DeserializeOwned>(
    bytes: &[u8],
    descriptors: Vec<OwnedFd>,
    most: usize,
) -> Result<T, CodeError> {
    let mut decoder = decode::Decoder::new(bytes, most.saturating_mul(ROOM));
    let (done, left) = carry::handing_out(descriptors, || T::deserialize(&mut decoder));
    let value = done?;
    match (decoder.left(), left) {
        (0, 0) => Ok(value),
        (0, _) => Err(CodeError::Descriptors),
        (left, _) => Err(CodeError::Left(left)),
    }
}

#[cfg(test)]
mod tests;
