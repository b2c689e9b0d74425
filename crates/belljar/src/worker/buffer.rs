//! Large data as memory that is handed over instead of copied.

use std::fs::File;
use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsFd, OwnedFd};

use belljar_sys::memory::{Fresh, Sealed, sealed_copy};
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

use super::carry::Descriptor;

/// The most that one buffer may hold, in bytes: 1 GiB.
pub const LARGEST_BUFFER: u64 = 1 << 30;

/// Bytes in sealed memory: whoever has them can read them, and nobody can change them any more, not even their maker. As a part
/// of a message they are not copied, whatever their size.
///
/// ```
/// use belljar::worker::Buffer;
///
/// let buffer = Buffer::copy_of(b"many bytes")?;
/// assert_eq!(&buffer[..4], b"many");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Buffer {
    memory: Option<Descriptor>,
    len: usize,
    mapped: Option<Sealed>,
}

impl Buffer {
    /// A copy of these bytes.
    ///
    /// # Errors
    /// There is not as much memory, or the process may have no more descriptors.
    pub fn copy_of(bytes: &[u8]) -> io::Result<Self> {
        if bytes.is_empty() {
            return Ok(Self::empty());
        }
        if u64::try_from(bytes.len()).map_or(true, |len| len > LARGEST_BUFFER) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Self::mapped(sealed_copy(bytes).map_err(os)?, bytes.len())
    }

    /// The rest of a file, read straight into the memory.
    ///
    /// # Errors
    /// Those of reading, and as [`Buffer::copy_of`]; `InvalidInput` for more than [`LARGEST_BUFFER`].
    pub fn read_from(file: &mut File) -> io::Result<Self> {
        use io::{Read, Seek};
        let left = file.metadata()?.len().saturating_sub(file.stream_position()?);
        let mut fresh = BufferMut::new(usize::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?)?;
        file.read_exact(&mut fresh)?;
        fresh.seal()
    }

    fn mapped(memory: OwnedFd, len: usize) -> io::Result<Self> {
        let mapped = Sealed::map(memory.as_fd(), len).map_err(os)?;
        Ok(Self { memory: Some(memory.into()), len, mapped: Some(mapped) })
    }

    fn empty() -> Self {
        Self { memory: None, len: 0, mapped: None }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.mapped.as_deref().unwrap_or_default()
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

/// A length and, unless that is 0, a descriptor.
impl Serialize for Buffer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (u64::try_from(self.len).unwrap_or(u64::MAX), &self.memory).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Buffer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (len, memory) = <(u64, Option<Descriptor>)>::deserialize(deserializer)?;
        received(len, memory).map_err(D::Error::custom)
    }
}

/// Trusts neither the length nor that it is memory nor that it is sealed.
fn received(len: u64, memory: Option<Descriptor>) -> Result<Buffer, &'static str> {
    let small = usize::try_from(len).ok().filter(|_| len <= LARGEST_BUFFER);
    match (small, memory) {
        (None, _) => Err("a buffer is too large"),
        (Some(0), None) => Ok(Buffer::empty()),
        (Some(0), Some(_)) | (Some(_), None) => Err("a buffer has a length without memory, or the reverse"),
        (Some(len), Some(memory)) => {
            let mapped = Sealed::map(memory.as_fd(), len);
            let mapped = mapped.map_err(|_| "a buffer is not sealed, or is not as long as it says")?;
            Ok(Buffer { memory: Some(memory), len, mapped: Some(mapped) })
        }
    }
}

/// Memory that is still being written, by this process alone.
///
/// ```
/// use belljar::worker::BufferMut;
///
/// let mut pixels = BufferMut::new(64 * 64 * 4)?;
/// pixels.fill(0xFF);
/// let pixels = pixels.seal()?; // from now on nobody can change it
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct BufferMut(Option<Fresh>);

impl BufferMut {
    /// `len` bytes, all zero.
    ///
    /// # Errors
    /// `InvalidInput` for more than [`LARGEST_BUFFER`]; there is not as much memory; no more descriptors.
    pub fn new(len: usize) -> io::Result<Self> {
        if u64::try_from(len).map_or(true, |len| len > LARGEST_BUFFER) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if len == 0 {
            return Ok(Self(None));
        }
        Ok(Self(Some(Fresh::new(len).map_err(os)?)))
    }

    /// Ends writing for good.
    ///
    /// # Errors
    /// The kernel's.
    pub fn seal(self) -> io::Result<Buffer> {
        let Some(fresh) = self.0 else { return Ok(Buffer::empty()) };
        let len = fresh.len();
        Buffer::mapped(fresh.seal().map_err(os)?, len)
    }
}

impl Deref for BufferMut {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl DerefMut for BufferMut {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.0.as_deref_mut().unwrap_or_default()
    }
}

fn os(errno: belljar_sys::Errno) -> io::Error {
    io::Error::from_raw_os_error(errno.0)
}
