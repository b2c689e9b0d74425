//! Running a program in a jar: the shape of `std::process::Command`.

mod child;
mod passed;
mod start;
mod stdio;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use belljar_policy::{Access, FsRule, FsSubject, Policy};

use crate::action;
use crate::ask::Ask;
use crate::broker::Judge;
use crate::event::Observer;
use crate::jar::Kept;
use crate::prepare::{Variables, home};
use crate::probe::HostFacts;
pub use child::{Child, Output};
use passed::Named;
pub(crate) use passed::is_passed;
pub use passed::passed;
pub use stdio::Stdio;

/// A program to run under a policy: the shape of `std::process::Command`, also in that one command starts any number of jars.
///
/// | as in `std::process` | what differs |
/// |---|---|
/// | [`arg`](Self::arg), [`args`](Self::args), [`stdin`](Self::stdin), [`stdout`](Self::stdout), [`stderr`](Self::stderr) | |
/// | [`env`](Self::env), [`envs`](Self::envs), [`env_remove`](Self::env_remove), [`env_clear`](Self::env_clear) | of the caller's own variables only those pass that the policy names |
/// | [`current_dir`](Self::current_dir) | where the jar has that folder; `/` otherwise |
/// | [`spawn`](Self::spawn), [`status`](Self::status), [`output`](Self::output) | they answer with a [`Report`](crate::Report), errors are [`StartError`](crate::error::StartError)s |
///
/// New are [`policy`](Self::policy), [`timeout`](Self::timeout), [`pass`](Self::pass) and [`plan`](Self::plan).
///
/// Starting is safe in a program with many threads: after the clone the child makes only system calls that were prepared before,
/// every descriptor of the library closes on exec, and no signal handler, process group or other state of the process is
/// touched. The jar's init sends no `SIGCHLD` and is not found by waiting for any child.
///
/// ```no_run
/// use std::time::Duration;
/// use belljar::{Command, policy::Policy};
///
/// let policy = Policy::preset("@strict")?.read("/srv/data")?;
/// let mut command = Command::new("wc");
/// command.args(["-l", "/srv/data/list"]).policy(policy).timeout(Duration::from_secs(10));
/// let output = command.output()?;
/// assert!(output.report.success(), "{}", output.report.reason);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Command {
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) stdio: [Stdio; 3],
    /// Which of them somebody has set.
    chosen: [bool; 3],
    pub(crate) env: Variables,
    pub(crate) cwd: Option<PathBuf>,
    pub(crate) home: Option<PathBuf>,
    pub(crate) facts: Option<Arc<HostFacts>>,
    /// What one start leaves to the next.
    pub(crate) kept: Kept,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) tells: bool,
    pub(crate) explains: bool,
    pub(crate) ask: Option<Ask>,
    pub(crate) judge: Option<Wrap>,
    /// What is written to `cow` folders is looked at.
    pub(crate) aside: bool,
    /// The program seals itself off before anything hostile reaches it.
    pub(crate) workers: bool,
    wall: Option<Duration>,
    named: BTreeMap<String, Named>,
}

type Wrapping = dyn Fn(Arc<dyn Judge>) -> Arc<dyn Judge> + Send + Sync;

/// Makes a judge of the policy's.
#[derive(Clone)]
pub(crate) struct Wrap(pub(crate) Arc<Wrapping>);

