//! Policy files of a run, which the program must not write: what they say is what the next run gets.

use std::path::{Path, PathBuf};

use belljar::policy::{Access, FsRule, FsSubject, Origin, Policy, fold, fs_decision};

/// Makes them readable wherever the jar could write them, by whatever names their folder has here and there. Who has a rule for the
/// very file has said otherwise.
pub(crate) fn keep(policy: &mut Policy, here: &Path, files: &[PathBuf]) {
    for file in files {
        let path = fold(&here.join(file));
        // What is no file of the host, as `-p <(make-policy)`, has no place.
        let Some(real) = leads(&path) else { continue };
        let names = |rule: &FsRule| rule.outside().is_some_and(|at| at == path || at == real);
        if !policy.fs.rules.iter().any(names) {
            keep_one(policy, &real);
        }
    }
}

fn keep_one(policy: &mut Policy, real: &Path) {
    let grants = policy.fs.rules.iter().filter(|rule| rule.access == Access::Write);
    let found: Vec<FsRule> = grants.filter_map(|grant| inside(policy, grant, real)).collect();
    for rule in found {
        // One grant may lie in another.
        if policy.fs.rules.iter().all(|other| other.inside() != rule.inside()) {
            policy.fs.rules.push(rule);
        }
    }
}

/// The rule for a file that lies in a grant, where this grant is what decides about it.
fn inside(policy: &Policy, grant: &FsRule, real: &Path) -> Option<FsRule> {
    let outside = grant.outside()?;
    let rest = real.strip_prefix(leads(outside)?).ok().filter(|rest| rest.iter().next().is_some())?;
    let written = fs_decision(policy, &grant.inside()?.join(rest)).access == Some(Access::Write);
    written.then(|| FsRule {
        subject: FsSubject::Path(outside.join(rest)),
        dest: grant.dest.as_ref().map(|dest| dest.join(rest)),
        access: Access::ReadNoexec,
        optional: true,
        dangerous: false,
        origin: Origin::Default,
    })
}

#[expect(clippy::disallowed_methods, reason = "an answer about the host as it is; nothing is opened by it")]
fn leads(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
}
