//! One message on a channel: a head of 16 bytes and a body, in one packet.
//!
//! ```text
//! 'j' | version 1 | kind | descriptors | length of the body (4) | number (8) | body
//! ```
//!
//! Numbers are little-endian. A body of more than [`MOST_INLINE`] bytes travels as sealed memory, the first of the descriptors; the
//! packet then ends after the head.

use std::os::fd::OwnedFd;

use thiserror::Error;

/// Size of the head.
pub const HEAD: usize = 16;
/// Longest body that travels in the packet itself.
pub const MOST_INLINE: usize = 60 * 1024;
/// Longest body, unless a channel has a lower limit.
pub const MOST_BODY: usize = 64 << 20;
/// Most descriptors of one message, the memory of a long body included.
pub const MOST_DESCRIPTORS: usize = 16;

const MARK: u8 = b'j';
const VERSION: u8 = 1;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Parent to worker: a fresh seed, before anything else.
    Seed = 1,
    /// Parent to worker: a request.
    Call = 2,
    /// Parent to worker: the reply to a question.
    Told = 3,
    /// Worker to parent: it is confined and waits.
    Ready = 16,
    /// Worker to parent: the reply to a request.
    Answer = 17,
    /// Worker to parent: a question.
    Ask = 18,
    /// Parent to zygote: which entry, and how it is sealed.
    Setup = 33,
    /// Zygote to parent: warmed and sealed.
    Sealed = 34,
    /// Parent to zygote: a worker, with these descriptors.
    Fork = 35,
    /// Zygote to parent: the worker runs; its pidfd.
    Started = 36,
    /// Zygote to parent: the worker could not be started.
    Failed = 37,
    /// Zygote to parent: how the worker ended.
    Ended = 38,
    /// Parent to zygote: its own status, which tells how many threads it has, where a filter refuses to.
    About = 39,
}

const KINDS: &[Kind] = &[
    Kind::Seed,
    Kind::Call,
    Kind::Told,
    Kind::Ready,
    Kind::Answer,
    Kind::Ask,
    Kind::Setup,
    Kind::Sealed,
    Kind::Fork,
    Kind::Started,
    Kind::Failed,
    Kind::Ended,
    Kind::About,
];

/// A packet that is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Shorter than a head, of another version, or of no known kind.
    #[error("a packet is no message")]
    Head,
    /// The body is not as long as the head says, or longer than allowed.
    #[error("a message has {found} bytes where its head says {said}")]
    Length {
        /// What the head says.
        said: u32,
        /// What there is.
        found: usize,
    },
    /// Longer than the channel allows.
    #[error("a message of {said} bytes is longer than {most}")]
    Oversized {
        /// What the head says, or at least what came.
        said: usize,
        /// The limit.
        most: usize,
    },
    /// Not as many descriptors as the head says, or more than allowed.
    #[error("a message came with {found} descriptors where its head says {said}")]
    Descriptors {
        /// What the head says.
        said: u8,
        /// How many came.
        found: usize,
    },
    /// The memory of a long body is not sealed, or has another length.
    #[error("the memory of a message is not sealed or not as long as its head says")]
    Memory,
}

/// The head of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// What it is.
    pub kind: Kind,
    /// How many descriptors come along.
    pub descriptors: u8,
    /// Length of the body in bytes.
    pub len: u32,
    /// Which request or question this is or belongs to.
    pub number: u64,
}

impl Head {
    /// As it stands at the start of a packet.
    #[must_use]
    pub fn encode(&self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        let [a, b, c, d] = self.len.to_le_bytes();
        let fixed = [MARK, VERSION, self.kind as u8, self.descriptors, a, b, c, d];
        let all = fixed.into_iter().chain(self.number.to_le_bytes());
        bytes.iter_mut().zip(all).for_each(|(place, byte)| *place = byte);
        bytes
    }

    /// The head of a packet and what follows it.
    ///
    /// # Errors
    /// [`FrameError::Head`].
    pub fn split(packet: &[u8]) -> Result<(Self, &[u8]), FrameError> {
        let (head, body) = packet.split_first_chunk::<HEAD>().ok_or(FrameError::Head)?;
        let [mark, version, kind, descriptors, a, b, c, d, number @ ..] = *head;
        let kind = KINDS.iter().copied().find(|known| *known as u8 == kind);
        let kind = kind.filter(|_| mark == MARK && version == VERSION).ok_or(FrameError::Head)?;
        let (len, number) = (u32::from_le_bytes([a, b, c, d]), u64::from_le_bytes(number));
        Ok((Self { kind, descriptors, len, number }, body))
    }
}

