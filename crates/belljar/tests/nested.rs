//! Rules below rules: what a jar can really do with each file of a tree is what the longest rule says, whatever the rules
//! and with either engine.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test program"
)]

mod support;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use belljar::error::{PlanError, StartError};
use belljar::probe::Userns;
use belljar::report::Verdict;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use support::jars::{self, Place};

const FOLDERS: [&str; 4] = ["a", "a/b", "a/b/c", "a/d"];
const FILES: [&str; 6] = ["a/f", "a/g", "a/b/f", "a/b/g", "a/b/c/f", "a/d/f"];

/// A flag, and what it lets a program do with a script.
const GRANTS: [(&str, &str); 4] = [("-r", "rx"), ("-w", "rwx"), ("--read-noexec", "r"), ("--hide", "")];

type Rules = BTreeMap<&'static str, (&'static str, &'static str)>;

fn rules() -> impl Strategy<Value = Rules> {
    let all: Vec<&str> = FOLDERS.into_iter().chain(FILES).collect();
    subsequence(all, 1..=5).prop_flat_map(|paths| {
        let grants = proptest::collection::vec(select(GRANTS.to_vec()), paths.len());
        grants.prop_map(move |grants| paths.iter().copied().zip(grants).collect())
    })
}

/// The longest rule at or above a path wins.
fn expected(rules: &Rules, path: &str) -> &'static str {
    let above = |rule: &str| path == rule || path.starts_with(&format!("{rule}/"));
    let longest = rules.iter().filter(|(rule, _)| above(rule)).max_by_key(|(rule, _)| rule.len());
    longest.map_or("", |(_, (_, allowed))| allowed)
}

fn tree() -> Place {
    let place = Place::new();
    for folder in FOLDERS {
        std::fs::create_dir(place.outside().join(folder)).unwrap();
        std::fs::set_permissions(place.outside().join(folder), PermissionsExt::from_mode(0o777)).unwrap();
    }
    for file in FILES {
        let path = place.outside().join(file);
        std::fs::write(&path, "#!/bin/sh\nexit 0\n").unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
    }
    place
}

/// Tries everything with every file.
fn script() -> String {
    let tries = "cat $O/$f && printf r; echo '#' >> $O/$f && printf w; $O/$f && printf x; echo";
    format!("for f in {}; do printf \"$f \" >&3; {{ {tries}; }} 2>&- >&3; done 3>&1 | sed -n '/^[a-z/]* [rwx]*$/p'", FILES.join(" "))
        .replace("cat $O/$f", "cat $O/$f > /dev/null")
        .replace("$O/$f && printf x", "$O/$f > /dev/null && printf x")
}

fn told(rules: &Rules) -> String {
    FILES.iter().map(|file| format!("{file} {}\n", expected(rules, file))).collect()
}

fn check(rules: &Rules, own_root: bool) {
    let place = tree();
    let paths: Vec<(&str, String)> = rules
        .iter()
        .map(|(path, (flag, _))| (*flag, place.outside().join(path).display().to_string()))
        .collect();
    let mut flags: Vec<(&str, &str)> = paths.iter().map(|(flag, path)| (*flag, path.as_str())).collect();
    flags.extend([("--allow-weaker", "fs"), ("--allow-weaker", "ipc")]);
    let mut facts = belljar::probe::probe();
    if !own_root {
        facts.userns = Userns::Refused;
    }
    let names = || FOLDERS.map(|folder| Place::names(&place.outside().join(folder)));
    let before = names();
    match jars::finish(jars::shell(&place, &flags, &script()).host(facts)) {
        Ok(done) => {
            assert_eq!(done.report.verdict, Verdict::Exited { code: 0 }, "{done:?}");
            assert_eq!(done.out, told(rules), "{rules:?} {}", done.err);
        }
        // Without a root of its own something narrower below a grant for writing cannot be held.
        Err(StartError::Plan(PlanError::NeedsUserns { .. })) if !own_root => {
            let writable = |path: &str| {
                rules.iter().any(|(above, (_, allowed))| {
                    path.starts_with(&format!("{above}/")) && allowed.contains('w')
                })
            };
            assert!(
                rules.iter().any(|(path, (_, allowed))| writable(path) && !allowed.contains('w')),
                "{rules:?}"
            );
        }
        Err(error) => panic!("{rules:?}: {error}"),
    }
    assert_eq!(names(), before, "nothing is made on the host");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn the_longest_rule_wins_in_a_root_of_its_own(rules in rules()) {
        if support::has_userns() {
            check(&rules, true);
        }
    }

    #[test]
    fn the_longest_rule_wins_on_the_hosts_tree(rules in rules()) {
        check(&rules, false);
    }
}

#[test]
fn without_a_jar_everything_can_be_done() {
    let place = tree();
    let all: String = FILES.iter().map(|file| format!("{file} rwx\n")).collect();
    assert_eq!(jars::control(&place, &script()), all);
}
