//! What can go wrong with a worker. The program goes on in every case.

use std::io;
use std::time::Duration;

use thiserror::Error;

use super::code::CodeError;
use super::frame::FrameError;
use crate::error::StartError;

/// Why there is no reply, or no worker. Unless the text says otherwise the worker has been ended.
///
/// `said` is what the worker wrote to descriptor 2 last, with everything escaped that could steer a terminal: the words of
/// somebody nobody trusts.
///
/// ```
/// use belljar::worker::WorkerError;
///
/// /// Whether it is the input's fault, and the same input would end the next worker too.
/// fn is_hostile(error: &WorkerError) -> bool {
///     match error {
///         WorkerError::Full { .. } | WorkerError::Busy { .. } | WorkerError::ZygoteGone => false,
///         WorkerError::Start(_) | WorkerError::Setup { .. } | WorkerError::System { .. } => false,
///         _ => true,
///     }
/// }
///
/// assert!(is_hostile(&WorkerError::OutOfMemory { said: String::new() }));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// The jar of the workers could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The program that was started for the workers is not ready for them.
    #[error("the worker's program did not get ready: {why}{}", shown(.said))]
    Setup {
        /// What is missing.
        why: SetupError,
        /// Its last words.
        said: String,
    },
    /// The process that workers are forked from has ended, and with it every worker of it.
    #[error("the process that workers are forked from has ended")]
    ZygoteGone,
    /// A signal ended the worker.
    #[error("the worker was ended by signal {signal}{}", shown(.said))]
    Crashed {
        /// Number of the signal.
        signal: i32,
        /// Its last words.
        said: String,
    },
    /// The worker's code panicked.
    #[error("the worker panicked{}", shown(.said))]
    Panicked {
        /// Its last words.
        said: String,
    },
    /// The worker ended by itself instead of replying.
    #[error("the worker ended with status {code} instead of replying{}", shown(.said))]
    Exited {
        /// Its exit status.
        code: i32,
        /// Its last words.
        said: String,
    },
    /// The worker made a system call that ends whoever makes it.
    #[error("the worker made a forbidden system call{}", shown(.said))]
    Violation {
        /// Its last words.
        said: String,
    },
    /// The worker wanted more memory than it may have, or the machine had no more.
    #[error("the worker ran out of memory{}", shown(.said))]
    OutOfMemory {
        /// Its last words.
        said: String,
    },
    /// No reply in time.
    #[error("the worker did not reply within {within:?}")]
    TimedOut {
        /// How long it had.
        within: Duration,
    },
    /// The worker sent something that is no message, or not the one that was due.
    #[error("the worker broke the protocol: {0}")]
    Protocol(#[from] ProtocolError),
    /// The worker asked for something that it may not ask for now.
    #[error("the worker asked for {ask} in the phase {phase}, where that is not permitted")]
    OutOfPhase {
        /// Variant of its question.
        ask: &'static str,
        /// The phase.
        phase: String,
    },
    /// The worker asked more often than it may.
    #[error("the worker asked for {ask} more than {most} times in the phase {phase}")]
    OverBudget {
        /// Variant of its question.
        ask: &'static str,
        /// How often it may ask.
        most: u32,
        /// The phase.
        phase: String,
    },
    /// The caller's own request or reply cannot be sent. The worker goes on if nothing of it was sent.
    #[error("the message cannot be sent: {0}")]
    Unsendable(CodeError),
    /// The caller's own message is too long, or has too many descriptors. The worker goes on.
    #[error("the message cannot be sent: {0}")]
    TooLarge(FrameError),
    /// An earlier call ended the worker.
    #[error("the worker has ended before")]
    Gone,
    /// All workers of the pool are busy and its queue is full. Nothing was sent.
    #[error("{waiting} requests are waiting already")]
    Full {
        /// How many.
        waiting: usize,
    },
    /// No worker of the pool became free in time. Nothing was sent.
    #[error("no worker became free within {within:?}")]
    Busy {
        /// How long it was waited.
        within: Duration,
    },
    /// The caller's own system call failed.
    #[error("{what}: {source}")]
    System {
        /// What was being done.
        what: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
}

/// Why a program cannot have workers.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SetupError {
    /// It ended before it said anything.
    #[error("it does not call belljar::worker::serve first of all, or ended before that")]
    Silent,
    /// It is another program, or another version of this one.
    #[error("it is another program or another version of this one")]
    OtherProgram,
    /// Its table has no such entry.
    #[error("its table has no entry `{0}`")]
    NoEntry(String),
    /// It could not seal itself off.
    #[error("{step} failed with error {errno}")]
    Step {
        /// What it did.
        step: String,
        /// The kernel's answer.
        errno: i32,
    },
    /// The filter for workers has a mistake.
    #[error("the filter of the workers: {0}")]
    Filter(String),
    /// The table of what workers may ask has a mistake.
    #[error("the table of permits: {0}")]
    Table(String),
}

/// What a worker sent that it may not send.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// It is no message.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// It closed the channel and lived on, or kept its zygote from telling how it ended.
    #[error("the channel is closed, and not because the worker had ended in a way that is known")]
    Closed,
    /// A message that is not due.
    #[error("a message that is not due")]
    NotDue,
    /// A reply to another request, or a question that was asked already.
    #[error("message {found} where {due} is due: a replay, or one was left out")]
    Number {
        /// The number that is due.
        due: u64,
        /// The number that came.
        found: u64,
    },
    /// A message whose body is not of the agreed type.
    #[error("the message is not of its type: {0}")]
    Body(#[from] CodeError),
}

fn shown(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!("; it said: {said}") }
}

impl WorkerError {
    pub(super) fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, source }
    }

    pub(super) fn setup(why: SetupError) -> Self {
        Self::Setup { why, said: String::new() }
    }
}
