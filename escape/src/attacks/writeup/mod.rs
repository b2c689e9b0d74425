//! Writing up: changing what is granted for reading, or what lies in or above a grant.

mod change;
mod granted;
mod hidden;
mod moved;
mod race;
mod replaced;

use crate::attack::Family;

pub(super) const FAMILY: Family = Family {
    title: "Writing to what may only be read, and reading what is hidden",
    rows: &[
        change::OPEN,
        change::TRUNCATE_ON_OPEN,
        change::TRUNCATE,
        change::PATH_ONLY,
        change::SYMLINK,
        change::HARD_LINK,
        change::ROOT_LINK,
        change::OPENAT2,
        change::CREAT,
        change::RENAME_AWAY,
        change::RENAME_OVER,
        change::EXCHANGE,
        change::UNLINK,
        change::CHMOD,
        change::CHOWN,
        change::TIMES,
        change::OLD_TIMES,
        change::ATTRIBUTE,
        change::FILE_ATTRIBUTES,
        granted::MKDIR,
        granted::CREATE,
        granted::SYMLINK,
        granted::FIFO,
        granted::SOCKET,
        granted::TMPFILE,
        granted::LINK_INTO,
        granted::LOCK,
        granted::LEASE,
        hidden::DIRECT,
        hidden::BY_SYMLINK,
        hidden::BY_DOTS,
        hidden::PARENT_RENAMED,
        hidden::EXCHANGED,
        hidden::READ_PARENT_RENAMED,
        replaced::HIDDEN,
        replaced::HIDDEN_MOVED,
        replaced::HIDDEN_LINKED,
        replaced::ABOVE_MOVED,
        replaced::READ_ONLY,
        replaced::TIMES,
        replaced::MODE,
        replaced::FIFO,
        moved::ROW,
        race::ROW,
    ],
};
