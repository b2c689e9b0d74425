//! What Landlock alone leaves open, and what filters on socket calls forget.

mod autobind;
mod fast_open;
mod inotify;
mod loader;
mod map_exec;
mod memfd_exec;
mod metadata;
mod netlink;
mod packet;
mod protocol;
mod raw_socket;
mod touch;
mod unix_path;

use crate::attack::{Attack, Family};

/// The same attack stands in a family of jars that have a network.
pub(super) const SOCK_DIAG: Attack = netlink::ROW;

pub(super) const FAMILY: Family = Family {
    title: "L: beyond Landlock",
    rows: &[
        protocol::MPTCP,
        fast_open::SENDTO,
        fast_open::SOCKOPT,
        protocol::UDPLITE,
        metadata::STAT,
        metadata::STATX,
        metadata::READLINK,
        metadata::CHDIR,
        metadata::GETXATTR,
        metadata::OPATH,
        touch::CHMOD,
        touch::FCHMODAT2,
        touch::OPATH_CHMOD,
        touch::CHOWN,
        touch::UTIMENSAT,
        touch::SETXATTR,
        touch::TRUNCATE,
        touch::LINK,
        touch::RENAME,
        touch::UNLINK,
        touch::CREATE,
        inotify::ROW,
        unix_path::STREAM,
        unix_path::DATAGRAM,
        unix_path::READ_ONLY,
        memfd_exec::ROW,
        map_exec::MAP,
        map_exec::PROTECT,
        map_exec::COPY,
        loader::ROW,
        autobind::ROW,
        protocol::SCTP,
        protocol::SMC,
        protocol::VSOCK,
        netlink::ROW,
        packet::ROW,
        raw_socket::ROW,
    ],
};
