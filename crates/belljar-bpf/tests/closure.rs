//! Alias closure: a rule that another call gets around is refused, and names that call.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use belljar_bpf::{Action, CompileError, Filter, FilterBuilder, GapKind};

fn default() -> FilterBuilder {
    Filter::builder().allow_group("@default").unwrap()
}

/// Kind, ruled and forgotten call of each gap.
fn gaps(builder: &FilterBuilder) -> Vec<(GapKind, &'static str, &'static str)> {
    let gaps = builder.clone().spec().check_closure();
    gaps.iter().map(|gap| (gap.kind, gap.ruled, gap.forgotten)).collect()
}

fn forgotten(builder: &FilterBuilder) -> Vec<&'static str> {
    gaps(builder).into_iter().map(|(_, _, call)| call).collect()
}

#[test]
fn a_denied_call_with_an_open_sibling_is_refused() {
    let rule = default().deny("open", None, Action::EPERM).unwrap();
    assert_eq!(forgotten(&rule), ["openat", "openat2", "creat"]);
    let CompileError::NotClosed { gaps } = rule.compile().unwrap_err() else { unreachable!() };
    assert_eq!(gaps[0].to_string(), "the rule on open is bypassed by openat: each opens a file");
    let all = ["openat", "openat2", "creat"];
    let closed = all.iter().fold(rule, |rule, call| rule.deny(call, None, Action::EPERM).unwrap());
    assert!(closed.compile().is_ok());
}

#[test]
fn a_checked_call_with_an_open_sibling_is_refused() {
    let rule = default().only_when("fork", "arg0 == 1").unwrap();
    assert_eq!(forgotten(&rule), ["vfork", "clone"]);
    let kill = default().only_when("kill", "arg1 == SIGTERM").unwrap();
    assert_eq!(
        forgotten(&kill),
        ["tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"]
    );
}

#[test]
fn openat_without_a_word_on_openat2_is_refused() {
    let basic = Filter::builder().allow_group("@basic").unwrap();
    let rule = basic.allow("openat").unwrap();
    assert_eq!(
        gaps(&rule),
        [
            (GapKind::Undecided, "openat", "open"),
            (GapKind::Undecided, "openat", "openat2"),
            (GapKind::Undecided, "openat", "creat"),
        ]
    );
    let decided = ["open", "openat2", "creat"];
    let closed = decided.iter().fold(rule, |rule, call| rule.deny(call, None, Action::ENOSYS).unwrap());
    assert!(closed.compile().is_err(), "openat itself gets around a denied open");
}

#[test]
fn clone_with_any_flags_is_refused() {
    let rule = default().allow("clone").unwrap();
    assert_eq!(gaps(&rule), [(GapKind::ArbitraryFlags, "clone", "clone")]);
    assert!(rule.compile().unwrap_err().to_string().contains("new namespaces"));
    let nested = default().allow_group("@nested").unwrap();
    assert!(nested.compile().is_ok(), "the group says so by name");
}

#[test]
fn clone3_beside_a_checked_clone_is_refused() {
    let rule = default().allow("clone3").unwrap();
    assert!(gaps(&rule).contains(&(GapKind::FlagsInMemory, "clone", "clone3")));
}

#[test]
fn a_rule_on_clone_is_judged_by_its_flags() {
    let threads = default().only_when("clone", "arg0 & CLONE_THREAD == CLONE_THREAD").unwrap();
    assert_eq!(forgotten(&threads), ["fork", "vfork"]);
    let no_users = default().only_when("clone", "arg0 & CLONE_NEWUSER == 0").unwrap();
    assert_eq!(gaps(&no_users), [], "fork makes no namespace");
    let nested =
        default().allow_group("@nested").unwrap().only_when("clone", "arg0 & CLONE_NEWUSER == 0").unwrap();
    assert_eq!(gaps(&nested), [(GapKind::Bypass, "clone", "clone3")]);
    let alone = Filter::builder().allow_group("@basic").unwrap().allow_when("clone", "arg0 == 17").unwrap();
    assert_eq!(gaps(&alone), [(GapKind::Undecided, "clone", "clone3")]);
}

#[test]
fn io_uring_gets_around_every_rule_on_files_and_sockets() {
    let ring = default().allow_group("@io-uring").unwrap();
    assert!(ring.compile().is_ok());
    for call in ["socket", "connect", "unlink", "read"] {
        let rule = ring.clone().deny(call, None, Action::EPERM).unwrap();
        assert!(forgotten(&rule).contains(&"io_uring_enter"), "{call}");
    }
}

#[test]
fn a_rule_on_a_call_of_many_uses_opens_no_gap() {
    for (call, when) in
        [("ioctl", "arg1 == TCGETS"), ("fcntl", "arg1 == F_GETFL"), ("prctl", "arg0 == PR_SET_NAME")]
    {
        assert_eq!(gaps(&default().only_when(call, when).unwrap()), [], "{call}");
    }
    for call in ["socket", "unshare", "ptrace", "seccomp", "memfd_create", "io_setup"] {
        assert_eq!(gaps(&default().deny(call, None, Action::EPERM).unwrap()), [], "{call}");
    }
}

#[test]
fn a_policy_that_names_the_other_call_has_decided() {
    let rule = default().deny("connect", None, Action::EPERM).unwrap();
    assert_eq!(forgotten(&rule), ["sendto", "sendmsg", "sendmmsg"]);
    let named = ["sendto", "sendmsg", "sendmmsg"].iter().fold(rule, |rule, call| rule.allow(call).unwrap());
    assert_eq!(gaps(&named), []);
}