/// A whole message, checked.
#[derive(Debug)]
pub struct Frame<'a> {
    /// What it is.
    pub kind: Kind,
    /// Which request or question this is or belongs to.
    pub number: u64,
    /// The body.
    pub body: Body<'a>,
    /// The descriptors that came along, without the memory of the body.
    pub descriptors: Vec<OwnedFd>,
}

/// Where the body is.
#[derive(Debug)]
pub enum Body<'a> {
    /// In the packet.
    Inline(&'a [u8]),
    /// In memory that came along.
    Memory(belljar_sys::memory::Sealed),
}

impl std::ops::Deref for Body<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Inline(bytes) => bytes,
            Self::Memory(memory) => memory,
        }
    }
}

impl<'a> Frame<'a> {
    /// Checks a packet of somebody who is not trusted. Descriptors of a packet that is none are closed.
    ///
    /// # Errors
    /// See [`FrameError`].
    pub fn check(packet: &'a [u8], mut descriptors: Vec<OwnedFd>, most: usize) -> Result<Self, FrameError> {
        let (head, rest) = Head::split(packet)?;
        let said = usize::try_from(head.len).unwrap_or(usize::MAX);
        if said > most {
            return Err(FrameError::Oversized { said, most });
        }
        if usize::from(head.descriptors) != descriptors.len() || descriptors.len() > MOST_DESCRIPTORS {
            return Err(FrameError::Descriptors { said: head.descriptors, found: descriptors.len() });
        }
        let body = if said > MOST_INLINE {
            Body::Memory(memory(rest, &mut descriptors, said, head.len)?)
        } else if rest.len() == said {
            Body::Inline(rest)
        } else {
            return Err(FrameError::Length { said: head.len, found: rest.len() });
        };
        Ok(Self { kind: head.kind, number: head.number, body, descriptors })
    }
}

fn memory(
    rest: &[u8],
    descriptors: &mut Vec<OwnedFd>,
    len: usize,
    said: u32,
) -> Result<belljar_sys::memory::Sealed, FrameError> {
    if !rest.is_empty() {
        return Err(FrameError::Length { said, found: rest.len() });
    }
    if descriptors.is_empty() {
        return Err(FrameError::Memory);
    }
    let first = descriptors.remove(0);
    belljar_sys::memory::Sealed::map(std::os::fd::AsFd::as_fd(&first), len).map_err(|_| FrameError::Memory)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pipe() -> OwnedFd {
        rustix::pipe::pipe().unwrap().0
    }

    proptest! {
        #[test]
        fn no_packet_panics_and_a_message_is_the_whole_packet(
            packet in prop::collection::vec(any::<u8>(), 0..100),
            most in 0..200_usize,
        ) {
            if let Ok(frame) = Frame::check(&packet, Vec::new(), most) {
                prop_assert!(frame.body.len() <= most);
                prop_assert_eq!(frame.body.len() + HEAD, packet.len());
            }
        }

        #[test]
        fn heads_are_read_as_they_were_written(at in 0..KINDS.len(), descriptors: u8, len: u32, number: u64) {
            let head = Head { kind: KINDS[at], descriptors, len, number };
            let packet = head.encode();
            prop_assert_eq!(Head::split(&packet), Ok((head, &[][..])));
        }

        #[test]
        fn only_the_said_number_of_descriptors_is_taken(said in 0..40_u8, found in 0..20_usize) {
            let head = Head { kind: Kind::Answer, descriptors: said, len: 0, number: 1 };
            let packet = head.encode();
            let taken = Frame::check(&packet, (0..found).map(|_| pipe()).collect(), 10);
            prop_assert_eq!(taken.is_ok(), usize::from(said) == found && found <= MOST_DESCRIPTORS);
        }
    }

    #[test]
    fn a_long_body_is_sealed_memory_or_nothing() {
        let len = u32::try_from(MOST_INLINE).unwrap() + 1;
        let head = Head { kind: Kind::Answer, descriptors: 1, len, number: 1 };
        let sealed = |len: u32| {
            let memory = belljar_sys::memory::Fresh::new(usize::try_from(len).unwrap()).unwrap();
            memory.seal().unwrap()
        };
        let check =
            |packet: &[u8], fd| Frame::check(packet, vec![fd], MOST_BODY).map(|frame| frame.body.len());
        assert_eq!(check(&head.encode(), sealed(len)), Ok(MOST_INLINE + 1));
        assert_eq!(check(&head.encode(), sealed(len - 1)), Err(FrameError::Memory));
        assert_eq!(check(&head.encode(), pipe()), Err(FrameError::Memory));
        let with_body = [&head.encode()[..], &[0]].concat();
        assert!(matches!(check(&with_body, sealed(len)), Err(FrameError::Length { .. })));
    }
}
