//! What the command line of a program that failed names and the jar does not have. Nobody watched which paths it looked for, so
//! no more is told than what was typed. Looked at after a failure, never before a start.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use belljar::Report;
use belljar::policy::{Access, Decision, Policy, fold, fs_decision, fs_flag};
use belljar::report::{Layer, Verdict};

use crate::refusals::pasteable;
use crate::words::Words;
use crate::{request, text};

/// Most paths that are told.
const SHOWN: usize = 3;
/// Most words that are looked at.
const LOOKED_AT: usize = 1000;
/// Programs whose status 1 means no: nothing has failed.
const ANSWERING: &[&str] =
    &["grep", "egrep", "fgrep", "zgrep", "rg", "diff", "cmp", "test", "[", "false", "expr", "pgrep"];
/// Signs between the words of a script that stands on the command line.
const BETWEEN: &[u8] = b" \t\n'\"`;|&<>()[]{}=,";

/// The command line, for the time after the run.
#[derive(Debug)]
pub(crate) struct Lacking<'w> {
    words: &'w Words,
    preset: Option<&'static str>,
}

impl<'w> Lacking<'w> {
    pub(crate) fn new(words: &'w Words, preset: Option<&'static str>) -> Self {
        Self { words, preset }
    }

    /// A line for each path, with the flag that grants it; empty where there is nothing to tell.
    pub(crate) fn block(&self, report: &Report) -> String {
        if !matches!(report.verdict, Verdict::Exited { code: 1.. } | Verdict::Signaled { .. }) {
            return String::new();
        }
        let found = self.found(is_own_root(report));
        let known = |path: &Decision| report.denials().any(|event| event.object == path.object);
        let lines: String = found.iter().filter(|path| !known(path)).take(SHOWN).map(line).collect();
        if lines.is_empty() {
            return lines;
        }
        format!("belljar: named on the command line, and not in the jar\n{lines}")
    }

    /// The status is no failure: the program answers a question by it, or it is a shell's that somebody sat at.
    pub(crate) fn is_answer(&self, report: &Report) -> bool {
        let Some(program) = self.words.rest().next() else { return true };
        let name = Path::new(program).file_name();
        report.verdict == Verdict::Exited { code: 1 }
            && name.is_some_and(|name| ANSWERING.iter().any(|known| name == *known))
    }

    /// What is on the host and not in the jar. The policy is read once more: who fails has the time.
    fn found(&self, own_root: bool) -> Vec<Decision> {
        let Ok(here) = request::current_folder() else { return Vec::new() };
        let Ok((policy, _)) = request::policy_from(self.words, self.preset, here.clone()) else {
            return Vec::new();
        };
        let base = policy.fs.cwd.as_ref().map_or(here, |cwd| cwd.value.clone());
        let mut found: Vec<Decision> = Vec::new();
        for (path, is_whole) in self.words.rest().skip(1).take(LOOKED_AT).flat_map(paths) {
            let path = fold(&base.join(path));
            let Some(decision) = lacks(&policy, &path, own_root && is_whole) else { continue };
            if found.iter().all(|before| before.object != decision.object) {
                found.push(decision);
            }
        }
        found
    }
}

/// The jar has a `/tmp` of its own.
fn is_own_root(report: &Report) -> bool {
    report.enforced.iter().any(|held| held.layers.contains(&Layer::Namespaces))
}

/// Paths that a word may name: itself or the value of an option, which are whole, and what is absolute within a script.
fn paths(word: &OsStr) -> Vec<(PathBuf, bool)> {
    let bytes = word.as_bytes();
    let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
    let value = word.to_str().and_then(|word| word.split_once('=')).map(|(_, value)| value.as_bytes());
    let whole = if bytes.starts_with(b"-") { value } else { Some(bytes) };
    let parts =
        bytes.split(|sign| BETWEEN.contains(sign)).filter(|part| part.len() > 1 && part.starts_with(b"/"));
    let within = parts.filter(|part| Some(*part) != whole).map(|part| (path(part), false));
    whole.map(|whole| (path(whole), true)).into_iter().chain(within).collect()
}

/// The refusal, where the host has this and the jar does not. A script may have made what it names in the jar's `/tmp`.
fn lacks(policy: &Policy, path: &Path, own_tmp: bool) -> Option<Decision> {
    path.symlink_metadata().ok()?;
    let mut decision = fs_decision(policy, path);
    let covered = own_tmp && path.starts_with("/tmp") && decision.note.is_some();
    if decision.allowed && !covered {
        return None;
    }
    if covered {
        "the jar has a /tmp of its own".clone_into(&mut decision.rule);
        decision.flag = fs_flag(policy, path, Access::Read);
    }
    Some(decision)
}

fn line(Decision { object, rule, origin, flag, .. }: &Decision) -> String {
    let flag = flag.as_ref().map(|flag| format!("    to allow: {}\n", text::name(&pasteable(flag))));
    format!("  {}\n{}", text::name(&format!("{object}: {rule} ({origin})")), flag.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(word: &str) -> Vec<String> {
        paths(word.as_ref()).iter().map(|(path, _)| path.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn words_options_and_scripts_name_paths() {
        assert_eq!(named("../data.csv"), ["../data.csv"]);
        assert_eq!(named("--file=data.csv"), ["data.csv"]);
        assert_eq!(named("--file=/srv/x"), ["/srv/x"]);
        assert_eq!(named("-v"), Vec::<String>::new());
        assert_eq!(named("cat '/srv/a' </srv/b && x/y"), ["cat '/srv/a' </srv/b && x/y", "/srv/a", "/srv/b"]);
    }

    #[test]
    fn what_is_granted_or_nowhere_is_not_lacking() {
        let policy = Policy::none().read("/usr").unwrap();
        assert!(lacks(&policy, "/usr/bin".as_ref(), true).is_none());
        assert!(lacks(&policy, "/no/such".as_ref(), true).is_none());
        let found = lacks(&policy, "/etc/passwd".as_ref(), true).unwrap();
        assert_eq!(found.flag.as_deref(), Some("--read /etc/passwd"));
    }
}
