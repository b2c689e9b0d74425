//! Under a limit of memory: no huge pages of the host's pool. No counter of memory, neither the kernel's nor the watch, sees
//! them, and whoever they were set aside for would go without.

use belljar_bpf::{Action, FilterBuilder, RuleError};
use belljar_policy::Origin;

use super::Draft;
use super::filter::rule_error;
use crate::error::PlanError;

const ENOMEM: Action = Action::Errno(12);

/// The ways to such pages; 0x800 is `SHM_HUGETLB`. Programs take usual pages then.
const WAYS: &[(&str, &str)] = &[
    ("mmap", "arg3 & MAP_HUGETLB != 0"),
    ("memfd_create", "arg1 & MFD_HUGETLB != 0"),
    ("shmget", "arg2 & 0x800 != 0"),
];

pub(super) fn are_refused(draft: &Draft<'_>) -> bool {
    draft.policy.limits.memory.is_some()
}

/// The rules. Those of `mmap` say nothing about protection, so `mprotect` gets around none of them.
pub(super) fn refuse(draft: &Draft<'_>, mut builder: FilterBuilder) -> Result<FilterBuilder, PlanError> {
    for (call, when) in WAYS.iter().filter(|_| are_refused(draft)) {
        let failed = |source| rule_error(source, &Origin::Default);
        if !builder.lets_through(call) {
            continue;
        }
        let when = belljar_bpf::parse_condition(when)
            .map_err(|source| RuleError::Condition { syscall: (*call).to_owned(), source })
            .map_err(failed)?;
        let number = belljar_bpf::syscall_number(call).unwrap_or(u32::MAX);
        builder = builder.planned(number, Some(&when), ENOMEM).map_err(failed)?;
    }
    Ok(builder)
}
