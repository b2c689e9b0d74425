//! Rules whose path leads through a symlink of the host: they hold where it leads, for so is the jar built.

use std::path::Path;

use belljar::policy::{Decision, FsRule, FsSubject, Policy, fs_decision};

/// What the policy says about a path, by its rules as they are written and by what they lead to.
pub(super) fn followed(policy: &Policy, path: &Path) -> Decision {
    let written = fs_decision(policy, path);
    let led: Vec<FsRule> = policy.fs.rules.iter().filter_map(led).collect();
    let mut more = policy.clone();
    more.fs.rules.extend(led);
    let mut decision = fs_decision(&more, path);
    if (decision.allowed, decision.access) == (written.allowed, written.access) {
        return written;
    }
    decision.note = Some("a symlink of the host leads the rule there".to_owned());
    decision
}

#[expect(clippy::disallowed_methods, reason = "an answer about the host as it is; nothing is opened by it")]
fn led(rule: &FsRule) -> Option<FsRule> {
    let FsSubject::Path(path) = &rule.subject else { return None };
    let real = path.canonicalize().ok().filter(|real| rule.dest.is_none() && real != path)?;
    Some(FsRule { subject: FsSubject::Path(real), ..rule.clone() })
}
