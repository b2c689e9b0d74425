//! The thread that the broker's come from, in a Landlock domain: the jar is cloned there, so that they may look at its processes.

use std::sync::mpsc::{Sender, channel, sync_channel};
use std::thread::{Builder, Scope};

use belljar_sys::abi::LandlockRuleset;
use belljar_sys::call;

use crate::confine::{ConfineError, NO_NEW_PRIVS, enter, kernel};
use crate::error::StartError;
use crate::plan::{DomainPlan, FS_PROCESSES, LandlockPlan, Plan};
use crate::prepare::{Prepared, Rule};
use crate::spawn::supervisor;
use crate::threads::{Mode, quietly};

type Job<'env> = Box<dyn FnOnce() + Send + 'env>;

/// Runs jobs on that thread. It ends with this; threads that were started there stay in the domain.
pub(super) struct Fence<'env>(Sender<Job<'env>>);

impl<'env> Fence<'env> {
    /// The domain of the plan, if it has one.
    pub(super) fn domain(plan: &Plan) -> Option<(&DomainPlan, &LandlockPlan)> {
        plan.broker.as_ref()?.domain.as_ref().zip(plan.landlock.as_ref())
    }

    /// Starts the thread.
    pub(super) fn raise<'scope>(
        scope: &'scope Scope<'scope, 'env>,
        (domain, landlock): (&'env DomainPlan, &'env LandlockPlan),
        mode: Mode,
        prepared: &Prepared<'_>,
    ) -> Result<Self, StartError> {
        let mut rules = prepared.granted.clone();
        // Memory of the jar's processes, which have no folder of their own. Of others the kernel shows a thread in a domain names
        // and states, no memory; files of settings are root's.
        rules.push(Rule { path: "/proc".into(), allowed: FS_PROCESSES, optional: false });
        let failed = |source| supervisor("confining the broker by Landlock", source);
        let (jobs, waiting) = channel::<Job<'env>>();
        let (ready, raised) = sync_channel(1);
        let work = move || {
            let confined = confine(domain, landlock, &rules);
            let is_confined = confined.is_ok();
            if ready.send(confined).is_ok() && is_confined {
                waiting.into_iter().for_each(|job| job());
            }
        };
        let thread = Builder::new().name("broker's origin".to_owned());
        quietly(mode, || thread.spawn_scoped(scope, work)).map_err(failed)?;
        raised.recv().map_err(|_| gone())?.map_err(|error| failed(std::io::Error::other(error)))?;
        Ok(Self(jobs))
    }

    /// Runs it there.
    pub(super) fn run<T: Send + 'env>(&self, job: impl FnOnce() -> T + Send + 'env) -> Result<T, StartError> {
        let (done, result) = sync_channel(1);
        let job = Box::new(move || drop(done.send(job())));
        self.0.send(job).map_err(|_| gone())?;
        result.recv().map_err(|_| gone())
    }
}

/// Runs something behind the fence, or here where there is none.
pub(super) fn behind<'env, T: Send + 'env>(
    fence: Option<&Fence<'env>>,
    job: impl FnOnce() -> T + Send + 'env,
) -> Result<T, StartError> {
    match fence {
        Some(fence) => fence.run(job),
        None => Ok(job()),
    }
}

fn gone() -> StartError {
    supervisor("confining the broker by Landlock", std::io::ErrorKind::BrokenPipe.into())
}

fn confine(domain: &DomainPlan, landlock: &LandlockPlan, rules: &[Rule]) -> Result<(), ConfineError> {
    call::prctl(NO_NEW_PRIVS, 1).map_err(kernel("no_new_privs"))?;
    // Signals stay free: on some kernels a domain takes those to the threads of this process.
    const ABSTRACT_SOCKETS: u64 = 1;
    let scoped = landlock.scoped & ABSTRACT_SOCKETS;
    enter(&LandlockRuleset { fs: landlock.fs, net: domain.net, scoped }, rules, &domain.ports)
}
