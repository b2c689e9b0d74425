//! Names that every process of a machine shares unless somebody divides them: process ids, ports, IPC keys.

mod abstract_socket;
mod dev_shm;
mod listen;
mod mqueue;
mod schedule;
mod signal;
mod sysv_msg;
mod sysv_sem;
mod sysv_shm;
mod taken_name;
mod tcp;
mod udp;

use crate::attack::Family;

pub(crate) use listen::said;

pub(super) const FAMILY: Family = Family {
    title: "C8: global names",
    rows: &[
        signal::KILL,
        signal::TGKILL,
        signal::QUEUE,
        signal::PIDFD,
        signal::STOP,
        signal::GROUP,
        signal::OWNER,
        signal::OWNER_IOCTL,
        schedule::NICE,
        schedule::AFFINITY,
        schedule::RLIMIT,
        tcp::V4,
        tcp::V6,
        tcp::OUTSIDE,
        udp::SEND,
        udp::CONNECTED,
        udp::BATCH,
        udp::V6,
        listen::ROW,
        abstract_socket::STREAM,
        abstract_socket::DATAGRAM,
        abstract_socket::SEQPACKET,
        taken_name::ROW,
        sysv_shm::READ,
        sysv_shm::WRITE,
        sysv_sem::ROW,
        sysv_msg::SEND,
        sysv_msg::RECEIVE,
        mqueue::ROW,
        dev_shm::ROW,
    ],
};
