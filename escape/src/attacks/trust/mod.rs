//! What belljar itself trusts: files of the project, the caller's path, its own mode bits, the kernel's "yes".

mod helpers;
mod launcher;
mod project_policy;
mod sabotaged;

use crate::attack::Family;

pub(super) const FAMILY: Family = Family {
    title: "Q and L12-L13: what the box itself trusts",
    rows: &[
        project_policy::PLAIN,
        project_policy::HIDDEN,
        project_policy::CONFIG,
        project_policy::PARENT,
        helpers::PATH,
        helpers::CURRENT,
        helpers::LOADER,
        launcher::SETUID,
        launcher::CAPABILITIES,
        sabotaged::NO_NAMESPACES,
        sabotaged::NO_LANDLOCK,
        sabotaged::NEITHER,
        sabotaged::FAKE_LANDLOCK,
        sabotaged::FAKE_LANDLOCK_ALONE,
        sabotaged::NO_MOUNTS,
        sabotaged::FAKE_PIVOT,
        sabotaged::FAKE_DETACH,
        sabotaged::FAKE_READ_ONLY,
        sabotaged::FAKE_CLOSE,
        sabotaged::NO_CLOSE,
        sabotaged::NO_SECCOMP,
        sabotaged::FAKE_SECCOMP,
        sabotaged::NO_SECCOMP_NET,
        sabotaged::FAKE_CAPSET,
    ],
};
