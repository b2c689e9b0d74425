//! What is asked.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use belljar_policy::{Access, Addition};

use super::asker::Answer;
use super::text::shown;

/// What the jar would get.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Want {
    /// Reading a file.
    Read(PathBuf),
    /// Reading and changing a file, or making it.
    Write(PathBuf),
    /// Making a file that is not there.
    Create(PathBuf),
    /// Making a file without a name in this folder; a name is a wish of its own.
    Unnamed(PathBuf),
    /// Finding and executing a program.
    Execute(PathBuf),
    /// Connecting to `HOST:PORT`.
    Connect(String),
}

impl Want {
    /// What is done, as programs read it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Read(_) => "read",
            Self::Write(_) => "write",
            Self::Create(_) => "create",
            Self::Unnamed(_) => "unnamed",
            Self::Execute(_) => "execute",
            Self::Connect(_) => "connect",
        }
    }

    /// The path that it is about.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Read(path)
            | Self::Write(path)
            | Self::Create(path)
            | Self::Unnamed(path)
            | Self::Execute(path) => Some(path),
            Self::Connect(_) => None,
        }
    }

    /// Path or host.
    #[must_use]
    pub fn object(&self) -> &OsStr {
        match self {
            Self::Connect(host) => OsStr::new(host),
            _ => self.path().unwrap_or(Path::new("")).as_os_str(),
        }
    }

    /// The rule that grants it for ever; none where each rule would grant more.
    #[must_use]
    pub fn addition(&self) -> Option<Addition<'_>> {
        Some(match self {
            Self::Read(path) | Self::Execute(path) => Addition::Path { path, access: Access::Read },
            Self::Write(path) => Addition::Path { path, access: Access::Write },
            // It may be gone when the next run starts.
            Self::Create(path) => Addition::OptionalPath { path, access: Access::Write },
            Self::Connect(host) => Addition::Host(host),
            Self::Unnamed(_) => return None,
        })
    }

    /// The answers that make sense. A program joins a jar only at its start: nothing grants it to a run that has begun.
    #[must_use]
    pub fn offers(&self, answer: Answer) -> bool {
        match answer {
            Answer::Once => !matches!(self, Self::Execute(_)),
            Answer::Always => self.addition().is_some(),
            Answer::Never => true,
        }
    }
}

/// One question to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Executable of the process that wants it, as the kernel names it.
    pub program: OsString,
    /// Its number on the host; none when it is not known.
    pub pid: Option<u32>,
    /// The system call that was made.
    pub call: String,
    /// What it would get.
    pub want: Want,
    /// The rule by which it is refused, with its origin.
    pub rule: String,
}

impl Prompt {
    /// The question in one line that nothing of the jar can steer, break or counterfeit.
    ///
    /// ```
    /// use belljar::ask::{Prompt, Want};
    /// let prompt = Prompt {
    ///     program: "/usr/bin/cc".into(),
    ///     pid: Some(7),
    ///     call: "openat".into(),
    ///     want: Want::Read("/etc/a\nb".into()),
    ///     rule: "nothing is granted that no rule names (default)".into(),
    /// };
    /// assert_eq!(prompt.question(), r#""/usr/bin/cc" (7, openat) wants to read "/etc/a\u{a}b""#);
    /// ```
    #[must_use]
    pub fn question(&self) -> String {
        let call = super::text::escaped(OsStr::new(&self.call));
        let who = self.pid.map_or_else(|| call.clone(), |pid| format!("{pid}, {call}"));
        let what = match self.want {
            Want::Read(_) => "read",
            Want::Write(_) => "WRITE",
            Want::Create(_) => "CREATE",
            Want::Unnamed(_) => "CREATE a file without a name in",
            Want::Execute(_) => "execute",
            Want::Connect(_) => "connect to",
        };
        format!("{} ({who}) wants to {what} {}", shown(&self.program), shown(self.want.object()))
    }

    /// Why it is a question, in one line.
    #[must_use]
    pub fn reason(&self) -> String {
        let late = match self.want {
            Want::Execute(_) => "; this run goes on without it: programs are granted before a run starts",
            _ => "",
        };
        format!("refused by: {}{late}", shown(OsStr::new(&self.rule)))
    }
}
