//! Services (after FreeBSD's Casper): what is looked up with the caller's rights, so that a confined program need not reach for it.
//!
//! A program that knows nothing of it gets the answers as files, once, at its start (`services` in a policy, `--service`). A program of this
//! library starts services as processes and goes on asking:
//!
//! ```no_run
//! use belljar::policy::Policy;
//! use belljar::service::{self, Only, Users};
//! use belljar::worker::{Entry, Worker};
//!
//! static OWNER: Entry<(Users, u32), String> =
//!     Entry::new("owner", |(mut users, uid), _| users.account_of(uid).map_or_else(|_| uid.to_string(), |one| one.name));
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     belljar::worker::serve(&[&OWNER]); // first of all: in workers and services it never returns
//!     let mut users = Users::start(Only::these(["alice", "bob"]))?;
//!     let mut worker = Worker::spawn(&Policy::none(), &OWNER)?;
//!     let only = users.narrowed(&Only::these(["bob"]))?;
//!     println!("{}", worker.call(&(only, 1001), std::time::Duration::from_secs(1))?);
//!     Ok(())
//! }
//! ```
//!
//! | service | answers | its limit | what its process has |
//! |---|---|---|---|
//! | [`FileArgs`] | a named file, open for reading | paths | these files, read-only; `openat` for reading |
//! | [`Dns`] | addresses of a name | names | a channel to the program, which carries questions to the resolvers |
//! | [`Net`] | a connection over TCP | hosts and ports | a network with these hosts and nothing else |
//! | [`Users`] | accounts and groups | names | the two files, read before it is sealed off |
//! | [`Time`] | data of time zones | names of zones | the files of zones, read-only; `openat` for reading |
//! | [`Log`] | nothing; it writes a line | the level, bytes | a pipe to the program, which appends |
//! | [`Random`] | random bytes | bytes | nothing |
//!
//! Each is this program once more, in a jar that grants what stands in the last column, under a filter of its own beside the jar's.
//! A client is a descriptor: see [`Client`]. Whatever a client sends, it is held to its limit by the service; a client that sends what is
//! no request is hung up on, and no other client notices.

mod budget;
mod client;
mod dns;
mod error;
mod files;
mod inside;
mod kind;
mod limit;
mod line;
mod log;
mod lookup;
mod message;
mod net;
mod random;
mod seal;
mod start;
pub(crate) mod syslog;
mod time;
mod users;

pub use client::Client;
pub use dns::Dns;
pub use error::ServiceError;
pub use files::FileArgs;
pub use kind::Service;
pub use limit::{Amount, Limit, Named, Only};
pub use log::{Level, Log, LogLimit};
pub use net::{Net, Remote};
pub use random::Random;
pub use start::Builder;
pub use time::{LOCAL, Time};
pub use users::{Account, Group, Users};

pub(crate) use dns::resolvers;
pub(crate) use inside::serve as become_service;
pub(crate) use lookup::answer;

/// Becomes the process of a service, if this program was started for that; returns at once otherwise. Call it first of all in
/// `main`, before anything else has started a thread, opened a file or read an argument.
/// [`worker::serve`](crate::worker::serve) does the same beside its own: a program that has workers calls that alone.
pub fn serve() {
    inside::serve();
}

/// What services read of others, and what one that was taken over can do, for those who test it.
pub mod wire {
    /// As [`serve`](super::serve), but the process, once it is sealed off as the service is, does `act`, which gets the service's name. The
    /// start then fails with what `act` said.
    pub fn taken_over(act: fn(&str) -> String) {
        super::inside::taken_over(act);
    }

    /// Reads the bytes as a request of each service, and as an answer of a name service.
    ///
    /// # Panics
    /// When a request that was read cannot be written and read again.
    pub fn exercise(bytes: &[u8]) {
        use super::dns::message::{Kind, addresses};
        super::inside::exercise(bytes);
        for kind in [Kind::A, Kind::Aaaa] {
            drop(addresses(bytes, 7, "a.org", kind));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_of_a_client_or_a_resolver_panic(
            bytes in prop::collection::vec(prop_oneof![0..4_u8, any::<u8>()], 0..80),
        ) {
            super::wire::exercise(&bytes);
        }
    }
}
