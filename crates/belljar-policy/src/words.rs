//! The words that stand for values, once, for reading and for printing.

use crate::model::{
    Access, Action, DevView, FdMode, NetMode, Otherwise, ProcView, Service, ServiceRule, Subject, UnixService,
};
use crate::value::{Written, path};

/// Words of `[fs]` rules.
pub(crate) const ACCESS: &[(&str, Access)] = &[
    ("hide", Access::Hide),
    ("read", Access::Read),
    ("read-noexec", Access::ReadNoexec),
    ("cow", Access::Cow),
    ("write", Access::Write),
];

/// Words of `net.mode`.
pub(crate) const NET_MODES: &[(&str, NetMode)] =
    &[("off", NetMode::Off), ("none", NetMode::None), ("list", NetMode::List), ("host", NetMode::Host)];

/// Words of `net.sockets`; anything else is a path.
pub(crate) const UNIX_SERVICES: &[(&str, UnixService)] =
    &[("ssh-agent", UnixService::SshAgent), ("gpg-agent", UnixService::GpgAgent)];

/// Words of `fs.proc`.
pub(crate) const PROC_VIEWS: &[(&str, ProcView)] = &[("none", ProcView::None), ("own", ProcView::Own)];

/// Words of `fs.dev`.
pub(crate) const DEV_VIEWS: &[(&str, DevView)] = &[("none", DevView::None), ("basic", DevView::Basic)];

/// Words of `syscalls.otherwise`.
pub(crate) const OTHERWISE: &[(&str, Otherwise)] =
    &[("refuse", Otherwise::Refuse), ("kill", Otherwise::Kill)];

/// Words of `[require]` and `allow-weaker`.
pub(crate) const SUBJECTS: &[(&str, Subject)] = &[
    ("fs", Subject::Fs),
    ("net", Subject::Net),
    ("ipc", Subject::Ipc),
    ("syscalls", Subject::Syscalls),
    ("memory", Subject::Memory),
    ("pids", Subject::Pids),
    ("cpu", Subject::Cpu),
    ("privileges", Subject::Privileges),
];

/// Words of `[actions]`.
pub(crate) const ACTIONS: &[(&str, Action)] = &[
    ("open-url", Action::OpenUrl),
    ("save-as", Action::SaveAs),
    ("notify", Action::Notify),
    ("print", Action::Print),
];

/// What a service takes behind `=`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Nothing,
    Names,
    NamesOrNothing,
    /// Where something goes, and how much of it.
    Outlet,
}

/// What an entry becomes.
#[derive(Clone, Copy)]
pub(crate) enum Becomes {
    /// Looked up at the start, or kept meanwhile.
    Entry(Service),
    /// A host that is reached.
    Host,
    /// Files of the system.
    Zones,
}

impl Becomes {
    /// It is looked up by this service.
    pub(crate) fn is(self, wanted: Service) -> bool {
        matches!(self, Self::Entry(service) if service == wanted)
    }
}

/// Words of `services`, what each takes behind `=`, and what becomes of it.
pub(crate) const SERVICES: &[(&str, (Takes, Becomes))] = &[
    ("fileargs", (Takes::Nothing, Becomes::Entry(Service::FileArgs))),
    ("dns", (Takes::Names, Becomes::Entry(Service::Dns))),
    ("net", (Takes::Names, Becomes::Host)),
    ("users", (Takes::NamesOrNothing, Becomes::Entry(Service::Users))),
    ("time", (Takes::Nothing, Becomes::Zones)),
    ("log", (Takes::Outlet, Becomes::Entry(Service::Log))),
];

/// Services of programs of the library that others have no use for, and why.
pub(crate) const NEEDLESS: &[(&str, &str)] = &[(
    "random",
    "programs have getrandom and /dev/urandom already, and no limit would hold for the first; leave it out",
)];

/// Layers that `[require]` can name.
pub(crate) const LAYERS: &[(&str, ())] =
    &[("namespaces", ()), ("landlock", ()), ("seccomp", ()), ("cgroup", ()), ("rlimit", ())];

/// Words behind a descriptor number.
pub(crate) const FD_MODES: &[(&str, FdMode)] = &[("read", FdMode::Read), ("write", FdMode::Write)];

/// The word for a value; the tables are complete, which a test shows.
pub(crate) fn word<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table.iter().find(|(_, row)| row == value).map_or("", |(word, _)| *word)
}

impl Action {
    /// The word that policies and requests name it by.
    ///
    /// ```
    /// assert_eq!(belljar_policy::Action::OpenUrl.name(), "open-url");
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        word(ACTIONS, &self)
    }
}

impl Written for UnixService {
    /// A path has a slash, so that no name is mistaken for one.
    fn written(&self) -> String {
        match self {
            Self::Path(path) => path::written(path),
            named => word(UNIX_SERVICES, named).to_owned(),
        }
    }
}

impl Written for Otherwise {
    fn written(&self) -> String {
        word(OTHERWISE, self).to_owned()
    }
}

impl Written for ServiceRule {
    fn written(&self) -> String {
        let known = SERVICES.iter().find(|(_, (_, becomes))| becomes.is(self.service));
        let name = known.map_or("", |(name, _)| name);
        if self.names.is_empty() { name.to_owned() } else { format!("{name}={}", self.names.join(",")) }
    }
}

impl Written for NetMode {
    fn written(&self) -> String {
        word(NET_MODES, self).to_owned()
    }
}

impl Written for ProcView {
    fn written(&self) -> String {
        word(PROC_VIEWS, self).to_owned()
    }
}

impl Written for DevView {
    fn written(&self) -> String {
        word(DEV_VIEWS, self).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_comes_back() {
        assert!(ACCESS.iter().all(|(text, value)| word(ACCESS, value) == *text));
        assert!(SUBJECTS.iter().all(|(text, value)| word(SUBJECTS, value) == *text));
        assert!(NET_MODES.iter().all(|(text, value)| word(NET_MODES, value) == *text));
        assert_eq!(word(FD_MODES, &FdMode::Any), "");
    }
}
