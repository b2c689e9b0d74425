//! What happened in a pool.

use std::fmt;
use std::time::Duration;

use crate::worker::error::WorkerError;

/// Counts and times of a pool since its start, and its state now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Workers that were given to a client.
    pub started: u64,
    /// Requests that were answered.
    pub answered: u64,
    /// Workers that a signal ended, that panicked, or that left instead of replying.
    pub crashed: u64,
    /// Workers that made a forbidden system call.
    pub violations: u64,
    /// Workers that ran out of memory.
    pub out_of_memory: u64,
    /// Workers that did not reply in time.
    pub timed_out: u64,
    /// Workers that broke the protocol, or asked for what is not permitted.
    pub protocol: u64,
    /// Other failures: the caller's own messages, starts that failed.
    pub failed: u64,
    /// Requests that found no worker: the queue was full, or they waited too long.
    pub refused: u64,
    /// Times that the process from which workers are forked had ended and another one was started.
    pub restarted: u64,
    /// Sum of the times from request to reply.
    pub worked: Duration,
    /// Longest such time.
    pub longest_work: Duration,
    /// Sum of the times that requests waited for a worker.
    pub waited: Duration,
    /// Longest such time.
    pub longest_wait: Duration,
    /// Workers at work now.
    pub busy: usize,
    /// Requests waiting now.
    pub waiting: usize,
    /// Workers that wait for a request now.
    pub spare: usize,
}

impl PoolStats {
    pub(super) fn answered(&mut self, after: Duration) {
        self.answered += 1;
        self.worked += after;
        self.longest_work = self.longest_work.max(after);
    }

    pub(super) fn count(&mut self, error: &WorkerError) {
        let counter = match error {
            WorkerError::Crashed { .. } | WorkerError::Panicked { .. } | WorkerError::Exited { .. } => {
                &mut self.crashed
            }
            WorkerError::Violation { .. } => &mut self.violations,
            WorkerError::OutOfMemory { .. } => &mut self.out_of_memory,
            WorkerError::TimedOut { .. } => &mut self.timed_out,
            WorkerError::Protocol(_) | WorkerError::OutOfPhase { .. } | WorkerError::OverBudget { .. } => {
                &mut self.protocol
            }
            _ => &mut self.failed,
        };
        *counter += 1;
    }

    /// Workers that ended otherwise than by being done.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.crashed + self.violations + self.out_of_memory + self.timed_out + self.protocol
    }
}

impl fmt::Display for PoolStats {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mean =
            u32::try_from(self.answered).ok().filter(|count| *count > 0).map(|count| self.worked / count);
        write!(
            out,
            "{} answered in {:.1?} each, {} workers lost, {} refused; {} busy, {} waiting",
            self.answered,
            mean.unwrap_or_default(),
            self.lost(),
            self.refused,
            self.busy,
            self.waiting
        )
    }
}
