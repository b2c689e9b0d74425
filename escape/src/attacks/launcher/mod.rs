//! Tricks on the launcher, and settings of the host itself.

mod agent;
mod arguments;
mod asked;
mod bus;
mod channel;
mod control_characters;
mod devices;
mod executable;
mod frames;
mod home;
mod host_settings;
mod killed;
mod names;
mod report;
mod requests;
mod setuid_launcher;
mod size_limit;
mod swap;

use crate::attack::Family;

pub(super) use asked::says_yes;

pub(super) const FAMILY: Family = Family {
    title: "Tricks on the launcher and on the host's own settings",
    rows: &[
        arguments::ROW,
        control_characters::ROW,
        report::SYMLINK,
        report::HARD_LINK,
        report::FOLDER_SWAPPED,
        requests::NAME,
        requests::WORDS,
        home::ROW,
        swap::ROOT,
        swap::PROC_ROOT,
        swap::RACE,
        swap::PLANTED,
        bus::PATH,
        bus::ABSTRACT,
        agent::ROW,
        names::REFUSED,
        names::ASKED,
        asked::ROW,
        asked::HOME,
        asked::POLICY,
        asked::ALWAYS,
        frames::OUT_OF_PHASE,
        frames::NONSENSE,
        frames::FLOOD,
        channel::ROW,
        executable::ROW,
        killed::ROW,
        size_limit::ROW,
        setuid_launcher::ROW,
        devices::NODE,
        devices::OTHERS,
        host_settings::SYSCTL,
        host_settings::DOMAIN,
        host_settings::CLOCK,
        host_settings::CGROUP,
    ],
};
