//! Text to typed values and back: sizes, durations, paths, hosts, names.

pub(crate) mod amount;
pub(crate) mod host;
pub(crate) mod name;
pub(crate) mod path;

use std::path::PathBuf;
use std::time::Duration;

use crate::model::{Bytes, DevView, NetMode, Otherwise, ProcView, Publish, ServiceRule, UnixService};
use crate::words;

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

impl Written for Publish {
    fn written(&self) -> String {
        if self.port == self.host_port {
            return self.port.to_string();
        }
        format!("{}:{}", self.port, self.host_port)
    }
}

impl Written for UnixService {
    /// A path has a slash, so that no name is mistaken for one.
    fn written(&self) -> String {
        match self {
            Self::Path(path) => path::written(path),
            named => words::word(words::UNIX_SERVICES, named).to_owned(),
        }
    }
}

impl Written for bool {
    fn written(&self) -> String {
        self.to_string()
    }
}

impl Written for Otherwise {
    fn written(&self) -> String {
        words::word(words::OTHERWISE, self).to_owned()
    }
}

impl Written for ServiceRule {
    fn written(&self) -> String {
        let known = words::SERVICES.iter().find(|(_, (_, becomes))| becomes.is(self.service));
        let name = known.map_or("", |(name, _)| name);
        if self.names.is_empty() { name.to_owned() } else { format!("{name}={}", self.names.join(",")) }
    }
}

impl Written for NetMode {
    fn written(&self) -> String {
        words::word(words::NET_MODES, self).to_owned()
    }
}

impl Written for ProcView {
    fn written(&self) -> String {
        words::word(words::PROC_VIEWS, self).to_owned()
    }
}

impl Written for DevView {
    fn written(&self) -> String {
        words::word(words::DEV_VIEWS, self).to_owned()
    }
}

/// Absent is the word `none`.
impl<T: Written> Written for Option<T> {
    fn written(&self) -> String {
        self.as_ref().map_or_else(|| "none".to_owned(), Written::written)
    }
}
