//! More of something than the limits allow, or longer.

mod descriptors;
mod forks;
mod huge;
mod locked;
mod measure;
mod memory;
mod output;
mod processor;
mod quotas;
mod storage;
mod time;
mod watches;

use crate::attack::Family;

pub(super) const FAMILY: Family = Family {
    title: "More or longer than the limits allow",
    rows: &[
        forks::BOMB,
        forks::THREADS,
        forks::SIBLINGS,
        memory::PRIVATE,
        memory::PIECES,
        memory::SHARED,
        memory::CHILDREN,
        memory::MEMFD,
        memory::SEGMENT,
        memory::SHM_FILE,
        memory::HUGE,
        storage::TMP,
        storage::ANYWHERE,
        storage::TMP_FILES,
        storage::FILE,
        descriptors::ROW,
        processor::ALONE,
        processor::IN_TURN,
        processor::TOGETHER,
        processor::UNCOLLECTED,
        time::DEAF,
        time::STOPPED,
        time::DAEMON,
        time::ORPHAN,
        time::SIBLING,
        time::MAIN_SURVIVES,
        time::DAEMON_SURVIVES,
        time::STOPPED_SURVIVES,
        time::FIRST_STOPPED,
        time::STARTER_KILLED,
        output::FLOOD,
        output::ERROR_FLOOD,
        output::CHILD_FLOOD,
        forks::ZOMBIES,
        forks::ORPHANS,
        quotas::INOTIFY,
        watches::ROW,
        quotas::PIPES,
        quotas::SIGNALS,
        locked::ROW,
        quotas::IN_FLIGHT,
        quotas::FEWER_IN_FLIGHT,
        quotas::PTYS,
    ],
};
