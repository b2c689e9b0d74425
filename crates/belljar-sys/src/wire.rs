//! Messages between the supervisor and the init process of a jar: eight words over a sequenced-packet socket.

use crate::call::{self, Errno, Fd, Result};

/// Number of words in a message.
const WORDS: usize = 8;
/// Bytes of a message.
pub const SIZE: usize = WORDS * size_of::<u64>();

/// What init tells the supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A step failed; nothing was run.
    Failed(Failure),
    /// The program's exec succeeded.
    Started,
    /// The master side of the jar's terminal travels beside this message.
    Terminal,
    /// The folder with the changes of `cow` folders travels beside this message.
    Folder,
    /// The listener of the notifying filter travels beside this message.
    Listener,
    /// Both ends' files of the channel for requests travel beside this message: the FIFO, the table.
    Channel,
    /// The program ended and every other process of the jar is gone.
    Ended(Ended),
    /// Sockets of the jar's network travel beside this message.
    Sockets,
}

/// The first step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// 0 = in init, 1 = in the program's process.
    pub phase: u64,
    /// Index of the op in its phase.
    pub at: u64,
    /// Kernel error.
    pub errno: Errno,
}

/// How the program ended, and what the tree used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Wait status of the program.
    pub status: i32,
    /// User time of the tree, microseconds.
    pub user_us: u64,
    /// System time of the tree, microseconds.
    pub system_us: u64,
    /// Largest resident set of one process, KiB.
    pub max_rss_kib: u64,
    /// Tries to reach what no route leads to, after a program that failed in a network of its own.
    pub unrouted: u64,
}

fn from_word(value: u64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "the sender widened an i32")]
    {
        value as i32
    }
}

fn to_word(value: i32) -> u64 {
    #[expect(clippy::cast_sign_loss, reason = "the receiver narrows back")]
    {
        i64::from(value) as u64
    }
}

impl Event {
    /// The bytes of this message.
    #[must_use]
    pub fn encode(self) -> [u8; SIZE] {
        let words: [u64; WORDS] = match self {
            Self::Failed(f) => [1, f.phase, f.at, to_word(f.errno.0), 0, 0, 0, 0],
            Self::Started => [2, 0, 0, 0, 0, 0, 0, 0],
            Self::Terminal => [3, 0, 0, 0, 0, 0, 0, 0],
            Self::Sockets => [5, 0, 0, 0, 0, 0, 0, 0],
            Self::Listener => [6, 0, 0, 0, 0, 0, 0, 0],
            Self::Channel => [8, 0, 0, 0, 0, 0, 0, 0],
            Self::Folder => [7, 0, 0, 0, 0, 0, 0, 0],
            Self::Ended(e) => [4, to_word(e.status), e.user_us, e.system_us, e.max_rss_kib, e.unrouted, 0, 0],
        };
        // SAFETY: both arrays have the same size and any bytes are valid u8 values.
        unsafe { core::mem::transmute::<[u64; WORDS], [u8; SIZE]>(words) }
    }

    /// Reads a message; none for bytes that are no message.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; SIZE] = bytes.try_into().ok()?;
        // SAFETY: both arrays have the same size and any bytes are valid u64 values.
        let words = unsafe { core::mem::transmute::<[u8; SIZE], [u64; WORDS]>(bytes) };
        let [kind, a, b, c, d, e, ..] = words;
        match kind {
            1 => Some(Self::Failed(Failure { phase: a, at: b, errno: Errno(from_word(c)) })),
            2 => Some(Self::Started),
            3 => Some(Self::Terminal),
            4 => Some(Self::Ended(Ended {
                status: from_word(a),
                user_us: b,
                system_us: c,
                max_rss_kib: d,
                unrouted: e,
            })),
            5 => Some(Self::Sockets),
            6 => Some(Self::Listener),
            7 => Some(Self::Folder),
            8 => Some(Self::Channel),
            _ => None,
        }
    }

    /// Sends this message.
    ///
    /// # Errors
    /// The kernel's; the supervisor may be gone.
    pub fn send(self, to: Fd) -> Result<()> {
        call::write(to, &self.encode()).map(drop)
    }
}

/// What the supervisor tells init: one byte command, one byte signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Go on after the identity maps were written.
    Go,
    /// Send this signal to the program.
    Signal(u8),
    /// Send this signal to the program's process group.
    SignalGroup(u8),
    /// End the whole tree.
    Kill,
    /// Over the socket for errands: make a TCP socket of IPv4 in the jar's network.
    Socket,
    /// The same, of both families where the kernel has both.
    SocketOfBoth,
}

impl Command {
    /// The bytes of this command.
    #[must_use]
    pub fn encode(self) -> [u8; 2] {
        match self {
            Self::Go => [1, 0],
            Self::Signal(signal) => [2, signal],
            Self::SignalGroup(signal) => [3, signal],
            Self::Kill => [4, 0],
            Self::Socket => [5, 0],
            Self::SocketOfBoth => [5, 1],
        }
    }

    /// Reads a command; none for bytes that are no command.
    #[must_use]
    pub fn decode(bytes: [u8; 2]) -> Option<Self> {
        match bytes {
            [1, 0] => Some(Self::Go),
            [2, signal] => Some(Self::Signal(signal)),
            [3, signal] => Some(Self::SignalGroup(signal)),
            [4, 0] => Some(Self::Kill),
            [5, 0] => Some(Self::Socket),
            [5, 1] => Some(Self::SocketOfBoth),
            _ => None,
        }
    }
}
