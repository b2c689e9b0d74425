//! Text to typed values and back: sizes, durations, paths, hosts, names.

pub(crate) mod amount;
pub(crate) mod host;
pub(crate) mod name;
pub(crate) mod path;
pub(crate) mod spot;

use std::path::PathBuf;
use std::time::Duration;

use amount::Bytes;

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Bytes: `256M`, or a number.
    Size,
    /// Time: `10m`, or a number of seconds.
    Duration,
    /// A number, at most this.
    Count(u32),
    /// On or off; the flag has no value.
    Switch,
    /// Octal digits.
    Octal,
    /// Any text.
    Text,
    /// One path.
    Path,
    /// A path that is granted this word in `[fs]`.
    Grant(&'static str),
    /// A list of paths.
    Paths,
    /// A list of words.
    Words,
    /// A list of hosts.
    Hosts,
    /// A list of descriptor numbers, each with an optional `:read` or `:write`.
    Descriptors,
    /// Names with values.
    Map,
}

impl Kind {
    /// The document form is a list.
    #[must_use]
    pub fn is_list(self) -> bool {
        matches!(self, Self::Paths | Self::Words | Self::Hosts | Self::Descriptors)
    }
}

/// A value as a document writes it, without quotes.
pub(crate) trait Written {
    fn written(&self) -> String;
}

impl Written for Bytes {
    fn written(&self) -> String {
        amount::size_text(*self)
    }
}

impl Written for Duration {
    fn written(&self) -> String {
        amount::duration_text(*self)
    }
}

impl Written for PathBuf {
    fn written(&self) -> String {
        path::written(self)
    }
}

impl Written for String {
    fn written(&self) -> String {
        self.clone()
    }
}

impl Written for u32 {
    fn written(&self) -> String {
        self.to_string()
    }
}

impl Written for std::net::IpAddr {
    fn written(&self) -> String {
        self.to_string()
    }
}

impl Written for bool {
    fn written(&self) -> String {
        self.to_string()
    }
}

/// Absent is the word `none`.
impl<T: Written> Written for Option<T> {
    fn written(&self) -> String {
        self.as_ref().map_or_else(|| "none".to_owned(), Written::written)
    }
}
