//! Data that reaches the box unasked: environment, inherited descriptors, core files, names of hidden files.

mod core_file;
mod disk_map;
mod environment;
mod existence;
mod inherited;
mod inherited_kernel;
mod inherited_sockets;

pub(super) use inherited::{opened, read};

use crate::attack::Family;

pub(super) const FAMILY: Family = Family {
    title: "E: data that nobody granted",
    rows: &[
        environment::OWN,
        environment::EXEC,
        environment::CMDLINE,
        inherited::READ,
        inherited::WRITE,
        inherited::APPEND,
        inherited::FOLDER,
        inherited::OPATH,
        inherited::DELETED,
        inherited::HIGH,
        inherited::MANY,
        inherited::MEMFD,
        inherited::LOCK,
        inherited_sockets::PIPE_IN,
        inherited_sockets::PIPE_OUT,
        inherited_sockets::UNIX,
        inherited_sockets::TCP,
        inherited_sockets::LISTENER,
        inherited_sockets::UDP,
        inherited_sockets::TERMINAL,
        inherited_kernel::EVENTFD,
        inherited_kernel::PIDFD,
        inherited_kernel::INOTIFY,
        inherited_kernel::MQUEUE,
        inherited_kernel::PROC_DIR,
        inherited_kernel::PROC_MEM,
        inherited_kernel::NETNS,
        inherited_kernel::MOUNT,
        core_file::ROW,
        disk_map::ROW,
        existence::STAT,
        existence::OPEN,
        existence::MKDIR,
        existence::SYMLINK,
        existence::RENAME,
        existence::EXEC,
        existence::CONNECT,
        existence::BIND,
        existence::CHDIR,
    ],
};
