//! Pseudo-random calls that sit on the edges of a filter's rules.

use belljar_bpf::{Arch, FilterSpec, SeccompData, Test};

/// A small generator with a fixed seed: a failure names the same record on every run.
#[derive(Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// splitmix64.
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap();
        usize::try_from(self.roll() % end).unwrap()
    }

    /// One of `from`.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn one_in(&mut self, chance: u64) -> bool {
        self.roll().is_multiple_of(chance)
    }
}

/// A call near a rule of `spec`: its number, or a neighbour; arguments at, beside or above a tested value.
pub(crate) fn record(dice: &mut Dice, spec: &FilterSpec) -> SeccompData {
    let rule = &spec.rules()[dice.below(spec.rules().len())];
    let mut args = [0; 6].map(|_: u64| dice.roll());
    for test in rule.when().into_iter().flat_map(|when| when.tests()) {
        args[usize::from(test.arg)] = near(dice, test);
    }
    SeccompData { nr: number(dice, rule.syscall()), arch: arch(dice), ip: dice.roll(), args }
}

fn near(dice: &mut Dice, test: &Test) -> u64 {
    let value = match dice.below(6) {
        0 => test.value.wrapping_add(1),
        1 => test.value.wrapping_sub(1),
        2 => test.value ^ (1 << dice.below(64)),
        3 => test.value | (dice.roll() & !test.mask),
        _ => test.value,
    };
    // A dirty upper half: what a 32-bit comparison must ignore and a 64-bit one must not.
    if dice.one_in(4) { value ^ (dice.roll() << 32) } else { value }
}

fn number(dice: &mut Dice, nr: u32) -> u32 {
    match dice.below(16) {
        0 => nr.wrapping_add(1),
        1 => nr.wrapping_sub(1),
        2 => nr | 0x4000_0000,
        3 => u32::try_from(dice.roll() >> 32).unwrap(),
        4 => u32::try_from(dice.below(520)).unwrap(),
        _ => nr,
    }
}

fn arch(dice: &mut Dice) -> u32 {
    const I386: u32 = 0x4000_0003;
    if dice.one_in(32) { I386 } else { Arch::X86_64.audit() }
}
