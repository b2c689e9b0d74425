//! Rules that give less than a grant around them: `hide`, and `read` inside `write`.
//!
//! A mount says so, and no mount outlives the name that it lies on: a program of the host that replaces the file or folder, as
//! editors do when they save, takes it away in every namespace, and what stands there then is the grant's. Nor does a
//! read-only mount keep FIFOs from being written to; Landlock would, but adds rights up along a path, and the grant has more.
//! The broker decides by path, whatever stands there.

use std::path::Path;

use belljar_policy::{Access, FsRule, Origin, Policy};

use super::{Draft, broker};

const LEFT: &str = "no broker here: what a program of the host puts in the place of a hidden or read-only path inside a grant \
is the grant's, and FIFOs in such a folder can be written to";

/// Where only root replaces anything, and shown presets name what they hide.
const SYSTEM: &[&str] = &["/etc", "/usr", "/nix", "/gnu"];

/// Calls on attributes that change them: also of a file that is open for reading.
const CHANGES: &[&str] = &[
    "chmod",
    "fchmodat",
    "fchmodat2",
    "fchmod",
    "chown",
    "lchown",
    "fchownat",
    "fchown",
    "utime",
    "utimes",
    "futimesat",
    "utimensat",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "removexattr",
    "lremovexattr",
    "fremovexattr",
];

/// Whether a call on attributes goes to the broker for such rules.
pub(super) fn changes(call: &str) -> bool {
    CHANGES.contains(&call)
}

/// Whether a policy has such rules.
pub(super) fn are_there(policy: &Policy) -> bool {
    let rules = &policy.fs.rules;
    rules.iter().any(|rule| is_narrower(rule, rules))
}

/// Whether the broker keeps them.
pub(super) fn kept(draft: &Draft<'_>) -> bool {
    draft.narrower && broker::able(draft)
}

/// Where they apply, while the broker keeps them.
pub(super) fn paths<'a>(draft: &Draft<'a>) -> Vec<&'a Path> {
    let rules = &draft.policy.fs.rules;
    let narrower = rules.iter().filter(|rule| is_narrower(rule, rules));
    narrower.filter(|_| kept(draft)).filter_map(FsRule::inside).collect()
}

/// The note for hosts where nobody keeps them.
pub(super) fn note(draft: &mut Draft<'_>) {
    if draft.narrower && !broker::able(draft) {
        draft.notes.push(LEFT.to_owned());
    }
}

/// Presets hide what belongs to the system and to tools, and policy files are kept without a word: every run would pay for files
/// that are replaced once a year.
fn is_narrower(rule: &FsRule, rules: &[FsRule]) -> bool {
    let unwritten = matches!(rule.origin, Origin::Preset { .. } | Origin::Default);
    let of_system = |at: &&Path| SYSTEM.iter().any(|system| at.starts_with(system));
    let Some(at) = rule.inside().filter(|at| !unwritten && !of_system(at)) else { return false };
    let around = |other: &&FsRule| other.inside().is_some_and(|above| above != at && at.starts_with(above));
    let nearest =
        rules.iter().filter(around).max_by_key(|other| other.inside().map(|at| at.as_os_str().len()));
    match (rule.access, nearest.map(|nearest| nearest.access)) {
        // What is replaced below an overlay is not replaced in it.
        (_, Some(Access::Cow)) => false,
        // Symlinks may lead it into any grant.
        (Access::Hide, _) => true,
        (Access::Read | Access::ReadNoexec, _) => {
            rules.iter().filter(around).any(|other| other.access == Access::Write)
        }
        _ => false,
    }
}
