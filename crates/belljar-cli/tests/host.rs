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

/// The row of a path says that nothing holds it, and nothing else is said to.
fn shown_as_absent(text: &str, path: &str) {
    let rows = || text.lines().filter(|line| line.contains(path));
    assert!(rows().any(|row| row.contains("nothing: the path is absent")), "{path}: {text}");
    assert!(!rows().any(|row| row.contains("landlock") || row.contains("namespaces")), "{path}: {text}");
}

#[test]
fn nothing_holds_a_rule_about_an_absent_path() {
    let folder = seen::Folder::new("void");
    let place = folder.path().to_str().unwrap();
    let (hidden, report) = (format!("{place}/hidden"), format!("{place}/report"));
    let grants = ["-r", "?/no/such", "--hide", &hidden];
    let plan = belljar([&["plan"], &grants[..], &["--", "true"]].concat());
    let json = belljar([&["plan", "--json"], &grants[..], &["--", "true"]].concat());
    let rows = |json: &Value| {
        let rows = json["enforced"].as_array().expect("rows").clone();
        rows.into_iter().filter(|row| row["void"] == "absent").collect::<Vec<_>>()
    };
    let planned = rows(&serde_json::from_str(&json.out).expect("JSON"));
    let named = |rows: &[Value], rule: &str| {
        rows.iter().any(|row| row["rule"] == rule && row["layers"] == Value::Array(vec![]))
    };
    assert!(named(&planned, "read /no/such") && named(&planned, &format!("hide {hidden}")), "{json:?}");
    ["/no/such", &hidden].iter().for_each(|path| shown_as_absent(&plan.out, path));
    if seen::is_ready(&["--", "true"]) {
        let run = belljar([&["run", "-v", "--report", &report], &grants[..], &["--", "true"]].concat());
        ["/no/such", &hidden].iter().for_each(|path| shown_as_absent(&run.err, path));
        assert_eq!(rows(&seen::json(report.as_ref())), planned, "{run:?}");
    }
}

#[test]
fn a_plan_refuses_what_a_run_refuses() {
    for grant in ["/no/such", "/proc/self/root/proc"] {
        let [plan, run] = ["plan", "run"].map(|word| belljar([word, "-r", grant, "--", "true"]));
        assert_eq!((plan.status, run.status), (125, 125), "{grant}: {plan:?} {run:?}");
        let said = run.err.replace("nothing was run: ", "");
        assert_eq!((plan.err, plan.out.as_str()), (said, ""), "{grant}");
    }
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
