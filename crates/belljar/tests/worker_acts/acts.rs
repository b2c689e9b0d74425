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

// Both programs that have this file find it beside.
#[path = "forgery.rs"]
mod forgery;

pub(crate) use forgery::{FORGERIES, Forgery, Seeded};
use forgery::{forge, packet, raw};

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
        Act::Leave => leave(),
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

/// Answers, and ends where nobody takes its status.
fn leave() -> ! {
    raw(&packet(Head { kind: Kind::Answer, descriptors: 0, len: 1, number: 1 }, &[0]), 0);
    // Its parent has heard of it by then, and takes no word.
    std::thread::sleep(Duration::from_millis(100));
    while has_room_for_a_word() {}
    std::process::exit(3)
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

fn has_room_for_a_word() -> bool {
    use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
    let (word, mut none) = ([std::io::IoSlice::new(b"word")], SendAncillaryBuffer::default());
    sendmsg(rustix::stdio::stderr(), &word, &mut none, SendFlags::DONTWAIT).is_ok()
}

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
