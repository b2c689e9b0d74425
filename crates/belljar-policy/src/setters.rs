//! Building a policy in a program.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::check;
use crate::error::PolicyError;
use crate::keys::key;
use crate::layer::{Layer, Word};
use crate::load::{Input, Request, load};
use crate::merge::merge;
use crate::model::{Access, Bytes, FsRule, FsSubject, NetMode, Origin, Policy, Setting};
use crate::value::path::{Base, fold};

impl Policy {
    /// A preset, for the current folder and home folder of this process. The two are all that this crate ever asks the host;
    /// [`Policy::preset_for`] asks nothing.
    ///
    /// ```
    /// let policy = belljar_policy::Policy::preset("@filter")?;
    /// assert!(policy.fs.tmp.is_none());
    /// # Ok::<(), belljar_policy::PolicyError>(())
    /// ```
    ///
    /// # Errors
    /// No such preset, or one of its folders is missing a home.
    pub fn preset(name: &str) -> Result<Self, PolicyError> {
        Self::preset_for(name, &here(), home().as_deref())
    }

    /// A preset for this current folder and home folder.
    ///
    /// # Errors
    /// As [`Policy::preset`].
    pub fn preset_for(name: &str, cwd: &Path, home: Option<&Path>) -> Result<Self, PolicyError> {
        let request = Request {
            inputs: vec![Input::Named(name.into())],
            cwd: cwd.to_owned(),
            home: home.map(Path::to_owned),
            ..Request::default()
        };
        load(&request, &|_| Err(std::io::ErrorKind::NotFound.into()))
    }

    /// Grants reading, listing and executing. The path is taken as it is, without the `?`, `~` and `SRC:DEST` of documents; a
    /// relative one counts from the current folder.
    ///
    /// # Errors
    /// The path is `/`, the home folder or a daemon's socket: see [`Policy::grant_dangerously`].
    pub fn read(self, path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        self.rule(path.as_ref(), Access::Read, false)
    }

    /// Grants reading and listing, refuses executing.
    ///
    /// # Errors
    /// As [`Policy::read`].
    pub fn read_noexec(self, path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        self.rule(path.as_ref(), Access::ReadNoexec, false)
    }

    /// Grants reading, writing, creating, removing and executing.
    ///
    /// # Errors
    /// As [`Policy::read`]; also for a folder that holds such a socket.
    pub fn write(self, path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        self.rule(path.as_ref(), Access::Write, false)
    }

    /// Lets writes succeed and keeps them aside.
    ///
    /// # Errors
    /// As [`Policy::write`].
    pub fn cow(self, path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        self.rule(path.as_ref(), Access::Cow, false)
    }

    /// Hides a path inside a granted folder.
    ///
    /// # Errors
    /// None today.
    pub fn hide(self, path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        self.rule(path.as_ref(), Access::Hide, false)
    }

    /// Grants what the other setters refuse: `/`, the home folder, a daemon's socket.
    ///
    /// # Errors
    /// None today.
    pub fn grant_dangerously(self, path: impl AsRef<Path>, access: Access) -> Result<Self, PolicyError> {
        self.rule(path.as_ref(), access, true)
    }

    /// Grants the program's own file, its interpreter and its libraries.
    ///
    /// # Errors
    /// None today.
    pub fn read_program(self) -> Result<Self, PolicyError> {
        self.insert(FsSubject::Program, Access::Read, false)
    }

    /// The program does no more than these promises of OpenBSD's `pledge`, or is ended. The planner knows the words.
    ///
    /// ```
    /// let policy = belljar_policy::Policy::preset("@strict")?.promise("stdio rpath prot_exec");
    /// # Ok::<(), belljar_policy::PolicyError>(())
    /// ```
    #[must_use]
    pub fn promise(mut self, words: &str) -> Self {
        self.promises = Some(api(words.to_owned()));
        self
    }

    /// Gives the jar a private `/tmp` of this size.
    #[must_use]
    pub fn tmp(mut self, size: Bytes) -> Self {
        self.fs.tmp = Some(api(size));
        self
    }

    /// Keeps writes to `cow` folders in memory of this size until the end, when they are dropped.
    #[must_use]
    pub fn throw_away(mut self, size: Bytes) -> Self {
        self.fs.throw_away = Some(api(size));
        self
    }

    /// A network mode (`off`, `none`, `list`, `host`) or a host that is reached, as `--net` takes it.
    ///
    /// # Errors
    /// The text is no mode and no host.
    pub fn net(self, text: &str) -> Result<Self, PolicyError> {
        self.word("net.mode", text)
    }

