//! Random numbers.

use std::io;

use belljar_policy::Policy;
use rustix::rand::{GetRandomFlags, getrandom};
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::error::ServiceError;
use super::kind::sealed::Kind;
use super::kind::{Call, Grant};
use super::limit::Amount;
use super::message::Refusal;
use super::start::Builder;
use crate::worker::Bytes;

/// The service behind [`Random`].
#[derive(Debug)]
pub enum Numbers {}

/// Gives random bytes, from the kernel. Its limit is how many, altogether.
///
/// Workers and jars have `getrandom(2)` anyway. This is for processes whose own filter has taken it away, and for an amount that is counted.
///
/// ```no_run
/// use belljar::service::{Amount, Random};
///
/// let mut random = Random::start(Amount::Any)?;
/// let mut some = random.narrowed(&Amount::Bytes(32))?;
/// let key = some.bytes(32)?;
/// # Ok::<(), belljar::service::ServiceError>(())
/// ```
pub type Random = Client<Numbers>;

impl Random {
    /// Starts the service.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub fn start(limit: Amount) -> Result<Self, ServiceError> {
        Self::builder(limit).start()
    }

    /// How it is started.
    pub fn builder(limit: Amount) -> Builder<Numbers> {
        Builder::new(limit, ())
    }

    /// So many random bytes, at most 4096.
    ///
    /// # Errors
    /// [`ServiceError::Spent`], [`ServiceError::Beyond`] for more than 4096, and those of every call.
    pub fn bytes(&mut self, count: u16) -> Result<Vec<u8>, ServiceError> {
        let Bytes(bytes) = self.ask(Ask(count))?;
        if bytes.len() == usize::from(count) { Ok(bytes) } else { Err(self.not_due()) }
    }
}

/// How many.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ask(u16);

/// Most bytes of one answer.
const MOST: u16 = 4096;

impl Kind for Numbers {
    const NAME: &'static str = "random";
    // `getrandom` is in `@sealed`.
    const CALLS: &'static [Call] = &[];
    type Limit = Amount;
    type Ask = Ask;
    type Told = Bytes;
    type Means = ();
    type Config = ();
    type State = ();

    fn grant(_: &Amount, (): ()) -> Result<Grant<()>, ServiceError> {
        Ok(Grant::new(Policy::none(), ()))
    }

    fn ready((): ()) -> io::Result<()> {
        Ok(())
    }

    fn answer((): &(), _: &Amount, Ask(count): Ask) -> Result<Bytes, Refusal> {
        if count > MOST {
            return Err(Refusal::Beyond);
        }
        let mut bytes = vec![0; usize::from(count)];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            filled += getrandom(rest, GetRandomFlags::empty())?;
        }
        Ok(Bytes(bytes))
    }

    fn cost(Ask(count): &Ask) -> u64 {
        u64::from(*count)
    }
}
