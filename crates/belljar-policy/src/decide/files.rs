//! Paths.

use std::path::{Path, PathBuf};

use super::Decision;
use crate::model::{Access, DevView, FsRule, Origin, Policy, ProcView};
use crate::text::printable;
use crate::value::Written as _;
use crate::value::path::{below, fold, written};
use crate::words::{ACCESS, word};

/// The rule that holds for a path of the jar, if any: the longest one.
pub(crate) struct Grant<'p> {
    pub(crate) rule: &'p FsRule,
    /// The host path that is seen there.
    pub(crate) outside: PathBuf,
}

/// Finds the rule for a folded, absolute path of the jar.
pub(crate) fn grant_at<'p>(policy: &'p Policy, path: &Path) -> Option<Grant<'p>> {
    let holding = policy.fs.rules.iter().filter(|rule| rule.inside().is_some_and(|place| below(path, place)));
    let rule = holding.max_by_key(|rule| rule.inside().map_or(0, |place| place.as_os_str().len()))?;
    let tail = path.strip_prefix(rule.inside()?).ok()?;
    let outside =
        if tail.as_os_str().is_empty() { rule.outside()?.to_owned() } else { rule.outside()?.join(tail) };
    Some(Grant { rule, outside })
}

/// What the policy grants at an absolute path of the jar. `.` and `..` are folded by text; links are the host's matter.
///
/// ```
/// use belljar_policy::{Policy, fs_decision};
/// let policy = Policy::none().read("/opt")?.hide("/opt/key")?;
/// assert!(fs_decision(&policy, "/opt/tool".as_ref()).allowed);
/// let hidden = fs_decision(&policy, "/opt/key/id".as_ref());
/// assert_eq!(hidden.flag.as_deref(), Some("--read /opt/key/id"));
/// # Ok::<(), belljar_policy::PolicyError>(())
/// ```
#[must_use]
pub fn fs_decision(policy: &Policy, path: &Path) -> Decision {
    let path = fold(path);
    let object = printable(path.as_os_str());
    let flag = || fs_flag(policy, &path, Access::Read);
    let made = made_by_belljar(policy, &path);
    let longest = grant_at(policy, &path);
    let rule_length =
        longest.as_ref().and_then(|grant| grant.rule.inside()).map_or(0, |p| p.as_os_str().len());
    if let Some(made) = made.filter(|made| made.place.as_os_str().len() >= rule_length) {
        let decision = Decision::new(object, true, made.rule, &made.origin).note(made.note);
        return Decision { access: Some(made.access), ..decision };
    }
    match longest {
        Some(grant) => by_rule(object, &grant).some_flag(flag),
        None => nothing(policy, object, &path).some_flag(flag),
    }
}

/// The flag that grants an absolute path of the jar: `--read` or `--write` with the host path that is seen there. None where
/// no flag can: a flag that was typed hides the path itself, belljar makes it, or it is all of the host.
///
/// ```
/// use belljar_policy::{Access, Policy, fs_flag};
/// let policy = Policy::none().set("fs.read", "/opt/a:/data")?;
/// assert_eq!(fs_flag(&policy, "/data/x".as_ref(), Access::Write).unwrap(), "--write /opt/a/x:/data/x");
/// # Ok::<(), belljar_policy::PolicyError>(())
/// ```
#[must_use]
pub fn fs_flag(policy: &Policy, path: &Path, access: Access) -> Option<String> {
    let path = fold(path);
    let made = made_by_belljar(policy, &path);
    if path.parent().is_none() || made.is_some_and(|made| made.place != Path::new("/tmp")) {
        return None;
    }
    let grant = grant_at(policy, &path);
    let typed = |rule: &FsRule| rule.access == Access::Hide && matches!(rule.origin, Origin::Flag(_));
    if grant.as_ref().is_some_and(|grant| typed(grant.rule) && grant.rule.inside() == Some(&path)) {
        return None;
    }
    let moved = grant.filter(|grant| grant.outside != path);
    let text = match moved {
        Some(grant) => format!("{}:{}", written(&grant.outside), written(&path)),
        None => written(&path),
    };
    let flag = if access.writes() { "--write" } else { "--read" };
    Some(format!("{flag} {text}"))
}