impl std::fmt::Debug for Wrap {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Wrap")
    }
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
            chosen: [false; 3],
            env: Variables::inherited(),
            cwd: None,
            home: home(),
            facts: None,
            kept: Kept::default(),
            observer: None,
            tells: false,
            explains: false,
            ask: None,
            judge: None,
            aside: false,
            workers: false,
            wall: None,
            named: BTreeMap::new(),
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
        self.env.extend_path(action::BIN);
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

    /// What the jar may do. A policy in an [`Arc`] is shared with other commands.
    pub fn policy(&mut self, policy: impl Into<Arc<Policy>>) -> &mut Self {
        self.policy = policy.into();
        self
    }

    /// Wall-clock limit, in place of the policy's; the whole tree is ended when it is reached, whatever the caller does then.
    pub fn timeout(&mut self, limit: Duration) -> &mut Self {
        self.wall = Some(limit);
        self
    }

    /// Folder that the program starts in, where the jar has it.
    pub fn current_dir(&mut self, folder: impl Into<PathBuf>) -> &mut Self {
        self.cwd = Some(folder.into());
        self
    }

    /// Sets a variable of the program, whatever the policy says about the caller's.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.env.set(name.as_ref(), value.as_ref());
        self
    }

    /// Sets variables.
    pub fn envs<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        &mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> &mut Self {
        variables.into_iter().for_each(|(name, value)| self.env.set(name.as_ref(), value.as_ref()));
        self
    }

    /// Keeps a variable away from the program, also one that the policy passes or sets.
    pub fn env_remove(&mut self, name: impl AsRef<OsStr>) -> &mut Self {
        self.env.remove(name.as_ref());
        self
    }

    /// Forgets the caller's variables and all that were set here. Those that the policy itself sets stay.
    pub fn env_clear(&mut self) -> &mut Self {
        self.env.clear();
        self
    }

    /// Takes these for the caller's variables, of which the policy passes some.
    pub fn caller_env(&mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> &mut Self {
        self.env.caller = variables.into_iter().collect();
        self
    }

    /// Standard input.
    pub fn stdin(&mut self, from: impl Into<Stdio>) -> &mut Self {
        self.stream(0, from.into())
    }

    /// Standard output.
    pub fn stdout(&mut self, to: impl Into<Stdio>) -> &mut Self {
        self.stream(1, to.into())
    }

    /// Standard error.
    pub fn stderr(&mut self, to: impl Into<Stdio>) -> &mut Self {
        self.stream(2, to.into())
    }

    fn stream(&mut self, at: usize, stdio: Stdio) -> &mut Self {
        self.stdio[at] = stdio;
        self.chosen[at] = true;
        self
    }

    /// Gives the program a descriptor by name, for what it was opened for. It keeps the number that it has here, and the variable
    /// `BELLJAR_FD_NAME` tells it: a shell writes `>&$BELLJAR_FD_NAME`, a program in Rust calls [`belljar::passed`](passed).
    /// Names are made of letters, digits and underscores; a name again replaces the descriptor.
    ///
    /// It is held as `--pass-fd` is: a file for reading, and any folder, is opened anew below a mount of its own, and a file
    /// opened for appending becomes a pipe to the supervisor, which appends. Only this program gets it: it stays close-on-exec
    /// in the caller, and open until the command is dropped.
    ///
    /// ```no_run
    /// use std::fs::File;
    /// use belljar::{Command, policy::Policy};
    ///
    /// let mut command = Command::new("sh");
    /// command.args(["-c", "read line <&$BELLJAR_FD_words"]).policy(Policy::preset("@strict")?);
    /// command.pass("words", File::open("/usr/share/dict/words")?);
    /// assert!(command.status()?.success());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pass(&mut self, name: &str, fd: impl Into<OwnedFd>) -> &mut Self {
        self.named.insert(name.to_owned(), Named::new(name, fd.into()));
        self
    }

    /// Tells this observer what the jar tries, while it runs. The report lists it in any case.
    pub fn observe(&mut self, observer: Arc<dyn Observer>) -> &mut Self {
        self.observer = Some(observer);
        self
    }

    /// Hears what the system call filter refuses, for the report: a listener at the start, and a round trip for each such call.
    pub fn tell_refusals(&mut self, tell: bool) -> &mut Self {
        self.tells = tell;
        self
    }

    /// Has the broker see every call that names a path, so that the report lists what of the host the program looked for and
    /// the policy does not grant. The verdicts stay the same; such calls take several times as long.
    pub fn explain(&mut self) -> &mut Self {
        self.explains = true;
        self.tell_refusals(true)
    }

    /// Asks the user about what the policy does not grant, while the jar runs.
    pub fn ask(&mut self, ask: Ask) -> &mut Self {
        self.ask = Some(ask);
        self
    }

    /// Puts a judge before the policy's, which it gets: what the broker answers is decided by it. Without a broker
    /// (`trace`, or a host that needs one) it is never asked.
    pub fn judge(
        &mut self,
        wrap: impl Fn(Arc<dyn Judge>) -> Arc<dyn Judge> + Send + Sync + 'static,
    ) -> &mut Self {
        self.judge = Some(Wrap(Arc::new(wrap)));
        self
    }

    /// The program forks workers, and neither they nor it can run or map what they write.
    pub(crate) fn for_workers(&mut self) -> &mut Self {
        self.workers = true;
        self
    }

    /// Uses these facts in place of a probe of this host. A command that starts several jars by the same facts plans once.
    pub fn host(&mut self, facts: impl Into<Arc<HostFacts>>) -> &mut Self {
        self.facts = Some(facts.into());
        self
    }
}
