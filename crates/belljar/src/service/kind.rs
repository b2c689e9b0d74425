//! What makes a service: its types, what its process is granted, what is left to it, and its answers.

use std::os::fd::OwnedFd;

use super::client::Helper;
use super::error::ServiceError;
use super::limit::Limit;
use super::message::Refusal;
use belljar_policy::Policy;

/// One of the services: see [`super`].
pub trait Service: sealed::Kind {}

impl<K: sealed::Kind> Service for K {}

/// A system call, what becomes of it, and why, beside the group `@sealed`.
pub(super) type Call = (&'static str, Then, &'static str);

/// What becomes of a system call.
#[derive(Clone, Copy, Debug)]
pub enum Then {
    /// It is made.
    Made,
    /// It is made when a condition on its arguments holds.
    If(&'static str),
    /// It fails with this error number.
    Fails(u16),
}

/// What the process of a service gets.
#[derive(Debug)]
pub struct Grant<C> {
    /// What its jar grants.
    pub(super) policy: Policy,
    /// Descriptors, by name.
    pub(super) passes: Vec<(&'static str, OwnedFd)>,
    /// What it is told.
    pub(super) config: C,
    /// Who works for it outside, for as long as it lives.
    pub(super) helper: Option<Helper>,
}

impl<C> Grant<C> {
    pub(super) fn new(policy: Policy, config: C) -> Self {
        Self { policy, passes: Vec::new(), config, helper: None }
    }
}

pub(super) mod sealed {
    use std::io;

    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::{Grant, Limit, Refusal, ServiceError};

    /// What [`super::Service`] is made of.
    pub trait Kind: Sized + 'static {
        /// Its name.
        const NAME: &'static str;
        /// What is left to its process once it is ready.
        const CALLS: &'static [super::Call];
        /// What a client may ask for.
        type Limit: Limit;
        /// A request.
        type Ask: Serialize + DeserializeOwned;
        /// A reply.
        type Told: Serialize + DeserializeOwned;
        /// What the program gives it.
        type Means: Clone;
        /// What its process is told at the start, beside the limit.
        type Config: Serialize + DeserializeOwned;
        /// What its process has.
        type State: Send + Sync + 'static;

        /// In the program: what the process needs.
        fn grant(limit: &Self::Limit, means: Self::Means) -> Result<Grant<Self::Config>, ServiceError>;

        /// In the process, before it seals itself off.
        fn ready(config: Self::Config) -> io::Result<Self::State>;

        /// In the process: the answer to a client with this limit. The request comes from somebody who is not trusted.
        fn answer(state: &Self::State, limit: &Self::Limit, ask: Self::Ask) -> Result<Self::Told, Refusal>;

        /// How much of an amount a request takes.
        fn cost(_ask: &Self::Ask) -> u64 {
            0
        }
    }
}
