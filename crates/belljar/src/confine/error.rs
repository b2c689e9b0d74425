//! Why a process could not be confined.

use std::io;
use std::path::PathBuf;

use belljar_bpf::{CompileError, PromiseError, RuleError};

/// Why the calling process could not be confined. What was confined before stays; this call changed nothing unless it says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfineError {
    /// A word that is no promise, or promises that cannot be kept together.
    #[error(transparent)]
    Promise(#[from] PromiseError),
    /// Promises only get fewer.
    #[error("promise {promise} was given up before and cannot come back")]
    Widens {
        /// The promise.
        promise: &'static str,
    },
    /// Landlock of this kernel restricts one thread, and there are more.
    #[error(
        "{what} needs Landlock for all threads, which this kernel cannot do: confine before a thread starts{remedy}"
    )]
    Threads {
        /// What needs it.
        what: &'static str,
        /// What else would do.
        remedy: &'static str,
    },
    /// The kernel's Landlock is older than what this takes, or absent.
    #[error("{what} needs Landlock {needed} or later; this kernel has {found}")]
    Landlock {
        /// What needs it.
        what: &'static str,
        /// First version that can.
        needed: u32,
        /// Version found; 0 = none.
        found: u32,
    },
    /// Landlock guards no attributes and no sockets by path, so that unveiled paths would not be all that is reached.
    #[error("promise {promise} reaches paths that are not unveiled: {why}")]
    Veiled {
        /// The promise.
        promise: &'static str,
        /// Why, and what to do.
        why: &'static str,
    },
    /// It could be sent.
    #[error("promise sendfd: descriptor {fd} is a folder, which must not be sent: close it before")]
    OpenFolder {
        /// Its number.
        fd: String,
    },
    /// A promise that is bound to paths needs calls that were given up.
    #[error("promise {promise} is bound to paths now, which takes the promise unveil in the set before it")]
    NeedsUnveil {
        /// The promise.
        promise: &'static str,
    },
    /// Letters other than r, w, x and c.
    #[error("permissions \"{}\" are not made of r, w, x and c", .permissions.escape_debug())]
    Permissions {
        /// What was said.
        permissions: String,
    },
    /// The path cannot be named.
    #[error("cannot unveil {}", crate::error::shown(.path))]
    Path {
        /// The path.
        path: PathBuf,
        /// The kernel's reason.
        source: io::Error,
    },
    /// Unveiled paths only get fewer.
    #[error("{} was unveiled with less, and permissions only shrink", crate::error::shown(.path))]
    MorePermissions {
        /// The path.
        path: PathBuf,
    },
    /// Landlock adds rights up along a path: what is below cannot have less than what is above.
    #[error("{} cannot have less than {}, below which it lies", crate::error::shown(.path), crate::error::shown(.above))]
    Below {
        /// The path with less.
        path: PathBuf,
        /// The path with more.
        above: PathBuf,
    },
    /// Unveiling is over: it was locked, or `unveil` is not promised.
    #[error("unveiled paths are locked")]
    Locked,
    /// What holds already forbids what a policy takes.
    #[error("this process is confined already: promise less with pledge")]
    Again,
    /// A policy that a running process cannot be put under.
    #[error("{what} cannot be had by a running process: start the program with belljar::Command")]
    NotForOneself {
        /// The rule.
        what: String,
    },
    /// The policy cannot be enforced here.
    #[error(transparent)]
    Plan(#[from] crate::error::PlanError),
    /// A path of the policy is not there, or cannot be granted.
    #[error(transparent)]
    Grant(#[from] crate::error::StartError),
    /// A filter that cannot be made.
    #[error("the filter cannot be made")]
    Rule(#[from] RuleError),
    /// A filter that cannot be made.
    #[error("the filter cannot be made")]
    Filter(#[from] CompileError),
    /// The kernel refused a step; earlier steps of the same call hold.
    #[error("the kernel refused: {step}")]
    Kernel {
        /// What was tried.
        step: &'static str,
        /// Its reason.
        source: io::Error,
    },
}

impl ConfineError {
    /// What to do about it; empty when the message says it or nothing helps.
    ///
    /// ```
    /// let error = belljar::unveil("/no/such/path", "r").unwrap_err();
    /// assert_eq!(error.hint(), "unveil a folder that is there: what comes below it later is covered");
    /// ```
    #[must_use]
    pub fn hint(&self) -> String {
        let hint = match self {
            Self::Widens { .. } => "promise it from the start, and give it up when it is not needed any more",
            Self::Landlock { .. } => "belljar doctor tells what this kernel offers",
            Self::Permissions { .. } => "r reads and lists, w writes, x executes, c creates and removes",
            Self::Path { .. } => "unveil a folder that is there: what comes below it later is covered",
            Self::MorePermissions { .. } | Self::Below { .. } => {
                "unveil each path once, with all that it needs"
            }
            Self::Locked => "unveil everything before the first promise without the word unveil",
            Self::Plan(error) => return error.hint(),
            Self::Grant(error) => return error.hint(&crate::probe::probe()),
            _ => "",
        };
        hint.to_owned()
    }
}

/// An error of the kernel, with the step that met it.
pub(crate) fn kernel(step: &'static str) -> impl Fn(belljar_sys::Errno) -> ConfineError {
    move |errno| ConfineError::Kernel { step, source: io::Error::from_raw_os_error(errno.0) }
}
