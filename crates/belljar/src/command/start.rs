//! From a command to a jar that runs.

use std::convert::Infallible;
use std::mem;
use std::sync::Arc;

use belljar_policy::{Origin, Policy, Setting};

use super::{Child, Command, Output, Stdio};
use crate::error::StartError;
use crate::jar::{self, Aside};
use crate::plan::{Call, Plan};
use crate::prepare;
use crate::probe::{self, HostFacts};
use crate::report::Report;
use crate::service;
use crate::spawn::supervisor;
use crate::threads::Mode;
use crate::walk::Walker;

impl Command {
    /// What would be done, without doing it.
    ///
    /// ```
    /// use belljar::{Command, policy::Policy};
    ///
    /// match Command::new("true").policy(Policy::preset("@strict")?).plan() {
    ///     Ok(plan) => println!("{} rules are held", plan.enforced.len()),
    ///     Err(error) => println!("this host cannot: {error}"),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`StartError::Plan`]: the policy cannot be enforced here. A grant of what is not there, or leads to too much.
    pub fn plan(&self) -> Result<Plan, StartError> {
        let policy = self.whole_policy()?;
        let facts = self.facts_for(&policy);
        let call = Call { workers: self.workers, ..Call::new(jar::look(&self.stdio).terminals, false) };
        let mut plan = crate::plan::plan(&policy, &facts, call)?;
        plan.enforced = prepare::held(&plan, self.home.as_deref(), Walker::new(&facts.root_links))?;
        Ok(plan)
    }

    /// Starts the program and returns once its exec has succeeded.
    ///
    /// ```no_run
    /// use std::io::{Read, Write};
    ///
    /// use belljar::{Command, Stdio};
    ///
    /// let mut child = Command::new("wc").arg("-w").stdin(Stdio::Piped).stdout(Stdio::Piped).spawn()?;
    /// if let Some(mut input) = child.stdin.take() {
    ///     input.write_all(b"three short words")?; // closed here, so that wc sees the end
    /// }
    /// let mut count = String::new();
    /// if let Some(mut output) = child.stdout.take() {
    ///     output.read_to_string(&mut count)?;
    /// }
    /// assert!(child.wait()?.success());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Anything that kept the jar from starting; nothing of it is left then.
    pub fn spawn(&mut self) -> Result<Child, StartError> {
        self.start(Mode::Library, |running, pipes, _| Child::attended(running, pipes))?
    }

    /// Runs the program to its end. Standard descriptors are the caller's unless set otherwise.
    ///
    /// # Errors
    /// As [`Command::spawn`] and [`Child::wait`].
    pub fn status(&mut self) -> Result<Report, StartError> {
        self.spawn()?.wait()
    }

    /// Runs the program to its end and returns what it wrote. What was not set is nothing for the input and a pipe for the
    /// others. See [`Child::wait_with_output`] for how much is kept.
    ///
    /// # Errors
    /// As [`Command::spawn`] and [`Child::wait`].
    pub fn output(&mut self) -> Result<Output, StartError> {
        self.spawn_for_output()?.wait_with_output()
    }

    /// Starts with what [`Command::output`] takes for descriptors that nobody has set.
    pub(crate) fn spawn_for_output(&mut self) -> Result<Child, StartError> {
        let taken = [Stdio::Null, Stdio::Piped, Stdio::Piped];
        for ((stdio, new), _) in self.stdio.iter_mut().zip(taken).zip(self.chosen).filter(|(_, set)| !set) {
            *stdio = new;
        }
        let child = self.spawn();
        for (stdio, _) in self.stdio.iter_mut().zip(self.chosen).filter(|(_, set)| !set) {
            *stdio = Stdio::Inherit;
        }
        child
    }

    /// Runs the program as this whole process' job: signals are passed on, and the jar ends with the calling thread.
    /// Failures are told in the report.
    pub fn run(&mut self) -> Report {
        self.run_with(false).0
    }

