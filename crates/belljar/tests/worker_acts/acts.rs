//! What the workers of the tests do: mishaps, attacks, questions. Each is tried in the caller as well, where the attacks succeed.

use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use belljar::worker::wire::{Head, Kind};
use belljar::worker::{Buffer, BufferMut, Bytes, Descriptor, Entry, Needs, Parent};
use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

/// Bytes there and back.
pub(crate) static ECHO: Entry<Bytes, Bytes> = Entry::new("echo", |bytes, _| bytes);

/// A table that the zygote computes for all workers.
static TABLE: OnceLock<Vec<u64>> = OnceLock::new();

/// Things to do; warmed.
pub(crate) static ACTS: Entry<Act, Outcome, Questions> = Entry::new("acts", act).warm(|| {
    let _table = TABLE.get_or_init(|| (0..1000).map(|number| number * number).collect());
});

/// Never gets warm.
pub(crate) static BURNT: Entry<(), ()> = Entry::new("burnt", |(), _| ()).warm(|| panic!("burnt"));

/// Not in the table of the program.
pub(crate) static ABSENT: Entry<(), ()> = Entry::new("absent", |(), _| ());

/// Something to do in a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Act {
    Open(String),
    Create(String),
    Listen,
    Datagram,
    Socketpair,
    Start(String),
    Thread,
    Kill(i32),
    Status(String),
    Pipe,
    Panic,
    Abort,
    Exit(i32),
    Spin,
    Sleep(u64),
    Allocate(u64),
    Touch(u64),
    Recurse(u64),
    Words(String),
    Flood,
    /// Replies, leaves no room for any word, and ends.
    Leave,
    /// Closes its channel and lives on.
    Deaf,
    /// A reply of so many bytes.
    Reply(usize),
    Warmed(usize),
    Seed,
    Keys,
    Variables,
    Descriptors,
    Pid,
    Keep(Bytes),
    Recall,
    Ask(Vec<Ask>),
    Forge(Forgery),
}

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

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Done,
    Refused(i32),
    Number(u64),
    Text(String),
    Bytes(Bytes),
    Told(Vec<Told>),
}

/// What the workers ask for.
#[derive(Debug)]
pub(crate) struct Questions;

impl Needs for Questions {
    type Ask = Ask;
    type Told = Told;
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    Banner,
    Sign(Bytes),
    Open(String),
    Shut,
    Stall,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Told {
    Banner(String),
    Signature(Bytes),
    File(Option<Descriptor>),
    Nothing,
}

fn act(act: Act, parent: &mut Parent<Questions>) -> Outcome {
    match act {
        Act::Ask(asks) => Outcome::Told(asks.iter().map(|ask| parent.ask(ask)).collect()),
        Act::Seed => Outcome::Bytes(Bytes(parent.seed().to_vec())),
        Act::Forge(forgery) => forge(forgery),
        other => alone(&other),
    }
}

/// What takes no parent: tried in the caller too.
pub(crate) fn alone(act: &Act) -> Outcome {
    match act {
        Act::Open(path) => outcome(File::open(path)),
        Act::Create(path) => outcome(File::create(path)),
        Act::Listen => outcome(TcpListener::bind("127.0.0.1:0")),
        Act::Datagram => outcome(UdpSocket::bind("127.0.0.1:0")),
        Act::Socketpair => outcome(std::os::unix::net::UnixStream::pair()),
        Act::Start(program) => {
            outcome(std::process::Command::new(program).spawn().and_then(|mut child| child.wait()))
        }
        Act::Thread => outcome(std::thread::Builder::new().spawn(|| ())),
        Act::Kill(pid) => kill(*pid),
        Act::Status(path) => outcome(std::fs::metadata(path)),
        Act::Pipe => outcome(rustix::pipe::pipe().map_err(Into::into)),
        Act::Panic => panic!("of its own will"),
        Act::Abort => std::process::abort(),
        Act::Exit(code) => std::process::exit(*code),
        Act::Spin => loop {
            std::hint::spin_loop();
        },
        Act::Sleep(milliseconds) => {
            std::thread::sleep(Duration::from_millis(*milliseconds));
            Outcome::Done
        }
        Act::Allocate(bytes) => {
            Outcome::Number(vec![1_u8; size(*bytes)].iter().map(|byte| u64::from(*byte)).sum())
        }
        Act::Touch(bytes) => touch(size(*bytes)),
        Act::Recurse(depth) => Outcome::Number(recurse(*depth)),
        Act::Words(words) => outcome(std::io::stderr().write_all(words.as_bytes())),
        Act::Reply(len) => Outcome::Bytes(Bytes(vec![0; *len])),
        Act::Deaf => {
            belljar_sys::call::close(3);
            std::thread::sleep(Duration::from_secs(1000));
            Outcome::Done
        }
        Act::Leave => {
            raw(&packet(Head { kind: Kind::Answer, descriptors: 0, len: 1, number: 1 }, &[0]), 0);
            // Its parent has heard of it by then, and takes no word.
            std::thread::sleep(Duration::from_millis(100));
            while has_room_for_a_word() {}
            std::process::exit(3)
        }
        Act::Flood => loop {
            drop(outcome(std::io::stderr().write_all(b"a word")));
        },
        Act::Warmed(at) => match TABLE.get() {
            Some(table) => Outcome::Number(table[*at]),
            None => Outcome::Refused(0),
        },
        Act::Keys => Outcome::Number(RandomState::new().hash_one(1_u8)),
        Act::Variables => Outcome::Text(std::env::vars().map(|(name, _)| name + " ").collect()),
        Act::Descriptors => Outcome::Text(descriptors()),
        Act::Pid => Outcome::Number(std::process::id().into()),
        Act::Keep(bytes) => {
            kept().clone_from(&bytes.0);
            Outcome::Done
        }
        Act::Recall => Outcome::Bytes(Bytes(kept().clone())),
        Act::Ask(_) | Act::Forge(_) | Act::Seed => Outcome::Done,
    }
}

fn kept() -> std::sync::MutexGuard<'static, Vec<u8>> {
    static KEPT: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap()
}

