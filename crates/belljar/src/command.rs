//! Running a program in a jar: the shape of `std::process::Command`.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use belljar_policy::{Access, FsRule, FsSubject, Policy};

use crate::action;
use crate::ask::Ask;
use crate::broker::Judge;
use crate::error::StartError;
use crate::event::Observer;
use crate::jar::{self, Aside, Running};
use crate::plan::{Call, Plan};
use crate::probe::{self, HostFacts};
use crate::report::Report;

/// Where a standard descriptor of the program comes from.
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum Stdio {
    /// The caller's own. A terminal is replaced by one of the jar's own, relayed while [`Child::wait`] runs.
    #[default]
    Inherit,
    /// Nothing to read, and writes vanish.
    Null,
    /// A pipe whose other end the [`Child`] holds.
    Piped,
    /// This descriptor.
    From(OwnedFd),
}

/// A program to run under a policy.
///
/// ```no_run
/// use belljar::{Command, policy::Policy};
///
/// let report = Command::new("/bin/true").policy(Policy::preset("@strict")?).spawn()?.wait()?;
/// assert_eq!(report.verdict.exit_code(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Command {
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) stdio: [Stdio; 3],
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) cwd: Option<PathBuf>,
    pub(crate) home: Option<PathBuf>,
    pub(crate) facts: Option<HostFacts>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) tells: bool,
    pub(crate) explains: bool,
    pub(crate) ask: Option<Ask>,
    pub(crate) judge: Option<Wrap>,
    /// What is written to `cow` folders is looked at.
    pub(crate) aside: bool,
}

type Wrapping = dyn FnOnce(Arc<dyn Judge>) -> Arc<dyn Judge> + Send;

/// Makes a judge of the policy's.
pub(crate) struct Wrap(pub(crate) Box<Wrapping>);

impl std::fmt::Debug for Wrap {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Wrap")
    }
}

/// The caller's home folder: what the environment says, else the list of accounts.
fn home() -> Option<PathBuf> {
    let named = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    named.or_else(|| {
        listed_home(&std::fs::read_to_string("/etc/passwd").ok()?, rustix::process::geteuid().as_raw())
    })
}

/// Sixth field of the account with this id.
fn listed_home(accounts: &str, uid: u32) -> Option<PathBuf> {
    let uid = uid.to_string();
    let mut lines = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let account = lines.find(|fields| fields.get(2) == Some(&uid.as_str()))?;
    account.get(5).map(PathBuf::from).filter(|home| home.is_absolute())
}

