//! What the command line of a program that failed names and the jar does not have. Nobody watched which paths it looked for, so
//! no more is told than what was typed. Looked at after a failure, never before a start.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use belljar::Report;
use belljar::ask::{Never, Want};
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
        if !has_failed(report) {
            return String::new();
        }
        let found = self.found(is_own_root(report));
        let known = |path: &Decision| report.denials().any(|event| event.object == path.object);
        let told: Vec<&Decision> = found.iter().filter(|path| !known(path)).take(SHOWN).collect();
        if told.is_empty() {
            return String::new();
        }
        let never = Never::new(request::home().as_deref(), []);
        let lines: String = told.into_iter().map(|path| line(path, &never)).collect();
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
        if self.is_read_up() {
            return Vec::new();
        }
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

    /// The policy came from a descriptor of the caller's: who reads that again may wait for ever.
    fn is_read_up(&self) -> bool {
        let named = self.words.given().iter().filter(|given| given.name == "extends");
        named.filter_map(|given| given.value.as_deref()).any(|name| request::is_descriptor(Path::new(name)))
    }
}

/// The program ended badly by itself.
pub(crate) fn has_failed(report: &Report) -> bool {
    matches!(report.verdict, Verdict::Exited { code: 1.. } | Verdict::Signaled { .. })
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
    // A jar has a root, whatever is in it.
    path.parent()?;
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

/// Of keys, sockets and whole homes it is said what they are, and no flag that gives them away.
fn line(Decision { object, rule, origin, flag, .. }: &Decision, never: &Never) -> String {
    let told = format!("{object}: {rule} ({origin})");
    match (never.refuses(&Want::Read(object.into())), flag) {
        (Some(why), _) => format!("  {}: {why}\n", text::name(&told)),
        (None, Some(flag)) => {
            format!("  {}\n    to allow: {}\n", text::name(&told), text::name(&pasteable(flag)))
        }
        (None, None) => format!("  {}\n", text::name(&told)),
    }
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
        assert!(lacks(&Policy::none(), "/".as_ref(), true).is_none());
        let found = lacks(&policy, "/etc/passwd".as_ref(), true).unwrap();
        assert_eq!(found.flag.as_deref(), Some("--read /etc/passwd"));
    }

    #[test]
    fn a_policy_from_a_descriptor_is_not_read_again() {
        for (name, expected) in [("/dev/stdin", true), ("/dev/fd/63", true), ("p.toml", false)] {
            let mut words = Words::default();
            words.give("extends", "-p", Some(name.as_ref()));
            assert_eq!(Lacking::new(&words, None).is_read_up(), expected, "{name}");
        }
    }

    #[test]
    fn no_flag_is_told_that_gives_keys_or_a_home_away() {
        let never = Never::new(Some("/home/u".as_ref()), []);
        let told = |path: &str| line(&fs_decision(&Policy::none(), path.as_ref()), &never);
        for (path, why) in [("/home/u/.ssh/id_rsa", "keys and passwords"), ("/home/u", "the home folder")] {
            let told = told(path);
            assert!(told.ends_with(&format!(": {why}\n")) && !told.contains("to allow"), "{told}");
        }
        assert!(told("/home/u/data").ends_with("\n    to allow: --read /home/u/data\n"));
    }
}
