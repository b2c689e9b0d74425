//! Calls that reach other processes or wide parts of the kernel.

mod bpf_map;
mod debugged;
mod fanotify_host;
mod filter;
mod handle_name;
mod handle_open;
mod kcmp;
mod kernel_log;
mod keyring_own;
mod keyring_read;
mod keyring_write;
mod keys;
mod ldt;
mod mem_starter;
mod mem_write;
mod mounts;
mod namespaces;
mod override_verdict;
mod own_listener;
mod perf;
mod personality_exec;
mod personality_layout;
mod pidfd_getfd;
mod pidfd_getfd_child;
mod prctl_sweep;
mod proc_fd;
mod ptrace_attach;
mod ptrace_child;
mod ptrace_seize;
mod ptrace_starter;
mod ring;
mod ring_connect;
mod ring_open;
mod ring_write;
mod scm_in;
mod scm_in_path;
mod scm_out;
mod scm_out_path;
mod setns;
mod setuid_bits;
mod setuid_status;
mod starter_environ;
mod suspend;
mod urgent;
mod userfault;
mod vm_read;
mod vm_write;

use crate::attack::Family;

pub(super) const FAMILY: Family = Family {
    title: "Calls that reach other processes or wide parts of the kernel",
    rows: &[
        ptrace_attach::ROW,
        ptrace_seize::ROW,
        ptrace_child::ROW,
        ptrace_starter::ROW,
        debugged::ATTACH,
        debugged::MEMORY,
        debugged::DESCRIPTORS,
        scm_in::ROW,
        scm_in_path::ROW,
        scm_out::ROW,
        scm_out_path::ROW,
        prctl_sweep::ROW,
        vm_write::ROW,
        vm_read::ROW,
        mem_write::ROW,
        mem_starter::ROW,
        proc_fd::ROW,
        starter_environ::ROW,
        pidfd_getfd::ROW,
        pidfd_getfd_child::ROW,
        ring_write::ROW,
        ring_open::ROW,
        ring_connect::ROW,
        userfault::ROW,
        namespaces::UNSHARE,
        namespaces::CLONE,
        namespaces::CLONE_DIRTY,
        namespaces::CLONE3,
        namespaces::OTHERS,
        mounts::MOUNT,
        mounts::BIND,
        mounts::FSMOUNT,
        mounts::MOVE,
        mounts::OPEN_TREE,
        mounts::OPEN_TREE_ATTR,
        mounts::SETATTR,
        mounts::FSPICK,
        mounts::REMOUNT,
        mounts::UNMOUNT,
        mounts::CHROOT,
        mounts::PIVOT,
        setns::ROW,
        keyring_read::ROW,
        keyring_write::ROW,
        keyring_own::ROW,
        bpf_map::ROW,
        perf::ROW,
        kcmp::ROW,
        handle_open::ROW,
        handle_name::ROW,
        personality_exec::ROW,
        personality_layout::ROW,
        suspend::ROW,
        urgent::ROW,
        own_listener::ROW,
        override_verdict::ROW,
        setuid_status::ROW,
        setuid_bits::CHMOD,
        setuid_bits::FCHMOD,
        setuid_bits::FCHMODAT,
        setuid_bits::FCHMODAT2,
        setuid_bits::DIRTY,
        setuid_bits::OPEN,
        setuid_bits::OPENAT2,
        setuid_bits::CREAT,
        setuid_bits::MKNOD,
        ldt::ROW,
        kernel_log::ROW,
        fanotify_host::ROW,
    ],
};
