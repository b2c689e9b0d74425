//! A filter that tells its refusals refuses the same calls.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use belljar_bpf::{Action, Filter, FilterSpec, SeccompData, syscall_number, syscalls};
use proptest::prelude::*;

const TOLD: &[&str] = &["ptrace", "socket", "chmod", "fchmodat", "clone3", "bpf", "prctl", "sysinfo"];

fn spec() -> FilterSpec {
    let builder = Filter::builder().allow_group("@default").unwrap();
    let builder = builder.deny("socket", Some("arg0 == AF_UNIX"), Action::Errno(13)).unwrap();
    let set_ids = ["chmod", "fchmod"]
        .into_iter()
        .try_fold(builder, |builder, call| builder.deny(call, Some("arg1 & 0xC00 != 0"), Action::EPERM));
    let at = ["fchmodat", "fchmodat2"].into_iter().try_fold(set_ids.unwrap(), |builder, call| {
        builder.deny(call, Some("arg2 & 0xC00 != 0"), Action::EPERM)
    });
    at.unwrap().deny("sysinfo", None, Action::ENOSYS).unwrap().spec()
}

fn told() -> Vec<u32> {
    TOLD.iter().map(|name| syscall_number(name).unwrap()).collect()
}

fn check(spec: &FilterSpec, filter: &Filter, data: &SeccompData) {
    let plain = spec.interpret(data);
    let refused = matches!(plain, Action::Errno(_)) && plain != Action::ENOSYS;
    let expected = if refused && told().contains(&data.nr) { Action::Notify } else { plain };
    assert_eq!(filter.eval(data), expected, "{data:?}");
}

/// What the kernel makes of two filters: the strictest verdict.
fn of_both(told: Action, left: Action) -> Action {
    match (told, left) {
        (Action::Notify, Action::Allow | Action::Log | Action::Leave) => Action::Notify,
        (Action::Allow, left) | (Action::Notify, left) => left,
        (other, _) => panic!("a filter of what is told never answers {other}"),
    }
}

fn check_apart(spec: &FilterSpec, (told_of, left): &(Filter, Filter), data: &SeccompData) {
    let plain = spec.interpret(data);
    let refused = matches!(plain, Action::Errno(_)) && plain != Action::ENOSYS;
    let is_told = refused && told().contains(&data.nr);
    let expected = if is_told { Action::Notify } else { plain };
    assert_eq!(of_both(told_of.eval(data), left.eval(data)), expected, "{data:?}");
    // Alone it refuses as well.
    assert_eq!(left.eval(data), if is_told { Action::Leave } else { plain }, "{data:?}");
}

#[test]
fn two_filters_tell_and_refuse_what_one_does() {
    let (spec, arg) = (spec(), [0, 1, 0xC00, 0x4C00, u64::MAX, 0x1_0000_0001]);
    let both = spec.clone().compile_apart(&told()).unwrap();
    for (_, nr) in syscalls() {
        for first in arg {
            for second in arg {
                check_apart(&spec, &both, &SeccompData::x86_64(nr, [first, second, second, 0, 0, 0]));
            }
        }
    }
}

#[test]
fn only_refusals_of_the_named_calls_are_told() {
    let (spec, arg) = (spec(), [0, 1, 0xC00, 0x4C00, u64::MAX, 0x1_0000_0001]);
    let filter = spec.clone().compile_telling(&told()).unwrap();
    for (_, nr) in syscalls() {
        for first in arg {
            for second in arg {
                check(&spec, &filter, &SeccompData::x86_64(nr, [first, second, second, 0, 0, 0]));
            }
        }
    }
    let ptrace = SeccompData::x86_64(syscall_number("ptrace").unwrap(), [0; 6]);
    assert_eq!(filter.eval(&ptrace), Action::Notify);
}

proptest! {
    #[test]
    fn whatever_is_called(nr in any::<u32>(), args in any::<[u64; 6]>(), near in 0_u32..480) {
        let spec = spec();
        let filter = spec.clone().compile_telling(&told()).unwrap();
        let both = spec.clone().compile_apart(&told()).unwrap();
        for nr in [nr, near] {
            check(&spec, &filter, &SeccompData::x86_64(nr, args));
            if nr < 0x4000_0000 {
                check_apart(&spec, &both, &SeccompData::x86_64(nr, args));
            }
        }
    }
}

#[test]
fn a_rule_that_another_call_gets_around_is_an_error_all_the_same() {
    let spec = Filter::builder().allow_group("@default").unwrap();
    let spec = spec.deny("chmod", Some("arg1 & 0xC00 != 0"), Action::EPERM).unwrap().spec();
    assert!(spec.compile().is_err());
    assert!(spec.clone().compile_telling(&told()).is_err());
}
