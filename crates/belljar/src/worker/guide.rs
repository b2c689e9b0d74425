//! Confine your parser in 20 lines: where to begin.
//!
//! A program that reads what strangers wrote (a picture, an archive, a handshake) has one part that will be broken one day: the
//! parser. Put it into a worker: a process of the same program that has its memory, one channel and the descriptors it is handed, and
//! nothing else. Whoever takes it over has a calculator.
//!
//! This is a whole program. It counts the words of files, and trusts none of them:
//!
//! ```no_run
#![doc = include_str!("../../../../examples/parser.rs")]
//! ```
//!
//! 1. [`Entry`] names what runs in a worker: requests and replies of any types that serde knows. Your own derive `Serialize` and
//!    `Deserialize`.
//! 2. [`serve`] stands first in `main`: that is where a worker begins. In the program itself it returns at once. Call it before there are
//!    threads, open files, or arguments that were read.
//! 3. [`Zygote::start`] starts this program once more in a jar, lets it warm up and seals it off. It takes some milliseconds.
//! 4. [`Zygote::spawn`] gives a worker that nobody had before, in a fraction of a millisecond, and [`Worker::call`] its reply, or an
//!    error, in time. A worker that is dropped is ended.
//!
//! # Then
//!
//! | you want | take |
//! |---|---|
//! | many requests from many threads | [`Pool`], which forks a fresh worker for each and lets the rest wait |
//! | many bytes in or out, without a copy | [`Buffer`] as a part of a message |
//! | to hand over an open file | [`Descriptor`] as a part of a message |
//! | the worker to ask for something, and a table of what it may ask | [`Monitor`] and [`Worker::call_with`] |
//! | tables and caches that each worker has at once | [`Entry::warm`] |
//! | more system calls, or death for each other one | [`Seal`], given to [`Zygote::builder`] or [`Pool::builder`] |
//! | less memory or processor time | [`Limits`] |
//! | a small helper instead of this large program | [`Builder::program`] |
//!
//! # When a worker fails
//!
//! A crash, a panic, a hang, too much memory and a counterfeit reply are each a [`WorkerError`]; the worker is gone and your
//! program goes on. What a worker answered in form may still be a lie: check it as you would check input.
//!
//! # Where it does not work
//!
//! A host that cannot confine a worker starts none: [`WorkerError::Start`] says what is missing, and which words of the policy
//! would accept that. Without user namespaces those are `Policy::none().set("allow-weaker", "fs")`.
#![allow(unused_imports, reason = "the text links to them")]

use super::{
    Buffer, Builder, Descriptor, Entry, Limits, Monitor, Pool, Seal, Worker, WorkerError, Zygote, serve,
};
