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

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use belljar::probe::doctor::{Diagnosis, Status, examine};
use belljar_sys::abi::{LandlockRuleset, SockFilter};
use belljar_sys::child::Walk;
use belljar_sys::spawn::Sequence;
use belljar_sys::wire::{self, Event};
use belljar_sys::{Op, owned};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

const USER: u64 = 0x1000_0000;
const MOUNT: u64 = 0x0002_0000;

/// Not a test: what the poorer host runs.
#[test]
#[ignore = "started by the other tests"]
fn report() {
    let path = std::env::var_os("BELLJAR_DOCTOR_OUT").expect("started by the other tests");
    std::fs::write(path, serde_json::to_vec(&examine()).unwrap()).unwrap();
}

/// A host made poorer: what init and the program do before the doctor starts.
struct Poorer<'a> {
    namespaces: u64,
    init: &'a [Op<'a>],
    program: &'a [Op<'a>],
}

fn examined(name: &str, host: &Poorer<'_>) -> Diagnosis {
    let out = std::env::temp_dir().join(format!("belljar-doctor-{name}-{}.json", std::process::id()));
    start(&out, host);
    let text =
        std::fs::read(&out).unwrap_or_else(|error| panic!("{name}: the doctor gave no report: {error}"));
    std::fs::remove_file(&out).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn start(out: &Path, host: &Poorer<'_>) {
    let this: PathBuf = std::env::current_exe().unwrap();
    let program = CString::new(this.as_os_str().as_bytes()).unwrap();
    let variable = CString::new([b"BELLJAR_DOCTOR_OUT=", out.as_os_str().as_bytes()].concat()).unwrap();
    let words = [program.as_c_str(), c"report", c"--exact", c"--ignored"];
    let argv: Vec<*const u8> =
        words.iter().map(|word| word.as_ptr().cast()).chain([std::ptr::null()]).collect();
    let envp = [variable.as_ptr().cast(), std::ptr::null()];
    let mut steps = host.program.to_vec();
    let candidates = [program.as_c_str()];
    steps.push(Op::Exec { candidates: &candidates, argv: &argv, envp: &envp });
    let sequence = Sequence {
        init: host.init,
        program: &steps,
        namespaces: host.namespaces,
        own_pids: false,
        announce: false,
        close_after_start: true,
    };
    let (ours, theirs) =
        rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .unwrap();
    let child = owned::spawn(&sequence, &theirs).unwrap();
    drop(theirs);
    let mut bytes = [0_u8; wire::SIZE];
    assert_eq!(rustix::io::read(&ours, &mut bytes).unwrap(), wire::SIZE);
    match Event::decode(&bytes).unwrap() {
        Event::Ended(ended) => {
            assert_eq!(ended.status, 0, "the doctor ended with status {:#x}", ended.status)
        }
        other => panic!("the poorer host could not be made: {other:?}"),
    }
    let fd = std::os::fd::AsFd::as_fd(&child.pidfd);
    rustix::process::waitid(rustix::process::WaitId::PidFd(fd), rustix::process::WaitIdOptions::EXITED)
        .unwrap();
}

/// An outer user namespace in which `then` is done; none, with a loud skip, where this machine has none.
fn in_namespace(name: &str, then: &[Op<'_>]) -> Option<Diagnosis> {
    let works = std::process::Command::new("unshare")
        .args(["-Ur", "true"])
        .status()
        .is_ok_and(|status| status.success());
    if !works {
        let must = std::env::var("BELLJAR_MUST").unwrap_or_default();
        assert!(!must.split(',').any(|item| item == "userns"), "{name} needs userns");
        eprintln!("SKIP: needs userns");
        return None;
    }
    let uid = format!("{0} {0} 1\n", rustix::process::geteuid().as_raw());
    let gid = format!("{0} {0} 1\n", rustix::process::getegid().as_raw());
    let mut init = vec![Op::IdMaps { uid: uid.as_bytes(), gid: gid.as_bytes() }, Op::MountPrivate];
    init.extend_from_slice(then);
    Some(examined(name, &Poorer { namespaces: USER | MOUNT, init: &init, program: &[] }))
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
    let diagnosis = examined("plain", &Poorer { namespaces: 0, init: &[], program: &[] });
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
    let Some(diagnosis) = in_namespace("limit", &[Op::LimitNamespaces]) else { return };
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
        Op::Bind { from: Walk::Plain(c"/proc/sys"), to: Walk::Plain(c"proc/sys"), attrs: 0 },
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
    let diagnosis = examined("landlock", &Poorer { namespaces: 0, init: &[], program: &program });
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

/// Answers as the default filters of container engines do.
fn container_filter() -> Vec<SockFilter> {
    const NO: u32 = 0x0005_0001;
    const NO_SUCH_CALL: u32 = 0x0005_0000 + 38;
    const YES: u32 = 0x7fff_0000;
    // unshare, setns, mount, umount2, pivot_root, open_tree, move_mount, fsopen, fsmount, mount_setattr
    const REFUSED: [u32; 10] = [272, 308, 165, 166, 155, 428, 429, 430, 432, 442];
    let load = |k| SockFilter { code: 0x20, jt: 0, jf: 0, k };
    let answer = |k| SockFilter { code: 0x06, jt: 0, jf: 0, k };
    let unless = |k, jf| SockFilter { code: 0x15, jt: 0, jf, k };
    let mut filter = vec![load(0)];
    filter.extend(REFUSED.iter().flat_map(|number| [unless(*number, 1), answer(NO)]));
    filter.extend([unless(435, 1), answer(NO_SUCH_CALL)]);
    // clone: any namespace flag
    let any_of = SockFilter { code: 0x45, jt: 0, jf: 1, k: 0x7E02_0000 };
    filter.extend([unless(56, 3), load(16), any_of, answer(NO), answer(YES)]);
    filter
}

#[test]
fn a_container_filter_is_told_from_a_kernel_without_namespaces() {
    let filter = container_filter();
    let program = [Op::NoNewPrivs, Op::Seccomp(&filter)];
    let diagnosis = examined("container", &Poorer { namespaces: 0, init: &[], program: &program });
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