/// Whether a rule lets the jar write to an absolute path of the host, under whatever name.
///
/// ```
/// use belljar_policy::{Policy, may_write};
/// let policy = Policy::none().write("/src")?.read("/src/keep")?;
/// assert!(may_write(&policy, "/src/a".as_ref()) && !may_write(&policy, "/src/keep/a".as_ref()));
/// # Ok::<(), belljar_policy::PolicyError>(())
/// ```
#[must_use]
pub fn may_write(policy: &Policy, path: &Path) -> bool {
    let path = fold(path);
    let length = |rule: &&FsRule| rule.outside().map_or(0, |place| place.as_os_str().len());
    let holds = |rule: &&FsRule| rule.outside().is_some_and(|place| below(&path, place));
    // Another name of a folder (`SRC:DEST`) has rules of its own.
    let renamed = policy.fs.rules.iter().filter(|rule| rule.dest.is_some()).filter(holds);
    let plain = policy.fs.rules.iter().filter(|rule| rule.dest.is_none()).filter(holds).max_by_key(length);
    renamed.chain(plain).any(|rule| rule.access == Access::Write)
}

fn by_rule(object: String, grant: &Grant<'_>) -> Decision {
    let rule = grant.rule;
    let text = format!("\"{}\" = \"{}\"", rule.written(), word(ACCESS, &rule.access));
    let decision = Decision::new(object, rule.access != Access::Hide, text, &rule.origin);
    let decision = Decision { access: Some(rule.access), ..decision };
    match &rule.dest {
        Some(_) => decision.note(format!("it is {} of the host", printable(grant.outside.as_os_str()))),
        None => decision,
    }
}

/// No rule: the base root or nothing at all.
fn nothing(policy: &Policy, object: String, path: &Path) -> Decision {
    if let Some(root) = &policy.fs.root {
        let rule = format!("fs.root = \"{}\"", root.value.written());
        let decision = Decision::new(object, true, rule, &root.origin);
        return Decision { access: Some(Access::Read), ..decision };
    }
    let leads = policy.fs.rules.iter().filter(|rule| rule.access != Access::Hide);
    let leads = leads.filter_map(FsRule::inside).any(|place| below(place, path));
    let decision = Decision::new(object, false, "nothing is granted that no rule names", &Origin::Default);
    match leads {
        true => decision.note("the folder exists, because a rule names something below it"),
        false => decision,
    }
}

/// A folder that belljar makes for the jar.
struct Made {
    place: &'static Path,
    access: Access,
    rule: String,
    origin: Origin,
    note: &'static str,
}

const NODES: &[&str] = &[
    "null", "zero", "full", "random", "urandom", "tty", "pts", "ptmx", "shm", "fd", "stdin", "stdout",
    "stderr",
];

fn made_by_belljar(policy: &Policy, path: &Path) -> Option<Made> {
    let fs = &policy.fs;
    let under = |place: &'static str| below(path, Path::new(place)).then_some(Path::new(place));
    if let (Some(place), Some(tmp)) = (under("/tmp"), &fs.tmp) {
        let rule = format!("fs.tmp = \"{}\"", tmp.value.written());
        return Some(Made {
            place,
            access: Access::Write,
            rule,
            origin: tmp.origin.clone(),
            note: "private: not the host's /tmp",
        });
    }
    if let (Some(place), ProcView::Own) = (under("/proc"), fs.proc.value) {
        let (rule, origin) = ("fs.proc = \"own\"".to_owned(), fs.proc.origin.clone());
        return Some(Made {
            place,
            access: Access::ReadNoexec,
            rule,
            origin,
            note: "the jar's own processes",
        });
    }
    let node = path.strip_prefix("/dev").ok()?.components().next();
    let known = node.is_none_or(|node| NODES.iter().any(|name| node.as_os_str() == *name));
    (known && fs.dev.value == DevView::Basic).then(|| Made {
        place: Path::new("/dev"),
        access: Access::Write,
        rule: "fs.dev = \"basic\"".to_owned(),
        origin: fs.dev.origin.clone(),
        note: "harmless devices, and terminals of the jar's own",
    })
}
