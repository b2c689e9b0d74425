//! Learning from a run: what was written is seen however it was written, stays off the host, and what was learned lets the
//! same run pass.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "test program"
)]

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use belljar::learn::Lesson;
use belljar::policy::Access;
use belljar::probe::Userns;
use belljar::report::Verdict;
use support::has_userns;
use support::jars::{self, Place};

/// A place whose granted folder holds a tree.
fn place() -> Place {
    let place = Place::new();
    for folder in ["sub", "sub/deep", "node_modules", "node_modules/pkg"] {
        let folder = place.granted().join(folder);
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(folder, PermissionsExt::from_mode(0o777)).unwrap();
    }
    for name in ["a", "sub/a", "sub/b", "sub/deep/x", "node_modules/pkg/index.js"] {
        jars::file(&place.granted().join(name), "old\n");
    }
    place
}

/// Every path below a folder with mode, time of change and text.
fn tree(folder: &Path) -> Vec<(String, u32, (i64, i64), String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let meta = fs::symlink_metadata(&path).unwrap();
        let text = if meta.is_file() { fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
        let time = (meta.mtime(), meta.mtime_nsec());
        found.push((path.display().to_string(), meta.mode(), time, text));
        if meta.is_dir() {
            found.extend(tree(&path));
        }
    }
    found.sort();
    found
}

/// Rules as `PATH ACCESS`, paths from the granted folder.
fn rules(place: &Place, lesson: &Lesson) -> Vec<String> {
    let word = |access| if access == Access::Write { "write" } else { "read" };
    let below = |path: &Path| path.strip_prefix(place.granted()).map_or(path.to_owned(), Path::to_owned);
    let row = |path: &Path, access| format!("{} {}", below(path).display(), word(access));
    lesson.difference.rules.iter().map(|rule| row(&rule.path, rule.access)).collect()
}

/// A script that fails where nothing may be written, and the rules that it needs.
const WRITES: &[(&str, &[&str])] = &[
    ("echo new > made", &[" write"]),
    // Nothing of it is left at the end.
    ("echo new > made && rm made", &[" write"]),
    ("echo new > sub/made && rm sub/made", &["sub write"]),
    ("echo more >> a", &["a write"]),
    ("echo more >> sub/a && echo more >> sub/b", &["sub write"]),
    ("chmod 600 sub/a", &["sub/a write"]),
    ("touch -d 2001-01-01 a", &["a write"]),
    ("rm a", &[" write"]),
    ("rm -r sub/deep", &["sub write"]),
    // Made anew over what was there.
    ("rm -r sub/deep && mkdir sub/deep && echo x > sub/deep/x", &["sub write"]),
    ("cp sub/a sub/t && mv sub/t sub/a", &["sub write"]),
    ("mv sub/a a", &[" write"]),
    ("ln -s /etc/passwd sub/link", &["sub write"]),
    ("mkfifo sub/pipe", &["sub write"]),
    ("chmod 700 sub/deep", &["sub/deep write"]),
    ("mkdir -p build/deep/er && echo x > build/deep/er/x", &[" write"]),
    ("echo x > node_modules/pkg/made", &["node_modules write"]),
    ("echo x > sub/deep/y && echo more >> a", &["a write", "sub/deep write"]),
];

#[test]
fn what_is_written_becomes_the_rules_with_which_it_can_be_written() {
    if !has_userns() {
        return;
    }
    for (script, expected) in WRITES {
        let place = place();
        let before = tree(place.path());
        let without = jars::finish(&mut jars::shell(&place, &[], script)).unwrap();
        assert_ne!(without.report.verdict, Verdict::Exited { code: 0 }, "{script}: {without:?}");
        let lesson = jars::shell(&place, &[], script).learn();
        assert_eq!(lesson.report.verdict, Verdict::Exited { code: 0 }, "{script}: {lesson:?}");
        assert_eq!(rules(&place, &lesson), *expected, "{script}: {lesson:?}");
        assert_eq!(tree(place.path()), before, "{script}");
        let learned: Vec<_> =
            lesson.difference.rules.iter().map(|rule| rule.path.display().to_string()).collect();
        let flags: Vec<_> = learned.iter().map(|path| ("-w", path.as_str())).collect();
        let again = jars::finish(&mut jars::shell(&place, &flags, script)).unwrap();
        assert_eq!(again.report.verdict, Verdict::Exited { code: 0 }, "{script}: {again:?}");
        assert_ne!(tree(place.path()), before, "{script}");
    }
}

