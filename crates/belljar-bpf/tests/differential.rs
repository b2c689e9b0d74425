//! Compiled filters against the plain interpreter of the rules: one million calls, the same verdict each time.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod records;

use belljar_bpf::{
    Action, Cmp, Cond, Filter, FilterBuilder, FilterSpec, SeccompData, Test, argument_width, disassemble,
    syscalls,
};
use records::{Dice, record};

const RECORDS: usize = 1_000_000;
const RANDOM_FILTERS: usize = 200;

#[test]
fn a_million_calls_get_the_verdict_of_the_rules() {
    let mut dice = Dice(1);
    let mut specs: Vec<FilterSpec> = shipped().into_iter().map(FilterBuilder::spec).collect();
    specs.extend((0..RANDOM_FILTERS).map(|_| random_spec(&mut dice)));
    let each = RECORDS.div_ceil(specs.len());
    let mut granted = 0;
    for spec in &specs {
        granted += compare(&mut dice, spec, each);
    }
    // Both outcomes must be common, or the records test nothing.
    assert!(granted > RECORDS / 10 && granted < RECORDS * 9 / 10, "{granted} of {RECORDS} granted");
}

/// Few words, few values and few calls, so that conditions meet again and again what others have asked: what is asked once for
/// several, left out because it is known, or searched as one list gets the verdict of the rules for every call there is.
#[test]
fn every_call_of_a_small_world_gets_the_verdict_of_the_rules() {
    let mut dice = Dice(3);
    for _ in 0..SMALL_FILTERS {
        let spec = small_spec(&mut dice);
        let filter = spec.compile().unwrap();
        for nr in SMALL_CALLS {
            for first in SMALL_ARGUMENTS {
                for second in SMALL_ARGUMENTS {
                    let data = SeccompData::x86_64(nr, [first, second, 0, 0, 0, 0]);
                    let (compiled, ruled) = (filter.eval(&data), spec.interpret(&data));
                    assert_eq!(compiled, ruled, "{data:x?}\n{:?}\n{}", spec.rules(), disassemble(&filter));
                }
            }
        }
    }
}

const SMALL_FILTERS: usize = 400;

/// `lseek`, whose arguments differ in width, its neighbours, and `clone3`, whose are all 64-bit.
const SMALL_CALLS: [u32; 4] = [7, 8, 9, 435];

/// Small numbers, the ends of both halves, and small numbers under a dirty upper half.
const SMALL_ARGUMENTS: [u64; 15] = [
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    0xFFFF_FFFE,
    0xFFFF_FFFF,
    0x1_0000_0000,
    0x1_0000_0003,
    u64::MAX - 4,
    u64::MAX,
];

fn small_spec(dice: &mut Dice) -> FilterSpec {
    let mut builder = Filter::builder().allow_nothing();
    for _ in 0..dice.below(6) + 1 {
        let nr = dice.pick(&SMALL_CALLS[..3]);
        let when = (dice.below(6) != 0).then(|| small_condition(dice, nr, 2));
        let action = dice.pick(&ACTIONS);
        builder = builder.planned(nr, when.as_ref(), action).unwrap();
    }
    builder.spec()
}

fn small_condition(dice: &mut Dice, nr: u32, depth: u8) -> Cond {
    let count = dice.below(6);
    let parts = |dice: &mut Dice| (0..=count).map(|_| small_condition(dice, nr, depth - 1)).collect();
    match if depth == 0 { 3 + dice.below(2) } else { dice.below(5) } {
        0 => !small_condition(dice, nr, depth - 1),
        1 => Cond::all(parts(dice)).unwrap(),
        2 => Cond::any(parts(dice)).unwrap(),
        3 => Cond::from(small_test(dice, nr)),
        _ => small_list(dice, nr),
    }
}

/// One of a few values of one word.
fn small_list(dice: &mut Dice, nr: u32) -> Cond {
    let mask = argument_width(nr, 0).mask();
    let value = |dice: &mut Dice| Test::masked_eq(0, mask, dice.pick(&SMALL_ARGUMENTS) & mask);
    Cond::any((0..2 + dice.below(8)).map(|_| Cond::from(value(dice))).collect()).unwrap()
}

fn small_test(dice: &mut Dice, nr: u32) -> Test {
    loop {
        let arg = u8::try_from(dice.below(2)).unwrap();
        let mask = dice.pick(&[u64::MAX, u64::MAX, u64::MAX, 1, 2, 3, 6, 0xFFFF_FFFF << 32]);
        let mask = mask & argument_width(nr, arg).mask();
        let cmp =
            dice.pick(&[Cmp::Eq, Cmp::Eq, Cmp::Eq, Cmp::Ne, Cmp::Ne, Cmp::Lt, Cmp::Ge, Cmp::Gt, Cmp::Le]);
        let test = Test { arg, mask, cmp, value: dice.pick(&SMALL_ARGUMENTS) & mask };
        if Cond::from(test).bind(nr).is_ok() {
            return test;
        }
    }
}

