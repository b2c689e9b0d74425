//! The same rules through seccompiler: both filters give the same verdicts for what both can say.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod records;

use std::collections::BTreeMap;

use belljar_bpf::{Action, Cmp, Cond, Filter, Insn, Test, Width, X32_FIRST, argument_width};
use records::{Dice, record};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

const FILTERS: usize = 100;
const RECORDS_EACH: usize = 1000;

/// One call with alternatives of tests that must all hold; no alternative means always.
type Call = (u32, Vec<Vec<Test>>);

#[test]
fn two_compilers_agree() {
    let mut dice = Dice(2);
    for _ in 0..FILTERS {
        let calls = random_calls(&mut dice);
        let (spec, ours) = ours(&calls);
        let theirs = theirs(&calls);
        for _ in 0..RECORDS_EACH {
            let data = record(&mut dice, &spec);
            // seccompiler does not know the x32 table.
            if data.nr < X32_FIRST {
                assert_eq!(ours.eval(&data), theirs.eval(&data), "{data:x?} {calls:?}");
            }
        }
    }
}

fn ours(calls: &[Call]) -> (belljar_bpf::FilterSpec, Filter) {
    let mut builder = Filter::builder().unknown(Action::EPERM).unwrap();
    for (nr, alternatives) in calls {
        for tests in alternatives {
            let when = Cond::all(tests.iter().copied().map(Cond::from).collect());
            builder = builder.planned(*nr, when.as_ref(), Action::Allow).unwrap();
        }
        if alternatives.is_empty() {
            builder = builder.planned(*nr, None, Action::Allow).unwrap();
        }
    }
    let spec = builder.spec();
    let filter = spec.compile().unwrap();
    (spec, filter)
}

fn theirs(calls: &[Call]) -> Filter {
    let rule = |tests: &Vec<Test>, nr| {
        SeccompRule::new(tests.iter().map(|test| condition(test, nr)).collect()).unwrap()
    };
    let rules: BTreeMap<i64, Vec<SeccompRule>> = calls
        .iter()
        .map(|(nr, alternatives)| {
            (i64::from(*nr), alternatives.iter().map(|tests| rule(tests, *nr)).collect())
        })
        .collect();
    let filter =
        SeccompFilter::new(rules, SeccompAction::Errno(1), SeccompAction::Allow, TargetArch::x86_64).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    Filter::from_insns(program.iter().map(|i| Insn { code: i.code, jt: i.jt, jf: i.jf, k: i.k }).collect())
}

fn condition(test: &Test, nr: u32) -> SeccompCondition {
    let op = match test.cmp {
        Cmp::Eq if test.mask != u64::MAX => SeccompCmpOp::MaskedEq(test.mask),
        Cmp::Eq => SeccompCmpOp::Eq,
        Cmp::Ne => SeccompCmpOp::Ne,
        Cmp::Lt => SeccompCmpOp::Lt,
        Cmp::Le => SeccompCmpOp::Le,
        Cmp::Gt => SeccompCmpOp::Gt,
        Cmp::Ge => SeccompCmpOp::Ge,
    };
    let len = match argument_width(nr, test.arg) {
        Width::Full => SeccompCmpArgLen::Qword,
        _ => SeccompCmpArgLen::Dword,
    };
    SeccompCondition::new(test.arg, len, op, test.value).unwrap()
}

/// Calls without 16-bit arguments, which seccompiler cannot express.
fn random_calls(dice: &mut Dice) -> Vec<Call> {
    let numbers: Vec<u32> =
        ["ioctl", "socket", "lseek", "prctl", "mmap", "kill", "clone", "read", "getpid", "fcntl"]
            .iter()
            .map(|name| belljar_bpf::syscall_number(name).unwrap())
            .collect();
    let mut calls: Vec<Call> = Vec::new();
    for nr in numbers {
        let alternatives = (0..dice.below(4)).map(|_| random_tests(dice, nr)).collect();
        calls.push((nr, alternatives));
    }
    calls
}

fn random_tests(dice: &mut Dice, nr: u32) -> Vec<Test> {
    (0..1 + dice.below(3)).map(|_| random_test(dice, nr)).collect()
}

fn random_test(dice: &mut Dice, nr: u32) -> Test {
    const CMPS: [Cmp; 6] = [Cmp::Eq, Cmp::Ne, Cmp::Lt, Cmp::Le, Cmp::Gt, Cmp::Ge];
    loop {
        let arg = u8::try_from(dice.below(6)).unwrap();
        let width = argument_width(nr, arg).mask();
        let value = dice.pick(&[0, 1, 2, 0x5401, dice.0, dice.0 >> 32]) & width;
        let masked = dice.below(3) == 0;
        let mask = dice.roll() & width;
        let test = if masked {
            Test::masked_eq(arg, mask, value & mask)
        } else {
            Test { arg, mask: u64::MAX, cmp: dice.pick(&CMPS), value }
        };
        if Cond::from(test).bind(nr).is_ok() {
            return test;
        }
    }
}