    /// The mode of the network.
    ///
    /// # Errors
    /// None today.
    pub fn net_mode(self, mode: NetMode) -> Result<Self, PolicyError> {
        self.word("net.mode", crate::words::word(crate::words::NET_MODES, &mode))
    }

    /// A host that is never reached.
    ///
    /// # Errors
    /// The text is no host.
    pub fn net_deny(self, host: &str) -> Result<Self, PolicyError> {
        self.word("net.deny", host)
    }

    /// A variable that passes, or a prefix with a final `*`.
    ///
    /// # Errors
    /// The text is no name.
    pub fn env_pass(self, pattern: &str) -> Result<Self, PolicyError> {
        let mut layer = Layer::default();
        let pattern = crate::value::name::env_pattern(pattern)?;
        layer.pass.push(api(pattern));
        self.with(layer)
    }

    /// A variable with a fixed value.
    ///
    /// # Errors
    /// The name is no name, or the value holds a NUL byte.
    pub fn env_set(self, name: &str, value: &str) -> Result<Self, PolicyError> {
        let mut layer = Layer::default();
        let name = crate::value::name::env_exact(name)?;
        layer.set.insert(name, api(crate::value::name::env_value(value)?));
        self.with(layer)
    }

    /// A system call or `@group` that passes.
    ///
    /// # Errors
    /// The text has not the shape of a name.
    pub fn allow_syscall(self, name: &str) -> Result<Self, PolicyError> {
        self.word("syscalls.allow", name)
    }

    /// A system call or `@group` that never passes.
    ///
    /// # Errors
    /// The text has not the shape of a name.
    pub fn deny_syscall(self, name: &str) -> Result<Self, PolicyError> {
        self.word("syscalls.deny", name)
    }

    /// Wall-clock time of the run.
    #[must_use]
    pub fn wall(mut self, time: Duration) -> Self {
        self.limits.wall = Some(api(time));
        self
    }

    /// Memory of the whole process tree.
    #[must_use]
    pub fn memory(mut self, size: Bytes) -> Self {
        self.limits.memory = Some(api(size));
        self
    }

    /// Processes and threads at once.
    #[must_use]
    pub fn pids(mut self, count: u32) -> Self {
        self.limits.pids = Some(api(count));
        self
    }

    /// Any key of the table with its text, as its flag takes it.
    ///
    /// ```
    /// let policy = belljar_policy::Policy::none().set("limits.cpu", "10s")?;
    /// assert!(policy.limits.cpu.is_some());
    /// # Ok::<(), belljar_policy::PolicyError>(())
    /// ```
    ///
    /// # Errors
    /// No such key, or no value of it.
    pub fn set(self, name: &str, text: &str) -> Result<Self, PolicyError> {
        self.word(name, text)
    }

    fn rule(self, path: &Path, access: Access, dangerous: bool) -> Result<Self, PolicyError> {
        let path = if path.is_absolute() { fold(path) } else { fold(&here().join(path)) };
        self.insert(FsSubject::Path(path), access, dangerous)
    }

    fn insert(self, subject: FsSubject, access: Access, dangerous: bool) -> Result<Self, PolicyError> {
        let rule = FsRule { subject, dest: None, access, optional: false, dangerous, origin: Origin::Api };
        self.with(Layer { rules: vec![rule], ..Layer::default() })
    }

    fn word(self, name: &str, text: &str) -> Result<Self, PolicyError> {
        let names = crate::keys::KEYS.iter().map(|key| key.name);
        let key = key(name).ok_or_else(|| crate::value::name::unknown(name, "key", names))?;
        let (cwd, home) = (here(), home());
        let base = Base { folder: &cwd, home: home.as_deref() };
        let value = crate::flags::scalar(text.as_ref(), key.kind);
        let mut layer = Layer::default();
        (key.set)(
            &mut layer,
            Word {
                key: key.name,
                kind: key.kind,
                name: None,
                value,
                from_flag: true,
                base,
                origin: Origin::Api,
            },
        )?;
        self.with(layer)
    }

    fn with(mut self, mut layer: Layer) -> Result<Self, PolicyError> {
        let (cwd, home) = (here(), home());
        let permitted = std::mem::take(&mut layer.permitted);
        merge(&mut self, layer)?;
        check::finish(self, &permitted, Base { folder: &cwd, home: home.as_deref() })
    }
}

fn api<T>(value: T) -> Setting<T> {
    Setting::new(value, Origin::Api)
}

/// Where this process is; `/` when nobody can say, which grants less than a wrong folder would.
fn here() -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"))
}

fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute())
}