/// Compares `count` verdicts and returns how many grant the call.
fn compare(dice: &mut Dice, spec: &FilterSpec, count: usize) -> usize {
    let filter = spec.compile().unwrap();
    let mut granted = 0;
    for _ in 0..count {
        let data = record(dice, spec);
        let (compiled, ruled) = (filter.eval(&data), spec.interpret(&data));
        assert_eq!(compiled, ruled, "{data:x?}\n{:?}\n{}", spec.rules(), disassemble(&filter));
        granted += usize::from(compiled.grants());
    }
    granted
}

fn shipped() -> Vec<FilterBuilder> {
    let groups = |names: &[&str]| {
        names.iter().fold(Filter::builder(), |builder, name| builder.allow_group(name).unwrap())
    };
    let narrowed = groups(&["@default"]).only_when("ioctl", "arg1 == TCGETS || arg1 > 0xffff0000").unwrap();
    let brokered = narrowed.clone().rule("bind", Some("arg2 < 16"), Action::Notify).unwrap();
    vec![
        groups(&["@default"]),
        groups(&["@offline", "@terminal"]),
        groups(&["@default", "@debug"]),
        narrowed,
        brokered,
    ]
}

/// A filter of up to 60 random rules on few calls, so that several rules meet on one.
fn random_spec(dice: &mut Dice) -> FilterSpec {
    // clone3 is refused beside a checked clone, and some calls are never granted.
    let grantable = |nr: &u32| Filter::builder().planned(*nr, None, Action::Allow).is_ok();
    let calls: Vec<u32> =
        syscalls().filter(|(name, _)| *name != "clone3").map(|(_, nr)| nr).filter(grantable).collect();
    let few: Vec<u32> = (0..1 + dice.below(20)).map(|_| dice.pick(&calls)).collect();
    let mut builder = Filter::builder().allow_nothing();
    for _ in 0..dice.below(60) + 1 {
        let nr = dice.pick(&few);
        let when = (dice.below(4) != 0).then(|| random_condition(dice, nr, 3));
        let action = dice.pick(&ACTIONS);
        builder = builder.planned(nr, when.as_ref(), action).unwrap();
    }
    builder.spec()
}

const ACTIONS: [Action; 8] = [
    Action::Allow,
    Action::Allow,
    Action::Allow,
    Action::Errno(7),
    Action::Notify,
    Action::Log,
    Action::Trap,
    Action::KillProcess,
];

fn random_condition(dice: &mut Dice, nr: u32, depth: u8) -> Cond {
    let shape = if depth == 0 { 0 } else { dice.below(5) };
    let parts = |dice: &mut Dice, count: usize| -> Vec<Cond> {
        (0..count).map(|_| random_condition(dice, nr, depth - 1)).collect()
    };
    match shape {
        1 => !parts(dice, 1).remove(0),
        2 => {
            let count = 1 + dice.below(4);
            Cond::all(parts(dice, count)).unwrap()
        }
        3 => {
            let count = 1 + dice.below(4);
            Cond::any(parts(dice, count)).unwrap()
        }
        4 => random_list(dice, nr),
        _ => Cond::from(random_test(dice, nr)),
    }
}

fn random_list(dice: &mut Dice, nr: u32) -> Cond {
    let Test { arg, mask, .. } = random_test(dice, nr);
    let values = (0..1 + dice.below(20)).map(|_| Cond::from(Test::masked_eq(arg, mask, dice.roll() & mask)));
    Cond::any(values.collect()).unwrap()
}

/// A test that fits call `nr` and is not constant.
fn random_test(dice: &mut Dice, nr: u32) -> Test {
    const CMPS: [Cmp; 6] = [Cmp::Eq, Cmp::Ne, Cmp::Lt, Cmp::Le, Cmp::Gt, Cmp::Ge];
    loop {
        let arg = u8::try_from(dice.below(6)).unwrap();
        let width = argument_width(nr, arg).mask();
        let shift = dice.below(64);
        let masks = [width, width, 1 << shift, 3 << shift, dice.roll(), !dice.roll(), 0xFFFF_FFFF << 32];
        let mask = dice.pick(&masks) & width;
        let value = dice.pick(&[0, 1, dice.0 >> 60, dice.0, dice.0 >> 32]) & mask;
        let test = Test { arg, mask, cmp: dice.pick(&CMPS), value };
        if Cond::from(test).bind(nr).is_ok() {
            return test;
        }
    }
}
