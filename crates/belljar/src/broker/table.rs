//! Every call that the broker can answer: where its arguments are, who decides about it otherwise, and what serves it.

use super::task::{Served, Task};
use super::{attributes, entry, look, open, watch, xattr};

/// Who decides about a call on a host without namespaces. With namespaces the kernel does, and with `--trace` the broker sees
/// every call that names a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Landlock.
    Landlock,
    /// Landlock does not see it: the broker.
    Broker,
    /// The broker as well; it names no path, so that `--trace` leaves it alone.
    Descriptor,
}

/// What the first object of a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// What the path leads to.
    Path,
    /// The same, a symlink at its end itself.
    Link,
    /// A descriptor, the first argument.
    Descriptor,
}

/// One call.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) call: &'static str,
    pub(crate) of: Of,
    /// Position of the descriptor that a relative path starts at; none = the current folder.
    pub(crate) dir: Option<u8>,
    /// Position of the path.
    pub(crate) path: u8,
    /// The same of a second path.
    pub(crate) second: Option<(Option<u8>, u8)>,
    /// Position of `AT_*` flags.
    pub(crate) flags: Option<u8>,
    /// Position of open flags that lie in a register.
    pub(crate) opens: Option<u8>,
    pub(crate) guard: Guard,
    pub(crate) serve: fn(&Task<'_>) -> Served,
    /// Why it is here, in a few words.
    pub(crate) why: &'static str,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} ({})", self.call, self.why)
    }
}

const fn row(call: &'static str, guard: Guard, serve: fn(&Task<'_>) -> Served, why: &'static str) -> Row {
    Row { call, of: Of::Path, dir: None, path: 0, second: None, flags: None, opens: None, guard, serve, why }
}

impl Row {
    /// The path starts at a descriptor: arguments 0 and 1.
    const fn at(self) -> Self {
        Self { dir: Some(0), path: 1, ..self }
    }

    const fn of(self, of: Of) -> Self {
        Self { of, ..self }
    }

    const fn flags(self, at: u8) -> Self {
        Self { flags: Some(at), ..self }
    }

    const fn opens(self, at: u8) -> Self {
        Self { opens: Some(at), ..self }
    }

    const fn to(self, dir: Option<u8>, path: u8) -> Self {
        Self { second: Some((dir, path)), ..self }
    }

    const fn path(self, dir: Option<u8>, path: u8) -> Self {
        Self { dir, path, ..self }
    }
}

use Guard::{Broker, Descriptor, Landlock};

const OPENS: &str = "opens or makes a file";
const STAT: &str = "tells size, owner, mode and times";
const ACCESS: &str = "tells what may be done";
const READLINK: &str = "tells where a symlink leads";
const MAKES: &str = "makes an entry";
const REMOVES: &str = "removes an entry";
const MOVES: &str = "moves an entry";
const NAMES: &str = "gives a file a further name";
const MODE: &str = "changes the mode";
const OWNER: &str = "changes the owner";
const TIMES: &str = "changes the times";
const XATTR: &str = "extended attributes";

