//! What the broker is asked, who answers, and who is told.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What a call is about to do with its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Wanted {
    /// Learn that it exists, what its attributes are, or where a symlink leads.
    Look,
    /// Read or list it.
    Read,
    /// Run it.
    Execute,
    /// Change, create, remove or rename it, or change its attributes.
    Write,
    /// Make a file in this folder that has no name yet, and may never have one (`O_TMPFILE`). Of the host's folders only: of the
    /// jar's own it is writing.
    Unnamed,
    /// Speak with whoever listens at this unix socket.
    Connect,
}

impl Wanted {
    /// Needs the right to write.
    pub(crate) fn writes(self) -> bool {
        matches!(self, Self::Write | Self::Unnamed)
    }
}

/// Whose object it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum View {
    /// The jar sees it at this path by itself.
    Jar,
    /// The jar has nothing at this path, the host does. Only judges that [reach the host](Judge::reaches_host) are asked.
    Host,
}

/// What a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Object<'a> {
    /// An absolute path as the jar sees it, without symlinks, `.` and `..`: the path of what was opened, or of the folder that
    /// was opened with the name of what is to be made in it.
    Path(&'a Path),
    /// A descriptor of the caller's own that has no path: a pipe, a socket, a file in memory.
    Own,
}

/// One object of one call of the jar.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Request<'a> {
    /// Name of the system call.
    pub call: &'static str,
    /// What it is about to do.
    pub wanted: Wanted,
    /// What it is about.
    pub object: Object<'a>,
    /// Whose object it is.
    pub view: View,
    /// Thread that made the call, numbered as the supervisor sees it. Valid while the judge answers.
    pub pid: u32,
}

impl Request<'_> {
    /// The caller's program; none when it cannot be told (any more). Looks it up: for refusals and questions, not for every
    /// call.
    #[must_use]
    pub fn program(&self) -> Option<PathBuf> {
        std::fs::read_link(format!("/proc/{}/exe", self.pid)).ok()
    }

    /// The path, where the object has one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self.object {
            Object::Path(path) => Some(path),
            Object::Own => None,
        }
    }
}

/// The rule behind a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// As a document would write it, printable.
    pub text: Arc<str>,
    /// Who wrote it.
    pub origin: Arc<str>,
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.text, self.origin)
    }
}

/// What happens with a request.
///
/// No verdict lets the kernel go on with the call as the jar made it: its memory may hold other words by then.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The broker does it, with the jar's own rights and its own copy of the arguments.
    Grant(Rule),
    /// The call fails with this error number (`EACCES`, `ENOENT`, `EROFS`, ...).
    Refuse {
        /// 1 to 4095; anything else becomes `EACCES`.
        errno: i32,
        /// Why.
        rule: Rule,
    },
}

impl Verdict {
    /// Whether it is granted.
    #[must_use]
    pub fn granted(&self) -> bool {
        matches!(self, Self::Grant(_))
    }

    /// The rule behind it.
    #[must_use]
    pub fn rule(&self) -> &Rule {
        match self {
            Self::Grant(rule) | Self::Refuse { rule, .. } => rule,
        }
    }
}

/// Decides. Called by several threads at once, each time with an object that the broker holds open; may take its time: only
/// the caller waits, at most until the deadline of the request. Judges wrap one another: the innermost is the policy. The threads
/// have few system calls, and on a host without namespaces, but with Landlock, no files but those that the policy grants.
pub trait Judge: Send + Sync {
    /// The verdict on one object of one call.
    fn judge(&self, request: &Request<'_>) -> Verdict;

    /// Whether it can grant the opening of plain files that only the host has. It is asked about each that is there, with
    /// [`View::Host`].
    fn opens_host(&self) -> bool {
        false
    }

    /// Whether it has granted writing to this file of the host. Who may only read is given a copy, and its attributes.
    fn writes_host(&self, _path: &Path) -> bool {
        false
    }

    /// Whether it wants to be asked about objects that only the host has ([`View::Host`]).
    fn reaches_host(&self) -> bool {
        false
    }

    /// Is told of a call for which the host's object does not matter: it fails whatever the judge says.
    fn lacks(&self, request: &Request<'_>) {
        drop(self.judge(request));
    }

    /// The deadline of a request: how long this judge may think about it before the caller is told that nobody answers
    /// (`ETIMEDOUT`). Its verdict is dropped then.
    fn patience(&self) -> Duration {
        Duration::from_secs(20)
    }
}

/// A call whose caller was told `ETIMEDOUT`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Late<'a> {
    /// Name of the system call.
    pub call: &'static str,
    /// What it is about, as the jar said it; empty when that was not known yet.
    pub path: &'a Path,
    /// Thread that made the call, numbered as the supervisor sees it.
    pub pid: u32,
    /// How long it was waited for.
    pub limit: Duration,
    /// The judge had not answered; else the file system had not.
    pub judging: bool,
}

/// Is told each verdict before the jar is: when a call has returned, its event is there. Must not block.
pub trait Observer: Send + Sync {
    /// The broker is about to carry out this verdict.
    fn saw(&self, request: &Request<'_>, verdict: &Verdict);

    /// A unix socket of this thread was refused a name at which others would find it.
    fn unnamed(&self, _call: &'static str, _pid: u32) {}

    /// A call was given up because nobody answered in time.
    fn late(&self, _late: &Late<'_>) {}
}
