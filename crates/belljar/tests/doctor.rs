//! The doctor inside hosts that are made poorer on purpose: each finding must name what was taken away, and nothing else
//! may be called missing. The test program starts itself in such a host.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test program"
)]

mod support;

use belljar::doctor::{Diagnosis, Status, examine};
use belljar_sys::Op;
use belljar_sys::abi::{LandlockRuleset, SockFilter};
use belljar_sys::child::Walk;
use support::poorer::{self, MOUNT, Poorer, USER};

/// Not a test: what the poorer host runs.
#[test]
#[ignore = "started by the other tests"]
fn report() {
    let path = std::env::var_os("BELLJAR_DOCTOR_OUT").expect("started by the other tests");
    std::fs::write(path, serde_json::to_vec(&examine()).unwrap()).unwrap();
}

fn examined(name: &str, host: Poorer<'_>) -> Diagnosis {
    let out = std::env::temp_dir().join(format!("belljar-doctor-{name}-{}.json", std::process::id()));
    poorer::run("report", &[("BELLJAR_DOCTOR_OUT", out.as_os_str())], host);
    let text =
        std::fs::read(&out).unwrap_or_else(|error| panic!("{name}: the doctor gave no report: {error}"));
    std::fs::remove_file(&out).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// An outer user namespace in which `then` is done; none, with a loud skip, where this machine has none.
fn in_namespace(name: &str, then: &[Op<'_>]) -> Option<Diagnosis> {
    if !support::has_userns() {
        return None;
    }
    let init: Vec<Op<'_>> = [Op::MountPrivate].iter().chain(then).copied().collect();
    Some(examined(name, Poorer { namespaces: USER | MOUNT, init: &init, program: &[] }))
}

/// Status, remedy and text of a finding.
fn finding<'a>(diagnosis: &'a Diagnosis, id: &str) -> (Status, &'a str, &'a str) {
    let finding = diagnosis
        .findings
        .iter()
        .find(|finding| finding.id == id)
        .unwrap_or_else(|| panic!("no finding {id}"));
    (finding.status, finding.remedy.as_deref().unwrap_or_default(), &finding.found)
}

fn all_but(diagnosis: &Diagnosis, poorer: &[&str]) {
    for finding in &diagnosis.findings {
        let expected = poorer.contains(&finding.id.as_str()) || finding.id == "limits";
        assert!(expected || finding.status == Status::Ok, "{finding}");
    }
}

const NAMESPACED: [&str; 7] =
    ["user-namespaces", "mounts", "fresh-proc", "network", "nesting", "terminal", "copy-on-write"];

#[test]
fn this_host_is_reported_as_the_kernel_lets_it_be() {
    let diagnosis = examined("plain", Poorer { namespaces: 0, init: &[], program: &[] });
    let unshare = std::process::Command::new("unshare").args(["-Ur", "true"]).status().unwrap();
    assert_eq!(diagnosis.status("user-namespaces") == Some(Status::Ok), unshare.success());
    assert!(diagnosis.usable);
    let text = diagnosis.to_string();
    assert!(diagnosis.findings.iter().all(|finding| text.contains(&finding.id)), "{text}");
}

#[test]
fn the_report_survives_json() {
    let diagnosis = examine();
    let text = serde_json::to_string(&diagnosis).unwrap();
    assert_eq!(serde_json::from_str::<Diagnosis>(&text).unwrap(), diagnosis);
}

#[test]
fn user_namespaces_used_up_are_named_with_their_limit() {
    let Some(diagnosis) = in_namespace("limit", &[Op::LimitNamespaces { inside: false }]) else { return };
    let (status, remedy, found) = finding(&diagnosis, "user-namespaces");
    assert_eq!(status, Status::Weaker);
    assert!(remedy.contains("user.max_user_namespaces") && found.contains("used up"), "{found} / {remedy}");
    assert!(finding(&diagnosis, "mounts").2.contains("not tried"));
    all_but(&diagnosis, &NAMESPACED);
    assert!(diagnosis.usable, "Landlock and the filter are there");
}

#[test]
fn a_covered_proc_refuses_a_fresh_one_and_only_that() {
    let cover = [
        Op::Chdir(c"/"),
        Op::Bind { from: Walk::Plain(c"/proc/sys"), to: Walk::Plain(c"proc/sys"), attrs: 0, keep: None },
    ];
    let Some(diagnosis) = in_namespace("covered", &cover) else { return };
    let (status, remedy, found) = finding(&diagnosis, "fresh-proc");
    assert_eq!(status, Status::Weaker, "{found}");
    assert!(found.contains("covered") && remedy.contains("systempaths=unconfined"), "{found} / {remedy}");
    all_but(&diagnosis, &["fresh-proc"]);
}

#[test]
fn a_missing_proc_is_the_one_cause_of_what_follows() {
    let cover = [Op::NewRoot { at: c"/proc", data: c"size=4k" }, Op::Chdir(c"/")];
    let Some(diagnosis) = in_namespace("no-proc", &cover) else { return };
    assert_eq!(finding(&diagnosis, "proc"), (Status::Missing, "mount /proc first", "/proc is not there"));
    assert_eq!(finding(&diagnosis, "user-namespaces").1, "mount /proc first");
    assert_eq!(finding(&diagnosis, "landlock").0, Status::Ok);
    assert!(diagnosis.usable);
}

#[test]
fn an_outer_landlock_domain_is_named_as_what_forbids_mounts() {
    let symlinks = LandlockRuleset { fs: 1 << 12, net: 0, scoped: 0 };
    let program = [Op::NoNewPrivs, Op::LandlockCreate(symlinks), Op::LandlockRestrict];
    let diagnosis = examined("landlock", Poorer { namespaces: 0, init: &[], program: &program });
    let (status, remedy, found) = finding(&diagnosis, "mounts");
    assert_eq!(status, Status::Missing);
    assert!(
        found.contains("surrounding Landlock domain") && remedy.contains("further outside"),
        "{found} / {remedy}"
    );
    let (status, _, found) = finding(&diagnosis, "surroundings");
    assert_eq!(status, Status::Weaker);
    assert!(found.contains("no_new_privs, 1 Landlock domain"), "{found}");
    assert_eq!(finding(&diagnosis, "landlock").0, Status::Ok, "a further domain works");
}

#[test]
fn a_container_filter_is_told_from_a_kernel_without_namespaces() {
    let filter = poorer::container_filter();
    let program = [Op::NoNewPrivs, Op::Seccomp(&filter)];
    let diagnosis = examined("container", Poorer { namespaces: 0, init: &[], program: &program });
    let (status, remedy, found) = finding(&diagnosis, "user-namespaces");
    assert_eq!(status, Status::Weaker, "{found}");
    assert!(
        found.contains("filter of the surrounding container") && remedy.contains("seccomp profile"),
        "{found} / {remedy}"
    );
    assert!(finding(&diagnosis, "surroundings").2.contains("a seccomp filter"));
    assert_eq!(finding(&diagnosis, "landlock").0, Status::Ok);
    assert_eq!(finding(&diagnosis, "seccomp").0, Status::Ok);
    assert!(diagnosis.usable);
}

#[test]
fn without_the_call_that_looks_paths_up_no_jar_starts() {
    let one = |code, jf, k| SockFilter { code, jt: 0, jf, k };
    // openat2 fails with ENOSYS
    let filter =
        [one(0x20, 0, 0), one(0x15, 1, 437), one(0x06, 0, 0x0005_0000 + 38), one(0x06, 0, 0x7fff_0000)];
    let program = [Op::NoNewPrivs, Op::Seccomp(&filter)];
    let diagnosis = examined("paths", Poorer { namespaces: 0, init: &[], program: &program });
    let (status, remedy, found) = finding(&diagnosis, "paths");
    assert_eq!(status, Status::Missing, "{found}");
    assert!(found.contains("openat2") && remedy.contains("further outside"), "{found} / {remedy}");
    assert!(!diagnosis.usable);
}
