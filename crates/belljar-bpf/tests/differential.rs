//! Compiled filters against the plain interpreter of the rules: one million calls, the same verdict each time.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod records;

use belljar_bpf::{
    Action, Cmp, Cond, Filter, FilterBuilder, FilterSpec, Test, argument_width, disassemble, syscalls,
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
