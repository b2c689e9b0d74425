//! Time zones.

use std::io::{self, Read as _};
use std::path::Path;

use belljar_policy::Policy;
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::error::ServiceError;
use super::kind::sealed::Kind;
use super::kind::{Call, Grant};
use super::limit::Only;
use super::message::{EIO, Refusal};
use super::seal;
use super::start::Builder;
use crate::worker::Bytes;

/// The service behind [`Time`].
#[derive(Debug)]
pub enum Zones {}

/// Gives the data of time zones, as the files of `/usr/share/zoneinfo` hold it (RFC 9636). Its limit is the names of zones.
///
/// ```no_run
/// use belljar::service::{Only, Time};
///
/// let mut time = Time::start(Only::these(["Europe/Berlin"]))?;
/// let data = time.zone("Europe/Berlin")?;
/// assert!(data.starts_with(b"TZif"));
/// # Ok::<(), belljar::service::ServiceError>(())
/// ```
pub type Time = Client<Zones>;

impl Time {
    /// Starts the service.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub fn start(limit: Only) -> Result<Self, ServiceError> {
        Self::builder(limit).start()
    }

    /// How it is started.
    pub fn builder(limit: Only) -> Builder<Zones> {
        Builder::new(limit, ())
    }

    /// The data of a zone; [`LOCAL`] is the machine's own.
    ///
    /// # Errors
    /// [`ServiceError::Beyond`], [`ServiceError::Absent`], and those of every call.
    pub fn zone(&mut self, name: &str) -> Result<Vec<u8>, ServiceError> {
        self.ask(Ask(name.to_owned())).map(|Bytes(data)| data)
    }
}

/// Name of the machine's own zone: `/etc/localtime`.
pub const LOCAL: &str = "localtime";

/// The name of a zone.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ask(String);

const FOLDER: &str = "/usr/share/zoneinfo";
const OWN: &str = "/etc/localtime";
/// Longest file of a zone in bytes.
const LONGEST: u64 = 512 << 10;

impl Kind for Zones {
    const NAME: &'static str = "time";
    const CALLS: &'static [Call] = seal::READING;
    type Limit = Only;
    type Ask = Ask;
    type Told = Bytes;
    type Means = ();
    type Config = ();
    type State = ();

    fn grant(_: &Only, (): ()) -> Result<Grant<()>, ServiceError> {
        // The same files that `--service time` grants.
        let policy = Policy::none().set("services", Self::NAME);
        policy.map(|policy| Grant::new(policy, ())).map_err(ServiceError::means(Self::NAME))
    }

    fn ready((): ()) -> io::Result<()> {
        Ok(())
    }

    fn answer((): &(), limit: &Only, Ask(name): Ask) -> Result<Bytes, Refusal> {
        if !limit.has(name.as_str()) {
            return Err(Refusal::Beyond);
        }
        let mut data = Vec::new();
        let path = if name == LOCAL { OWN.into() } else { Path::new(FOLDER).join(plain(&name)?) };
        std::fs::File::open(path)?.take(LONGEST + 1).read_to_end(&mut data)?;
        let whole = u64::try_from(data.len()).is_ok_and(|len| len <= LONGEST) && data.starts_with(b"TZif");
        if whole { Ok(Bytes(data)) } else { Err(Refusal::Failed(EIO)) }
    }
}

/// A name that leads nowhere but below the folder.
fn plain(name: &str) -> Result<&str, Refusal> {
    let part = |part: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+');
        !part.is_empty() && part.bytes().all(fits)
    };
    if name.len() < 128 && name.split('/').all(part) { Ok(name) } else { Err(Refusal::Absent) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_zones_are_looked_for() {
        for name in ["UTC", "Europe/Berlin", "Etc/GMT+5", "America/Argentina/Rio_Gallegos", "EST5EDT"] {
            assert_eq!(plain(name), Ok(name));
        }
        for name in ["", "/", "/etc/passwd", "..", "a/../b", "a//b", "a/", "a\0", "zone.tab"] {
            assert_eq!(plain(name), Err(Refusal::Absent), "{name:?}");
        }
    }
}