    /// As [`Command::run`], for a process that has nothing else to do: it ends with the status that `then` gives for the
    /// report. Destructors do not run; nothing of the jar is left on the host all the same.
    ///
    /// ```no_run
    /// belljar::Command::new("make").run_and_exit(|report| report.verdict.exit_code());
    /// ```
    #[expect(clippy::disallowed_methods, reason = "ending the process is what this is for")]
    pub fn run_and_exit(&mut self, then: impl FnOnce(&Report) -> u8) -> ! {
        let (facts, mut then) = (self.facts.clone(), Some(then));
        let mut end = |ended: Result<Report, StartError>| -> Infallible {
            let failed =
                |error| Report::failed(&error, &facts.clone().unwrap_or_else(|| probe::probe().into()));
            let report = ended.unwrap_or_else(failed);
            std::process::exit(then.take().map_or(1, |then| then(&report)).into())
        };
        let ran = self.start(Mode::Foreground, |running, _, explain| end(running.finish_for_good(explain)));
        match ran.map_err(|error| end(Err(error))) {
            Ok(never) | Err(never) => match never {},
        }
    }

    /// The same; with `aside`, what was written to `cow` folders comes back.
    pub(crate) fn run_with(&mut self, aside: bool) -> (Report, Option<Aside>) {
        self.aside = aside;
        let ended = self.start(Mode::Foreground, |mut running, _, explain| {
            let aside = running.take_aside();
            (running.finish(explain), aside)
        });
        let (report, aside) = match ended {
            Ok((report, aside)) => (report, aside),
            Err(error) => (Err(error), None),
        };
        let failed =
            |error| Report::failed(&error, &self.facts.clone().unwrap_or_else(|| probe::probe().into()));
        (report.unwrap_or_else(failed), aside)
    }

    /// Starts under the policy and what the command itself adds to it.
    fn start<R>(
        &mut self,
        mode: Mode,
        then: impl FnOnce(jar::Running, jar::Pipes, jar::Explain<'_>) -> R,
    ) -> Result<R, StartError> {
        let whole = self.whole_policy()?;
        let given = mem::replace(&mut self.policy, whole);
        for named in self.named.values() {
            self.env.set(named.variable().as_ref(), named.number().as_ref());
        }
        let started = jar::start(self, mode, then);
        self.policy = given;
        started
    }

    fn whole_policy(&self) -> Result<Arc<Policy>, StartError> {
        let mut policy = Arc::clone(&self.policy);
        if let Some(limit) = self.wall {
            Arc::make_mut(&mut policy).limits.wall = Some(Setting::new(limit, Origin::Api));
        }
        if self.explains {
            let origin = Origin::Flag("--explain".to_owned());
            Arc::make_mut(&mut policy).trace = Setting::new(true, origin);
        }
        for named in self.named.values() {
            Arc::make_mut(&mut policy).pass_fds.push(named.rule()?);
        }
        if !policy.services.is_empty() {
            let folder = policy.fs.cwd.as_ref().map(|cwd| cwd.value.clone()).or_else(|| self.cwd.clone());
            let folder = folder.map_or_else(std::env::current_dir, Ok);
            let folder = folder.map_err(|source| supervisor("naming the current folder", source))?;
            service::answer(Arc::make_mut(&mut policy), &self.args, &folder)?;
        }
        jar::named(policy, jar::Around { env: &self.env.caller, home: self.home.as_deref() })
    }

    /// What plans look at.
    pub(crate) fn host_facts(&self) -> Arc<HostFacts> {
        self.facts_for(&self.policy)
    }

    fn facts_for(&self, policy: &Policy) -> Arc<HostFacts> {
        if let Some(facts) = &self.facts {
            return Arc::clone(facts);
        }
        let (mut facts, limits) = (probe::for_plan(), &policy.limits);
        if limits.memory.is_some() || limits.pids.is_some() {
            facts.cgroup = probe::cgroup();
        }
        Arc::new(facts)
    }
}
