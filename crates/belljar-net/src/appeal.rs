//! Whom to ask about what the rules do not grant.

use std::fmt;

use belljar_policy::Decision;

use crate::{Door, Who};

/// Why an appeal was turned down, printable; none = for the reason of the rules.
pub type Refusal = Option<String>;

/// Somebody who may grant what the rules refuse. What a `deny` entry refuses is never asked.
pub trait Appeal: Send + Sync {
    /// Whether connections to a name can be asked about. A name that cannot does not exist for the jar; one that can gets a
    /// stand-in at once, and nobody outside hears of it.
    fn can_ask(&self, name: &str) -> bool;

    /// Asks about one connection. Called on the serving thread, so it must not wait; whoever knows says so by `answer`.
    /// The jar's socket is open meanwhile, if its owner lets it be.
    fn ask(&self, door: Door, who: Option<Who>, decision: &Decision, answer: Answer);
}

/// Takes the answer to one appeal. Dropped without one, the connection is refused when its time is over.
pub struct Answer(Box<dyn FnOnce(Result<(), Refusal>) + Send>);

impl Answer {
    pub(crate) fn new(take: impl FnOnce(Result<(), Refusal>) + Send + 'static) -> Self {
        Self(Box::new(take))
    }

    /// Granted, or why not.
    pub fn give(self, answer: Result<(), Refusal>) {
        (self.0)(answer);
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Answer")
    }
}
