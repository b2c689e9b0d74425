//! What a policy, alone or with proposed rules, says about a spot.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use belljar_policy::{Access, Decision, FsRule, FsSubject, Origin, Policy, fs_decision};

use super::Need;

/// Proposed rules by path.
pub(super) type Rules = BTreeMap<PathBuf, Access>;

/// Whether an access serves a need.
pub(super) fn serves(access: Access, need: Need) -> bool {
    match need {
        Need::Read => access != Access::Hide,
        Need::Execute => !matches!(access, Access::Hide | Access::ReadNoexec),
        Need::Write => access.writes(),
    }
}

/// Whether a policy grants what is needed at a spot.
pub(super) fn granted(policy: &Policy, spot: &Path, need: Need) -> bool {
    let decision = fs_decision(policy, spot);
    decision.allowed && decision.access.is_some_and(|access| serves(access, need))
}

/// Why a rule of the policy itself keeps a proposal away: the user's own word on the command line wins over every file, what
/// is hidden was hidden on purpose, and what is shown at another place needs a rule that names both.
pub(super) fn spoken(policy: &Policy, spot: &Path) -> Option<String> {
    let Decision { access, rule, origin, note, .. } = fs_decision(policy, spot);
    let access = access?;
    match origin {
        Origin::Flag(flag) => Some(format!("{flag} says otherwise")),
        Origin::Api => Some(format!("{rule} says otherwise")),
        _ if access == Access::Hide => Some(format!("hidden by {rule} ({origin})")),
        _ => note.map(|note| format!("{note}: change {rule} ({origin})")),
    }
}

/// The policy with proposed rules in place of those for the same paths.
pub(super) fn with(policy: &Policy, rules: &Rules) -> Policy {
    let mut policy = policy.clone();
    policy.fs.rules.retain(|rule| rule.inside().is_none_or(|path| !rules.contains_key(path)));
    policy.fs.rules.extend(rules.iter().map(|(path, access)| rule(path, *access)));
    policy
}

fn rule(path: &Path, access: Access) -> FsRule {
    FsRule {
        subject: FsSubject::Path(path.to_path_buf()),
        dest: None,
        access,
        optional: false,
        dangerous: false,
        origin: Origin::Default,
    }
}
