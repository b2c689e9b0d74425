//! `belljar plan` and `belljar doctor`: what this host can do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;

use seen::belljar;
use serde_json::Value;

#[test]
fn a_plan_names_rules_origins_and_layers_and_runs_nothing() {
    let folder = seen::Folder::new("plan");
    let place = folder.path().to_string_lossy().into_owned();
    let seen = belljar(["plan", "-w", &place, "--", "touch", &format!("{place}/ran")]);
    assert_eq!((seen.status, seen.err.as_str()), (0, ""), "{seen:?}");
    for part in [&*format!("(-w {place})"), "landlock", "seccomp"] {
        assert!(seen.out.contains(part), "no {part}: {seen:?}");
    }
    assert!(!folder.path().join("ran").try_exists().expect("stat"));
}

#[test]
fn a_plan_as_json_is_json() {
    let seen = belljar(["plan", "--json", "--", "true"]);
    assert_eq!(seen.status, 0, "{seen:?}");
    assert!(serde_json::from_str::<Value>(&seen.out).expect("JSON").is_object());
}

#[test]
fn doctor_gives_findings_and_changes_nothing() {
    let text = belljar(["doctor"]);
    assert!([0, 1].contains(&text.status), "{text:?}");
    let seen = belljar(["doctor", "--json"]);
    assert_eq!(seen.status, text.status);
    let findings: Value = serde_json::from_str(&seen.out).expect("JSON");
    assert!(findings["findings"].as_array().is_some_and(|rows| !rows.is_empty()), "{findings}");
}

#[test]
fn a_jar_in_a_jar_is_told_what_the_outer_one_refuses() {
    if !seen::is_ready(&["--", "true"]) {
        return;
    }
    let own = env!("CARGO_BIN_EXE_belljar");
    let inside = |words: &[&str]| belljar(["run", "-r", own, "--", own].iter().chain(words));
    let doctor = inside(&["doctor"]);
    assert_eq!(doctor.status, 1, "{doctor:?}");
    assert!(doctor.out.contains("missing  paths"), "{doctor:?}");
    let jar = inside(&["run", "--allow-weaker", "fs", "--allow-weaker", "ipc", "--", "true"]);
    assert!(jar.status == 125 && jar.err.contains("outside of that sandbox"), "{jar:?}");
}
