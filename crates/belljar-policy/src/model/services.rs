//! Services: what belljar looks up once, at the start, so that the program need not reach for it, and the log that it keeps.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Origin;
use crate::value::amount::size;
use crate::value::path::{Base, form, plain};

/// Something that is looked up or kept for the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Service {
    /// The files among its arguments, for reading.
    FileArgs,
    /// The addresses of these names.
    Dns,
    /// The accounts and groups of these names; of all when there are none.
    Users,
    /// What programs say to `/dev/log`, while they run: the names are where it goes, and how many bytes of it at most.
    Log,
}

/// One entry of `services`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRule {
    /// What is looked up.
    pub service: Service,
    /// The only names that it is asked for.
    pub names: Vec<String>,
    /// Who wrote it.
    pub origin: Origin,
}

/// Where the lines of `/dev/log` go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogTarget {
    /// The host's own log.
    Syslog,
    /// A descriptor that is open for writing in the caller.
    Descriptor(i32),
    /// A file, by its absolute path: added to, made where it is absent.
    File(PathBuf),
}

/// Bytes of text that go to a log where nothing else is said.
pub const LOG_BYTES: u64 = 16 << 20;

impl ServiceRule {
    /// Where the log goes, and how many bytes of text at most; none for other services.
    ///
    /// ```
    /// use belljar_policy::{LogTarget, Policy};
    /// let policy = Policy::none().set("services", "log=/srv/jar.log,1M")?;
    /// assert_eq!(policy.services[0].log(), Some((LogTarget::File("/srv/jar.log".into()), 1 << 20)));
    /// # Ok::<(), belljar_policy::PolicyError>(())
    /// ```
    #[must_use]
    pub fn log(&self) -> Option<(LogTarget, u64)> {
        let (to, most) = match (self.service, self.names.as_slice()) {
            (Service::Log, [to]) => (to, None),
            (Service::Log, [to, most]) => (to, Some(size(most).ok()?.0)),
            _ => return None,
        };
        let to = match to.strip_prefix("fd:") {
            _ if to == SYSLOG => LogTarget::Syslog,
            Some(number) => LogTarget::Descriptor(number.parse().ok()?),
            None => LogTarget::File(plain(to.as_ref(), Base::none()).ok()?),
        };
        Some((to, most.unwrap_or(LOG_BYTES)))
    }
}

/// The host's own log, as policies name it.
pub(crate) const SYSLOG: &str = "syslog";

/// A small file of the jar with what a service found. Made by the library at the start, never by a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Where it is in the jar.
    #[serde(with = "form")]
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
    /// Who asked for it.
    pub origin: Origin,
}
