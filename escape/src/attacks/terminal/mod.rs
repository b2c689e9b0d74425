//! The caller's terminal: typing into it, changing it, outliving on it, and belljar's own words on it.

mod leftover;
mod other;
mod own_output;
mod piped;
mod settings;
mod tioclinux;
mod tiocsti;

use crate::attack::Family;

pub(super) const FAMILY: Family = Family {
    title: "Y: the caller's terminal",
    rows: &[
        tiocsti::STDIN,
        tiocsti::HIGH_BIT,
        tiocsti::ALL_HIGH_BITS,
        tiocsti::DEV_TTY,
        tiocsti::PROC_FD,
        tioclinux::ROW,
        leftover::WRITE,
        leftover::STOPPED,
        other::WRITE,
        other::READ,
        other::TYPE,
        piped::TYPE,
        piped::ASK,
        piped::SETTINGS,
        settings::ECHO,
        settings::SIZE,
        settings::FOREGROUND,
        settings::EXCLUSIVE,
        settings::DISCIPLINE,
        settings::FLOW,
        settings::STEAL,
        settings::HANGUP,
        own_output::DENIED,
        own_output::COMMAND,
        own_output::GRANT,
        own_output::POLICY_NAME,
        own_output::POLICY_KEY,
        own_output::WHY,
        own_output::PLAN,
        own_output::BAD_FLAG,
    ],
};