impl Command {
    /// A command under [`Policy::none`]: nothing is granted until [`Command::policy`] says so.
    #[must_use]
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_os_string(),
            args: Vec::new(),
            policy: Arc::new(Policy::none()),
            stdio: [Stdio::Inherit, Stdio::Inherit, Stdio::Inherit],
            env: std::env::vars_os().collect(),
            cwd: None,
            home: home(),
            facts: None,
            observer: None,
            tells: false,
            explains: false,
            ask: None,
            judge: None,
            aside: false,
        }
    }

    /// Puts `file`, the belljar program, into the jar under the name by which a jar asks for actions, at the end of its PATH.
    /// Nothing where the policy has none; call it after [`Command::policy`].
    pub fn helper(&mut self, file: impl Into<PathBuf>) -> &mut Self {
        let Some(first) = self.policy.actions.first() else { return self };
        let rule = FsRule {
            subject: FsSubject::Path(file.into()),
            dest: Some(Path::new(action::BIN).join(action::HELPER)),
            access: Access::Read,
            optional: false,
            dangerous: false,
            origin: first.origin.clone(),
        };
        Arc::make_mut(&mut self.policy).fs.rules.push(rule);
        for (_, value) in self.env.iter_mut().filter(|(name, _)| name == "PATH") {
            value.push(":");
            value.push(action::BIN);
        }
        self
    }

    /// Adds an argument.
    pub fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Self {
        self.args.push(arg.as_ref().to_os_string());
        self
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(&mut self, args: impl IntoIterator<Item = S>) -> &mut Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_os_string()));
        self
    }

    /// What the jar may do.
    pub fn policy(&mut self, policy: Policy) -> &mut Self {
        self.policy = Arc::new(policy);
        self
    }

    /// Wall-clock limit; the whole tree is ended when it is reached.
    pub fn timeout(&mut self, limit: Duration) -> &mut Self {
        let origin = belljar_policy::Origin::Api;
        Arc::make_mut(&mut self.policy).limits.wall = Some(belljar_policy::Setting::new(limit, origin));
        self
    }

    /// Folder that the program starts in, where the jar has it.
    pub fn current_dir(&mut self, folder: impl Into<PathBuf>) -> &mut Self {
        self.cwd = Some(folder.into());
        self
    }

    /// Variables that the policy may pass, in place of the caller's.
    pub fn envs(&mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> &mut Self {
        self.env = variables.into_iter().collect();
        self
    }

    /// Standard input.
    pub fn stdin(&mut self, from: Stdio) -> &mut Self {
        self.stdio[0] = from;
        self
    }

    /// Standard output.
    pub fn stdout(&mut self, to: Stdio) -> &mut Self {
        self.stdio[1] = to;
        self
    }

    /// Standard error.
    pub fn stderr(&mut self, to: Stdio) -> &mut Self {
        self.stdio[2] = to;
        self
    }

    /// Tells this observer what the jar tries, while it runs. The report lists it in any case.
    pub fn observe(&mut self, observer: Arc<dyn Observer>) -> &mut Self {
        self.observer = Some(observer);
        self
    }

    /// Has [`Command::run`] hear what the system call filter refuses, for the report: a listener at the start, and a
    /// round trip for each such call. [`Command::spawn`] does not: nobody answers before [`Child::wait`].
    pub fn tell_refusals(&mut self, tell: bool) -> &mut Self {
        self.tells = tell;
        self
    }

    /// Has the broker see every call that names a path, so that the report lists what of the host the program looked for and
    /// the policy does not grant. The verdicts stay the same; such calls take several times as long.
    pub fn explain(&mut self) -> &mut Self {
        let origin = belljar_policy::Origin::Flag("--explain".to_owned());
        Arc::make_mut(&mut self.policy).trace = belljar_policy::Setting::new(true, origin);
        self.explains = true;
        self.tell_refusals(true)
    }

    /// Asks the user about what the policy does not grant. Questions are put while [`Child::wait`] or [`Command::run`] runs.
    pub fn ask(&mut self, ask: Ask) -> &mut Self {
        self.ask = Some(ask);
        self
    }

    /// Puts a judge before the policy's, which it gets: what the broker answers is decided by it. Without a broker
    /// (`trace`, or a host that needs one) it is never asked.
    pub fn judge(
        &mut self,
        wrap: impl FnOnce(Arc<dyn Judge>) -> Arc<dyn Judge> + Send + 'static,
    ) -> &mut Self {
        self.judge = Some(Wrap(Box::new(wrap)));
        self
    }

    /// Uses these facts in place of a probe of this host.
    pub fn host(&mut self, facts: HostFacts) -> &mut Self {
        self.facts = Some(facts);
        self
    }

    /// What would be done, without doing it.
    ///
    /// # Errors
    /// [`StartError::Plan`]: the policy cannot be enforced here.
    pub fn plan(&self) -> Result<Plan, StartError> {
        let facts = self.host_facts();
        Ok(crate::plan::plan(&self.policy, &facts, Call::new(jar::look(&self.stdio).terminals, false))?)
    }

    /// Starts the program and returns once its exec has succeeded. Safe in a program with many threads.
    ///
    /// # Errors
    /// Anything that kept the jar from starting; nothing of it is left then.
    pub fn spawn(&mut self) -> Result<Child, StartError> {
        jar::start(self, jar::Mode::Library, |running, [stdin, stdout, stderr], _| Child {
            running,
            stdin,
            stdout,
            stderr,
        })
    }

    /// Runs the program as this whole process' job: signals are passed on, and the jar ends with the calling thread.
    /// Failures are told in the report.
    pub fn run(&mut self) -> Report {
        self.run_with(false).0
    }

    /// The same; with `aside`, what was written to `cow` folders comes back.
    pub(crate) fn run_with(&mut self, aside: bool) -> (Report, Option<Aside>) {
        self.aside = aside;
        let ended = jar::start(self, jar::Mode::Foreground, |mut running, _, explain| {
            let aside = running.take_aside();
            (running.finish(explain), aside)
        });
        let (report, aside) = match ended {
            Ok((report, aside)) => (report, aside),
            Err(error) => (Err(error), None),
        };
        let failed = |error| Report::failed(&error, &self.facts.clone().unwrap_or_else(probe::probe));
        (report.unwrap_or_else(failed), aside)
    }

    /// What plans look at.
    pub(crate) fn host_facts(&self) -> HostFacts {
        let mut facts = self.facts.clone().unwrap_or_else(probe::for_plan);
        let limits = &self.policy.limits;
        if self.facts.is_none() && (limits.memory.is_some() || limits.pids.is_some()) {
            facts.cgroup = probe::cgroup();
        }
        facts
    }
}

/// A running jar. Dropping it ends every process in it.
#[derive(Debug)]
pub struct Child {
    running: Running,
    /// Write end of the program's standard input, when it was [`Stdio::Piped`].
    pub stdin: Option<OwnedFd>,
    /// Read end of its standard output.
    pub stdout: Option<OwnedFd>,
    /// Read end of its standard error.
    pub stderr: Option<OwnedFd>,
}

impl Child {
    /// Pid of the jar's init on this host.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.running.id()
    }

    /// Waits for the end. Nothing of the jar lives when this returns. The limits that the supervisor watches (time,
    /// memory without a control group, output) act while this runs.
    ///
    /// # Errors
    /// The supervisor's own calls failed; the jar is ended then.
    pub fn wait(self) -> Result<Report, StartError> {
        drop(self.stdin);
        self.running.wait()
    }

    /// Ends every process of the jar.
    ///
    /// # Errors
    /// The kernel's.
    pub fn kill(&mut self) -> Result<(), StartError> {
        self.running.kill()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_folder_is_found_without_the_environment() {
        let accounts =
            "root:x:0:0:root:/root:/bin/bash\nodd\nu:x:7:7::/home/u:/bin/sh\nv:x:8:8::none:/bin/sh";
        assert_eq!(listed_home(accounts, 7), Some(PathBuf::from("/home/u")));
        assert_eq!(listed_home(accounts, 8), None);
        assert_eq!(listed_home(accounts, 9), None);
    }
}