/// A program that takes the rights to look at its work away, or goes deeper than anybody looks, has taught all the same.
#[test]
fn what_cannot_be_looked_at_counts_as_changed() {
    if !has_userns() {
        return;
    }
    let place = place();
    for (script, expected) in [
        ("echo x > sub/deep/y; chmod 0 sub/deep; echo more >> a", &["a write", "sub/deep write"][..]),
        ("chmod 0 sub", &["sub write"]),
    ] {
        let lesson = jars::shell(&place, &[], script).learn();
        assert_eq!(rules(&place, &lesson), *expected, "{script}: {lesson:?}");
        assert!(lesson.notes.is_empty(), "{script}: {lesson:?}");
    }
    let mut deepest = place.granted().join("sub");
    for _ in 0..70 {
        deepest.push("d");
        fs::create_dir(&deepest).unwrap();
        fs::set_permissions(&deepest, PermissionsExt::from_mode(0o777)).unwrap();
    }
    let lesson = jars::shell(&place, &[], &format!("echo x > {}/x", deepest.display())).learn();
    let found = rules(&place, &lesson);
    assert!(found.len() == 1 && found[0].starts_with("sub/d/d/") && found[0].len() < 140, "{lesson:?}");
}

#[test]
fn granted_folders_and_files_are_not_written_either() {
    if !has_userns() {
        return;
    }
    let place = place();
    let before = tree(place.path());
    let outside = place.outside().display().to_string();
    let script = "echo x > $O/made; rm $O/victim; echo more >> a; ls $O";
    let lesson = jars::shell(&place, &[("-w", &outside), ("-w", "a")], script).learn();
    assert_eq!(tree(place.path()), before, "{lesson:?}");
    assert!(rules(&place, &lesson).is_empty(), "it was granted already: {lesson:?}");
    assert!(lesson.notes.iter().any(|note| note.contains("/a was not written")), "{lesson:?}");
}

#[test]
fn what_is_refused_while_learning_stays_out_of_reach() {
    if !has_userns() {
        return;
    }
    let place = place();
    let script = "cat $O/secret; ls $O; echo x > $O/made; cat /proc/1/root$O/secret; exit 0";
    let lesson = jars::shell(&place, &[], script).learn();
    assert_eq!(lesson.report.verdict, Verdict::Exited { code: 0 });
    assert_eq!(Place::names(&place.outside()), ["secret", "victim"]);
    let secret = place.outside().join("secret");
    let proposed = lesson.difference.rules.iter().any(|rule| secret.starts_with(&rule.path));
    assert!(proposed, "it is no place of keys: {lesson:?}");
}

#[test]
fn a_host_without_namespaces_is_refused_and_one_without_notifications_says_so() {
    if !has_userns() {
        return;
    }
    let place = place();
    let mut facts = belljar::probe::probe();
    facts.seccomp_notify = false;
    let lesson = jars::shell(&place, &[], "cat $O/secret; echo x > made").host(facts.clone()).learn();
    assert_eq!(rules(&place, &lesson), [" write"], "{lesson:?}");
    assert!(lesson.notes.iter().any(|note| note.contains("only what was written")), "{lesson:?}");
    facts.userns = Userns::Sysctl;
    let lesson = jars::shell(&place, &[], "true").host(facts).learn();
    assert_eq!((lesson.report.verdict, lesson.report.verdict.exit_code()), (Verdict::SetupFailed, 125));
    assert!(
        lesson.difference.rules.is_empty() && lesson.report.reason.contains("user namespaces"),
        "{lesson:?}"
    );
}