/// The calls. One function serves all spellings of a request: what differs is where the arguments are.
pub(crate) const TABLE: &[Row] = &[
    row("open", Landlock, open::open, OPENS).opens(1),
    row("openat", Landlock, open::open, OPENS).at().opens(2),
    row("creat", Landlock, open::creat, OPENS),
    row("stat", Broker, look::stat, STAT),
    row("lstat", Broker, look::stat, STAT).of(Of::Link),
    row("newfstatat", Broker, look::stat, STAT).at().flags(3),
    row("statx", Broker, look::statx, STAT).at().flags(2),
    row("statfs", Broker, look::statfs, "tells about the file system"),
    row("access", Broker, look::access, ACCESS),
    row("faccessat", Broker, look::access, ACCESS).at(),
    row("faccessat2", Broker, look::access, ACCESS).at().flags(3),
    row("readlink", Broker, look::readlink, READLINK).of(Of::Link),
    row("readlinkat", Broker, look::readlink, READLINK).at().of(Of::Link),
    row("mkdir", Landlock, entry::mkdir, MAKES),
    row("mkdirat", Landlock, entry::mkdir, MAKES).at(),
    row("mknod", Landlock, entry::mknod, MAKES),
    row("mknodat", Landlock, entry::mknod, MAKES).at(),
    row("symlink", Landlock, entry::symlink, MAKES).path(None, 1),
    row("symlinkat", Landlock, entry::symlink, MAKES).path(Some(1), 2),
    row("link", Landlock, entry::link, NAMES).of(Of::Link).to(None, 1),
    row("linkat", Landlock, entry::link, NAMES).at().of(Of::Link).to(Some(2), 3).flags(4),
    row("rmdir", Landlock, entry::rmdir, REMOVES),
    row("unlink", Landlock, entry::unlink, REMOVES),
    row("unlinkat", Landlock, entry::unlink, REMOVES).at().flags(2),
    row("rename", Landlock, entry::rename, MOVES).to(None, 1),
    row("renameat", Landlock, entry::rename, MOVES).at().to(Some(2), 3),
    row("renameat2", Landlock, entry::rename, MOVES).at().to(Some(2), 3).flags(4),
    row("truncate", Landlock, attributes::truncate, "changes the length"),
    row("chmod", Broker, attributes::chmod, MODE),
    row("fchmodat", Broker, attributes::chmod, MODE).at(),
    row("fchmodat2", Broker, attributes::chmod, MODE).at().flags(3),
    row("fchmod", Descriptor, attributes::chmod, MODE).of(Of::Descriptor),
    row("chown", Broker, attributes::chown, OWNER),
    row("lchown", Broker, attributes::chown, OWNER).of(Of::Link),
    row("fchownat", Broker, attributes::chown, OWNER).at().flags(4),
    row("fchown", Descriptor, attributes::chown, OWNER).of(Of::Descriptor),
    row("utime", Broker, attributes::utime, TIMES),
    row("utimes", Broker, attributes::utimes, TIMES),
    row("futimesat", Broker, attributes::utimes, TIMES).at(),
    row("utimensat", Broker, attributes::utimensat, TIMES).at().flags(3),
    row("setxattr", Broker, xattr::set, XATTR),
    row("lsetxattr", Broker, xattr::set, XATTR).of(Of::Link),
    row("fsetxattr", Descriptor, xattr::set, XATTR).of(Of::Descriptor),
    row("getxattr", Broker, xattr::get, XATTR),
    row("lgetxattr", Broker, xattr::get, XATTR).of(Of::Link),
    row("fgetxattr", Descriptor, xattr::get, XATTR).of(Of::Descriptor),
    row("listxattr", Broker, xattr::list, XATTR),
    row("llistxattr", Broker, xattr::list, XATTR).of(Of::Link),
    row("flistxattr", Descriptor, xattr::list, XATTR).of(Of::Descriptor),
    row("removexattr", Broker, xattr::remove, XATTR),
    row("lremovexattr", Broker, xattr::remove, XATTR).of(Of::Link),
    row("fremovexattr", Descriptor, xattr::remove, XATTR).of(Of::Descriptor),
    row("inotify_add_watch", Broker, watch::add, "tells about changes").path(None, 1),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_call_and_stands_there_once() {
        for row in TABLE {
            assert!(belljar_bpf::syscall_number(row.call).is_some(), "{row:?}");
            assert_eq!(TABLE.iter().filter(|other| other.call == row.call).count(), 1, "{row:?}");
        }
    }

    #[test]
    fn paths_are_where_the_kernel_takes_addresses() {
        use belljar_bpf::{argument_width, syscall_number};
        for row in TABLE.iter().filter(|row| row.of != Of::Descriptor) {
            let number = syscall_number(row.call).unwrap();
            let second = row.second.map(|(_, path)| path);
            for path in [Some(row.path), second].into_iter().flatten() {
                assert_eq!(argument_width(number, path).bits(), 64, "{row:?}");
            }
            let second = row.second.and_then(|(dir, _)| dir);
            for number_at in [row.dir, second, row.flags].into_iter().flatten() {
                assert_eq!(argument_width(number, number_at).bits(), 32, "{row:?}");
            }
        }
    }
}
