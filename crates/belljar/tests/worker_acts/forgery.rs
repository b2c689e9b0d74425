//! How a worker breaks the protocol: messages of its own making, on the channel and where last words go.

use std::time::Duration;

use belljar::worker::wire::{Head, Kind};
use serde::{Deserialize, Serialize};

use super::Outcome;

/// How a worker breaks the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Forgery {
    Noise,
    Empty,
    Version,
    Length,
    Oversized,
    HugePacket,
    Number,
    Replay,
    Early,
    ParentKind,
    Body,
    Left,
    Descriptors,
    TooManyDescriptors,
    UnsealedMemory,
    RepeatedAsk,
    SkippedAsk,
    UnknownAsk,
    /// Anything, as a seed has it.
    Seeded(u64),
}

/// The channel, as whoever took the worker over has it.
fn channel() -> std::os::fd::OwnedFd {
    belljar_sys::owned::duplicate(3).unwrap()
}

pub(super) fn packet(head: Head, body: &[u8]) -> Vec<u8> {
    let mut packet = head.encode().to_vec();
    packet.extend_from_slice(body);
    packet
}

pub(super) fn raw(bytes: &[u8], descriptors: usize) {
    raw_to(channel(), bytes, descriptors).unwrap();
}

fn raw_to(to: impl std::os::fd::AsFd, bytes: &[u8], descriptors: usize) -> rustix::io::Result<usize> {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    let fds: Vec<_> = (0..descriptors).map(|_| rustix::stdio::stderr()).collect();
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(64))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() {
        assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
    }
    let parts = [std::io::IoSlice::new(bytes)];
    sendmsg(to, &parts, &mut control, SendFlags::NOSIGNAL)
}

/// Numbers that a seed gives, each time the same.
pub(crate) struct Seeded(u64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.number() % u64::try_from(limit).unwrap()).unwrap()
    }

    /// Up to so many; small ones often, which mean more in messages.
    pub(crate) fn bytes(&mut self, most: usize) -> Vec<u8> {
        let len = self.below(most + 1);
        (0..len).map(|_| u8::try_from((self.number() % 256) >> (self.below(3) * 3)).unwrap()).collect()
    }
}

const KINDS: [Kind; 8] =
    [Kind::Answer, Kind::Answer, Kind::Ask, Kind::Ask, Kind::Ready, Kind::Call, Kind::Ended, Kind::Started];

/// Messages with something wrong about them, or noise, on the channel and where last words go.
fn say_anything(seed: u64) -> rustix::io::Result<()> {
    let mut from = Seeded::new(seed);
    for _ in 0..=from.below(3) {
        let (body, descriptors) = (from.bytes(64), from.below(3));
        let len = body.len() + usize::from(from.below(6) == 0);
        let (kind, claimed) = (KINDS[from.below(KINDS.len())], descriptors + usize::from(from.below(6) == 0));
        let number = u64::try_from(from.below(3)).unwrap();
        let head =
            Head { kind, descriptors: claimed.try_into().unwrap(), len: len.try_into().unwrap(), number };
        let mut bytes = packet(head, &body);
        if from.below(4) == 0 {
            let at = from.below(bytes.len());
            bytes[at] ^= 1 << from.below(8);
        }
        match from.below(5) {
            0 => raw_to(rustix::stdio::stderr(), &bytes, descriptors)?,
            _ => raw_to(channel(), &bytes, descriptors)?,
        };
    }
    Ok(())
}

pub(super) fn forge(forgery: Forgery) -> Outcome {
    let head = |kind, number| Head { kind, descriptors: 0, len: 0, number };
    // The body of `Outcome::Done`; every test asks first of all.
    let (done, answer) = ([0_u8], Head { len: 1, ..head(Kind::Answer, 1) });
    let ask = Head { len: 1, ..head(Kind::Ask, 1) };
    match forgery {
        Forgery::Noise => raw(&[0x5A; 100], 0),
        Forgery::Empty => raw(&packet(head(Kind::Answer, 1), &[]), 0),
        Forgery::Version => raw(&[b'j', 2, 17, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], 0),
        Forgery::Length => raw(&packet(Head { len: 9, ..answer }, &done), 0),
        Forgery::Oversized => raw(&packet(Head { len: u32::MAX, ..answer }, &done), 0),
        Forgery::HugePacket => raw(&packet(Head { len: 150_000, ..answer }, &[0; 150_000]), 0),
        Forgery::Number => raw(&packet(Head { number: 7, ..answer }, &done), 0),
        Forgery::Replay => {
            raw(&packet(answer, &done), 0);
            raw(&packet(answer, &done), 0);
        }
        Forgery::Early => {
            raw(&packet(answer, &done), 0);
            raw(&packet(Head { number: 2, ..answer }, &done), 0);
        }
        Forgery::ParentKind => raw(&packet(Head { kind: Kind::Call, ..answer }, &done), 0),
        Forgery::Body => raw(&packet(answer, &[99]), 0),
        Forgery::Left => raw(&packet(Head { len: 2, ..answer }, &[0, 0]), 0),
        Forgery::Descriptors => raw(&packet(Head { descriptors: 1, ..answer }, &done), 1),
        Forgery::TooManyDescriptors => raw(&packet(Head { descriptors: 40, ..answer }, &done), 40),
        Forgery::UnsealedMemory => raw(&packet(Head { len: 100_000, descriptors: 1, ..answer }, &[]), 1),
        Forgery::RepeatedAsk => {
            raw(&packet(ask, &[0]), 0);
            raw(&packet(ask, &[0]), 0);
        }
        Forgery::SkippedAsk => raw(&packet(Head { number: 2, ..ask }, &[0]), 0),
        Forgery::UnknownAsk => raw(&packet(ask, &[77]), 0),
        // Its parent may have had enough before the last one.
        Forgery::Seeded(seed) => return say_anything(seed).map_or(Outcome::Done, |()| Outcome::Done),
    }
    // Whoever is not ended has until its deadline.
    std::thread::sleep(Duration::from_secs(60));
    Outcome::Done
}

/// Every forgery.
pub(crate) const FORGERIES: &[Forgery] = &[
    Forgery::Noise,
    Forgery::Empty,
    Forgery::Version,
    Forgery::Length,
    Forgery::Oversized,
    Forgery::HugePacket,
    Forgery::Number,
    Forgery::ParentKind,
    Forgery::Body,
    Forgery::Left,
    Forgery::Descriptors,
    Forgery::TooManyDescriptors,
    Forgery::UnsealedMemory,
    Forgery::SkippedAsk,
    Forgery::UnknownAsk,
];
