//! Starting a service: this program once more, in a jar that grants what the service looks up, and nothing else.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use belljar_policy::Policy;

use super::client::{Client, Host};
use super::error::ServiceError;
use super::inside::{SOCKET, Setup, Unready};
use super::kind::{Grant, Service};
use super::seal;
use crate::command::{Command, Stdio};
use crate::error::{PlanError, StartError};
use crate::plan;
use crate::probe::{self, HostFacts};
use crate::worker::Bytes;
use crate::worker::channel::{Deadline, Inbox, Outgoing, pair, send};
use crate::worker::code::{decode, encode};
use crate::worker::frame::{Kind as Message, MOST_INLINE};
use crate::worker::life::shown;

/// How a service is started.
#[derive(Debug)]
#[must_use]
pub struct Builder<S: Service> {
    limit: S::Limit,
    pub(super) means: S::Means,
    program: Option<PathBuf>,
    within: Duration,
}

impl<S: Service> Builder<S> {
    pub(super) fn new(limit: S::Limit, means: S::Means) -> Self {
        Self { limit, means, program: None, within: Duration::from_secs(10) }
    }

    /// Another program that calls [`serve`](super::serve), by its absolute path: a small helper beside a large program.
    pub fn program(mut self, file: impl Into<PathBuf>) -> Self {
        self.program = Some(file.into());
        self
    }

    /// How long the process may take to get ready: 10 seconds unless set.
    pub fn start_within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// What its jar grants: for those who look before they start, and for tests.
    ///
    /// # Errors
    /// As [`Builder::start`], as far as the limit and the means go.
    pub fn policy(&self) -> Result<Policy, ServiceError> {
        whole::<S>(S::grant(&self.limit, self.means.clone())?.policy)
    }

    /// Starts it; it is ready and sealed off when this returns.
    ///
    /// # Errors
    /// [`ServiceError::Start`] (also where this host refuses user namespaces: nothing is begun then), [`ServiceError::Setup`],
    /// [`ServiceError::Means`]: nothing of it is left then.
    pub fn start(self) -> Result<Client<S>, ServiceError> {
        let facts = able::<S>()?;
        let Grant { policy, passes, config, helper } = S::grant(&self.limit, self.means.clone())?;
        let filter = seal::filter(S::CALLS).map_err(unready::<S>)?;
        let body = Bytes(encode(&(&self.limit, &config))?.0);
        let (channel, theirs) = pair().map_err(ServiceError::system("making a socket"))?;
        let mut command = self.command(policy)?;
        command.host(facts);
        command.pass(SOCKET, theirs);
        for (name, fd) in passes {
            command.pass(name, fd);
        }
        let child = command.spawn()?;
        drop(command);
        agree::<S>(&channel, &Setup { name: S::NAME.to_owned(), filter, body }, self.within)?;
        Ok(Client::new(channel, Some(Arc::new(Host { child, _helper: helper }))))
    }

    fn command(&self, policy: Policy) -> Result<Command, ServiceError> {
        let program = match &self.program {
            Some(file) => file.clone(),
            None => {
                std::env::current_exe().map_err(ServiceError::system("asking for this program's file"))?
            }
        };
        let mut command = Command::new(program);
        command.policy(whole::<S>(policy)?).for_workers().env_clear().current_dir("/");
        command.stdin(Stdio::Null).stdout(Stdio::Null).stderr(Stdio::Null);
        Ok(command)
    }
}

/// What this host can do, if that is enough for a service: with less than a jar of its own one wall would be left of two, and no
/// policy of the caller's could say that this is meant.
fn able<S: Service>() -> Result<HostFacts, ServiceError> {
    let facts = probe::for_plan();
    if plan::has_namespaces(&facts) {
        return Ok(facts);
    }
    let (rule, origin) = (format!("service {}", S::NAME), "belljar::service".to_owned());
    Err(StartError::Plan(PlanError::NeedsUserns { rule, origin }).into())
}

/// The policy with what every program takes to start.
fn whole<S: Service>(policy: Policy) -> Result<Policy, ServiceError> {
    let policy = policy.read_program().and_then(|policy| policy.allow_syscall("@worker"));
    let policy = policy.and_then(|policy| policy.allow_syscall("socketpair"));
    policy.map_err(|error| unready::<S>(error.to_string()))
}

fn unready<S: Service>(why: String) -> ServiceError {
    ServiceError::Setup { name: S::NAME, why }
}

/// Tells it what it is; fails unless it is sealed off.
fn agree<S: Service>(channel: &OwnedFd, setup: &Setup, within: Duration) -> Result<(), ServiceError> {
    let until = Deadline::after(within);
    let silent = || unready::<S>(SILENT.to_owned());
    let body = encode(setup)?.0;
    send(channel.as_fd(), &Outgoing::new(Message::Setup, 0, &body), until).map_err(|_| silent())?;
    let mut inbox = Inbox::new(MOST_INLINE);
    let frame = inbox.next(channel.as_fd(), until).map_err(|_| silent())?;
    match frame.kind {
        Message::Sealed => Ok(()),
        Message::Failed => {
            let why = decode::<Unready>(&frame.body, frame.descriptors).map_err(|_| silent())?;
            let step = shown(why.step.as_bytes());
            Err(unready::<S>(format!("{step} failed with error {}", why.errno)))
        }
        _ => Err(silent()),
    }
}

const SILENT: &str = "it does not call belljar::service::serve first of all, or ended before that";
