//! Entries: what runs in a worker, and what it sees of its parent.

use std::marker::PhantomData;
use std::os::fd::{AsFd, OwnedFd};

use belljar_sys::call;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::channel::{Break, Deadline, Inbox, Outgoing, send};
use super::code::{decode, encode};
use super::frame::{Kind, MOST_BODY};
use super::permit::{Needs, Nothing};

/// Exit status of a worker whose parent sent what it does not understand.
const NOT_UNDERSTOOD: i32 = 124;

/// Something that workers do: requests of type `Q` in, replies of type `A` out. Made as a `static` and listed in the table that
/// [`super::serve`] gets.
///
/// ```
/// use belljar::worker::Entry;
///
/// static WORDS: Entry<String, usize> = Entry::new("words", |text, _| text.split_whitespace().count());
/// ```
pub struct Entry<Q, A, N: Needs = Nothing> {
    name: &'static str,
    handle: fn(Q, &mut Parent<N>) -> A,
    warm: Option<fn()>,
}

impl<Q, A, N: Needs> std::fmt::Debug for Entry<Q, A, N> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Entry").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<Q, A, N: Needs> Entry<Q, A, N> {
    /// An entry under this name, which no other one of the table has.
    #[must_use]
    pub const fn new(name: &'static str, handle: fn(Q, &mut Parent<N>) -> A) -> Self {
        Self { name, handle, warm: None }
    }

    /// Has `warm` run once, in the process that workers are forked from, before it seals itself off: what it loads and computes
    /// every worker has. It may do what the policy grants. It runs in a thread that is gone before the first worker; threads
    /// and descriptors of its own do not reach the workers. What it draws at random (keys of its hash maps, generators of
    /// random numbers) every worker has alike: draw that from [`Parent::seed`] instead.
    #[must_use]
    pub const fn warm(mut self, warm: fn()) -> Self {
        self.warm = Some(warm);
        self
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

mod sealed {
    use super::OwnedFd;

    /// What [`super::super::serve`] does with an entry, whatever its types.
    pub trait Work: Sync {
        fn name(&self) -> &'static str;
        fn warm(&self) -> Option<fn()>;
        /// Where its code lies in this program.
        fn place(&self) -> u64;
        /// The life of a worker; its exit status.
        fn work(&self, channel: OwnedFd) -> i32;
    }
}

pub(super) use sealed::Work;

/// An [`Entry`] of any types, as tables hold them.
pub trait AnyEntry: sealed::Work {}

impl<Q: DeserializeOwned, A: Serialize, N: Needs> AnyEntry for Entry<Q, A, N> {}

impl<Q: DeserializeOwned, A: Serialize, N: Needs> Work for Entry<Q, A, N> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn warm(&self) -> Option<fn()> {
        self.warm
    }

    fn place(&self) -> u64 {
        let here = (super::serve as *const ()).addr();
        let code = (self.handle as *const ()).addr();
        u64::try_from(code.wrapping_sub(here)).unwrap_or(0)
    }

    fn work(&self, channel: OwnedFd) -> i32 {
        let mut parent = Parent::<N>::new(channel);
        match parent.begin().and_then(|()| parent.serve(self.handle)) {
            Ok(()) | Err(Break::Closed) => 0,
            Err(broken) => give_up(&broken),
        }
    }
}

/// The exit status of a worker whose own message is none, or whose parent's is; it says which.
fn give_up(broken: &Break) -> i32 {
    let why = match broken {
        Break::Frame(error) => error.to_string(),
        Break::System(error) => error.to_string(),
        Break::Closed | Break::Late => String::new(),
    };
    // Without a parent that reads there is nobody to tell.
    let told = rustix::io::write(rustix::stdio::stderr(), why.as_bytes());
    tracing::trace!(?told, "a worker gives up");
    NOT_UNDERSTOOD
}

/// The parent, as its worker sees it: the second argument of each [`Entry`]'s code.
///
/// ```
/// use belljar::worker::Entry;
///
/// // A number that no other worker draws: the process that workers are forked from has none at random.
/// static DICE: Entry<u8, u8> = Entry::new("dice", |sides, parent| parent.seed()[0] % sides.max(1) + 1);
/// ```
#[derive(Debug)]
pub struct Parent<N: Needs = Nothing> {
    channel: OwnedFd,
    inbox: Inbox,
    asked: u64,
    seed: [u8; 32],
    needs: PhantomData<fn() -> N>,
}

impl<N: Needs> Parent<N> {
    fn new(channel: OwnedFd) -> Self {
        Self { channel, inbox: Inbox::new(MOST_BODY), asked: 0, seed: [0; 32], needs: PhantomData }
    }

    /// 32 bytes that no other worker has, drawn by the parent for this one.
    #[must_use]
    pub fn seed(&self) -> [u8; 32] {
        self.seed
    }

    /// Asks for something and waits for the reply. Where the parent's table does not permit it, or the parent is gone, this
    /// worker ends here.
    pub fn ask(&mut self, ask: &N::Ask) -> N::Told {
        match self.try_ask(ask) {
            Ok(told) => told,
            Err(Break::Closed) => call::exit(0),
            Err(broken) => call::exit(give_up(&broken)),
        }
    }

    fn try_ask(&mut self, ask: &N::Ask) -> Result<N::Told, Break> {
        self.asked = self.asked.saturating_add(1);
        self.say(Kind::Ask, self.asked, ask)?;
        self.hear(Kind::Told, Some(self.asked)).map(|(_, told)| told)
    }

    fn begin(&mut self) -> Result<(), Break> {
        let (_, seed) = self.hear::<[u8; 32]>(Kind::Seed, Some(0))?;
        self.seed = seed;
        send(self.channel.as_fd(), &Outgoing::new(Kind::Ready, 0, &[]), Deadline::NEVER)
    }

    fn serve<Q: DeserializeOwned, A: Serialize>(
        &mut self,
        handle: fn(Q, &mut Self) -> A,
    ) -> Result<(), Break> {
        loop {
            let (number, request) = self.hear(Kind::Call, None)?;
            let answer = handle(request, self);
            self.say(Kind::Answer, number, &answer)?;
        }
    }

    fn say<T: Serialize>(&self, kind: Kind, number: u64, value: &T) -> Result<(), Break> {
        let unsendable = |error| Break::System(std::io::Error::other(error));
        let (body, descriptors) = encode(value).map_err(unsendable)?;
        let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        let message = Outgoing { kind, number, body: &body, descriptors: &descriptors };
        send(self.channel.as_fd(), &message, Deadline::NEVER)
    }

    fn hear<T: DeserializeOwned>(&mut self, kind: Kind, number: Option<u64>) -> Result<(u64, T), Break> {
        let frame = self.inbox.next(self.channel.as_fd(), Deadline::NEVER)?;
        let strange = || Break::System(std::io::ErrorKind::InvalidData.into());
        if frame.kind != kind || number.is_some_and(|due| frame.number != due) {
            return Err(strange());
        }
        let number = frame.number;
        decode(&frame.body, frame.descriptors).map(|value| (number, value)).map_err(|_| strange())
    }
}