fn outcome<T>(done: std::io::Result<T>) -> Outcome {
    match done {
        Ok(_) => Outcome::Done,
        Err(error) => Outcome::Refused(error.raw_os_error().unwrap_or(0)),
    }
}

fn kill(pid: i32) -> Outcome {
    let known = Pid::from_raw(pid).unwrap();
    outcome(rustix::process::kill_process(known, Signal::KILL).map_err(Into::into))
}

/// Takes memory bit by bit until there is no more.
fn touch(most: usize) -> Outcome {
    let mut all = Vec::new();
    for _ in 0..most >> 16 {
        all.push(vec![7_u8; 1 << 16]);
    }
    Outcome::Number(all.iter().map(|part| u64::from(part[5])).sum())
}

fn recurse(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 64]);
    if depth == 0 { room[0] } else { recurse(depth - 1) + std::hint::black_box(room)[3] }
}

fn descriptors() -> String {
    let open = (0..256).filter(|fd| belljar_sys::call::is_open(*fd));
    open.map(|fd| format!("{fd} ")).collect()
}

/// The channel, as whoever took the worker over has it.
fn channel() -> std::os::fd::OwnedFd {
    belljar_sys::owned::duplicate(3).unwrap()
}

fn packet(head: Head, body: &[u8]) -> Vec<u8> {
    let mut packet = head.encode().to_vec();
    packet.extend_from_slice(body);
    packet
}

fn has_room_for_a_word() -> bool {
    use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
    let (word, mut none) = ([std::io::IoSlice::new(b"word")], SendAncillaryBuffer::default());
    sendmsg(rustix::stdio::stderr(), &word, &mut none, SendFlags::DONTWAIT).is_ok()
}

fn raw(bytes: &[u8], descriptors: usize) {
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

fn forge(forgery: Forgery) -> Outcome {
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

/// A picture: memory in, memory out.
pub(crate) static INVERT: Entry<Buffer, Buffer> = Entry::new("invert", |picture, _| {
    let mut inverted = BufferMut::new(picture.len()).unwrap();
    inverted.iter_mut().zip(picture.iter()).for_each(|(to, from)| *to = !from);
    inverted.seal().unwrap()
});

/// The first and last byte of a buffer and how much of it lies in memory of the worker's own.
pub(crate) static ENDS: Entry<Buffer, (u8, u8)> =
    Entry::new("ends", |buffer, _| (buffer[0], buffer[buffer.len() - 1]));

/// Hands a file through.
pub(crate) static FILES: Entry<Vec<Descriptor>, Vec<Descriptor>> = Entry::new("files", |mut files, _| {
    files.reverse();
    files
});
