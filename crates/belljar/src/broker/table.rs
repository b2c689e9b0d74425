//! Every call that the broker answers: where its arguments are, what it is about, what serves it. Who decides about it
//! otherwise is the planner's table of doors.

use super::task::{Served, Task};
use super::{attributes, connect, entry, look, open, receive, server, watch, xattr};

/// What the first object of a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// What the path leads to.
    Path,
    /// The same, a symlink at its end itself.
    Link,
    /// A descriptor, the first argument.
    Descriptor,
}

/// One call.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) call: &'static str,
    pub(super) of: Of,
    /// Position of the descriptor that a relative path starts at; none = the current folder.
    pub(super) dir: Option<u8>,
    /// Position of the path.
    pub(super) path: u8,
    /// The same of a second path.
    pub(super) second: Option<(Option<u8>, u8)>,
    /// Position of `AT_*` flags.
    pub(super) flags: Option<u8>,
    pub(super) serve: fn(&Task<'_>) -> Served,
    /// Why it is here, in a few words.
    pub(super) why: &'static str,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} ({})", self.call, self.why)
    }
}

const fn row(call: &'static str, serve: fn(&Task<'_>) -> Served, why: &'static str) -> Row {
    Row { call, of: Of::Path, dir: None, path: 0, second: None, flags: None, serve, why }
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

    const fn to(self, dir: Option<u8>, path: u8) -> Self {
        Self { second: Some((dir, path)), ..self }
    }

    const fn path(self, dir: Option<u8>, path: u8) -> Self {
        Self { dir, path, ..self }
    }
}

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
pub(super) const TABLE: &[Row] = &[
    row("open", open::open, OPENS),
    row("openat", open::open, OPENS).at(),
    row("creat", open::creat, OPENS),
    row("stat", look::stat, STAT),
    row("lstat", look::stat, STAT).of(Of::Link),
    row("newfstatat", look::stat, STAT).at().flags(3),
    row("statx", look::statx, STAT).at().flags(2),
    row("statfs", look::statfs, "tells about the file system"),
    row("access", look::access, ACCESS),
    row("faccessat", look::access, ACCESS).at(),
    row("faccessat2", look::access, ACCESS).at().flags(3),
    row("readlink", look::readlink, READLINK).of(Of::Link),
    row("readlinkat", look::readlink, READLINK).at().of(Of::Link),
    row("mkdir", entry::mkdir, MAKES),
    row("mkdirat", entry::mkdir, MAKES).at(),
    row("mknod", entry::mknod, MAKES),
    row("mknodat", entry::mknod, MAKES).at(),
    row("symlink", entry::symlink, MAKES).path(None, 1),
    row("symlinkat", entry::symlink, MAKES).path(Some(1), 2),
    row("link", entry::link, NAMES).of(Of::Link).to(None, 1),
    row("linkat", entry::link, NAMES).at().of(Of::Link).to(Some(2), 3).flags(4),
    row("rmdir", entry::rmdir, REMOVES),
    row("unlink", entry::unlink, REMOVES),
    row("unlinkat", entry::unlink, REMOVES).at().flags(2),
    row("rename", entry::rename, MOVES).to(None, 1),
    row("renameat", entry::rename, MOVES).at().to(Some(2), 3),
    row("renameat2", entry::rename, MOVES).at().to(Some(2), 3).flags(4),
    row("truncate", attributes::truncate, "changes the length"),
    row("chmod", attributes::chmod, MODE),
    row("fchmodat", attributes::chmod, MODE).at(),
    row("fchmodat2", attributes::chmod, MODE).at().flags(3),
    row("fchmod", attributes::chmod, MODE).of(Of::Descriptor),
    row("chown", attributes::chown, OWNER),
    row("lchown", attributes::chown, OWNER).of(Of::Link),
    row("fchownat", attributes::chown, OWNER).at().flags(4),
    row("fchown", attributes::chown, OWNER).of(Of::Descriptor),
    row("utime", attributes::utime, TIMES),
    row("utimes", attributes::utimes, TIMES),
    row("futimesat", attributes::utimes, TIMES).at(),
    row("utimensat", attributes::utimensat, TIMES).at().flags(3),
    row("setxattr", xattr::set, XATTR),
    row("lsetxattr", xattr::set, XATTR).of(Of::Link),
    row("fsetxattr", xattr::set, XATTR).of(Of::Descriptor),
    row("getxattr", xattr::get, XATTR),
    row("lgetxattr", xattr::get, XATTR).of(Of::Link),
    row("fgetxattr", xattr::get, XATTR).of(Of::Descriptor),
    row("listxattr", xattr::list, XATTR),
    row("llistxattr", xattr::list, XATTR).of(Of::Link),
    row("flistxattr", xattr::list, XATTR).of(Of::Descriptor),
    row("removexattr", xattr::remove, XATTR),
    row("lremovexattr", xattr::remove, XATTR).of(Of::Link),
    row("fremovexattr", xattr::remove, XATTR).of(Of::Descriptor),
    row("inotify_add_watch", watch::add, "tells about changes").path(None, 1),
    row("connect", connect::connect, "reaches a peer").of(Of::Descriptor),
    row("bind", server::bind, "takes an address of the host's network").of(Of::Descriptor),
    row("listen", server::listen, "waits for peers in the host's network").of(Of::Descriptor),
    row("socket", connect::datagrams, "makes a socket for datagrams").of(Of::Descriptor),
    row("recvfrom", receive::receive, "asks who has sent what is received").of(Of::Descriptor),
    row("recvmsg", receive::message, "receives what may be an answer to a query").of(Of::Descriptor),
    row("recvmmsg", receive::messages, "receives what may be answers to queries").of(Of::Descriptor),
    row("getsockname", receive::name, "asks where a socket for queries is").of(Of::Descriptor),
    row("setsockopt", connect::errors, "asks for the errors of datagrams").of(Of::Descriptor),
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
    fn what_may_be_handed_over_is_served_and_nothing_else() {
        let served: Vec<&str> = TABLE.iter().map(|row| row.call).collect();
        let mut handed: Vec<&str> = crate::plan::DOORS.iter().map(|door| door.call).collect();
        // One in two forms.
        handed.dedup();
        for (rows, of, missing) in [(&served, &handed, "plan/door.rs"), (&handed, &served, "broker/table.rs")]
        {
            let lone: Vec<_> = rows.iter().filter(|call| !of.contains(call)).collect();
            assert!(lone.is_empty(), "no row of {missing} for {lone:?}");
        }
        let moved = served.iter().zip(&handed).find(|(here, there)| here != there);
        assert_eq!(moved, None, "broker/table.rs and plan/door.rs have one order");
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
