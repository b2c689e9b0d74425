//! A compiled filter and its evaluator.

use crate::action::Action;
use crate::insn::{AND_K, Insn, JA, JEQ, JGE, JGT, JSET, LD_ABS, RET_K};

/// What the kernel hands a filter: `struct seccomp_data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeccompData {
    /// Number of the call.
    pub nr: u32,
    /// `AUDIT_ARCH_*`.
    pub arch: u32,
    /// Address behind the instruction that entered the kernel.
    pub ip: u64,
    /// Argument registers.
    pub args: [u64; 6],
}

impl SeccompData {
    /// A 64-bit x86 call.
    #[must_use]
    pub const fn x86_64(nr: u32, args: [u64; 6]) -> SeccompData {
        SeccompData { nr, arch: crate::Arch::X86_64.audit(), ip: 0, args }
    }

    /// The 32-bit word at `offset`, as a filter loads it; `None` outside or unaligned.
    fn word(&self, offset: u32) -> Option<u32> {
        match offset {
            0 => Some(self.nr),
            4 => Some(self.arch),
            8 => Some(half(self.ip, false)),
            12 => Some(half(self.ip, true)),
            _ if !offset.is_multiple_of(4) => None,
            _ => {
                let index = usize::try_from((offset - 16) / 8).ok()?;
                self.args.get(index).map(|&arg| half(arg, offset % 8 == 4))
            }
        }
    }
}

fn half(value: u64, upper: bool) -> u32 {
    let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
    u32::from_le_bytes(if upper { [e, f, g, h] } else { [a, b, c, d] })
}

/// A compiled filter, ready for `seccomp(SECCOMP_SET_MODE_FILTER)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub(crate) insns: Vec<Insn>,
}

impl Filter {
    /// A filter made elsewhere, to be evaluated or disassembled.
    #[must_use]
    pub fn from_insns(insns: Vec<Insn>) -> Filter {
        Filter { insns }
    }

    /// The instructions.
    #[must_use]
    pub fn insns(&self) -> &[Insn] {
        &self.insns
    }

    /// The verdict on one call, as the kernel computes it.
    #[must_use]
    pub fn eval(&self, data: &SeccompData) -> Action {
        Action::from_raw(self.run(data, |_| ()))
    }

    /// The returned value and how many instructions ran. A program that breaks the kernel's rules kills.
    #[must_use]
    pub fn trace(&self, data: &SeccompData) -> (u32, usize) {
        let mut steps = 0;
        let raw = self.run(data, |_| steps += 1);
        (raw, steps)
    }

    /// The instructions that run for one call.
    #[must_use]
    pub fn path(&self, data: &SeccompData) -> Vec<Insn> {
        let mut path = Vec::new();
        self.run(data, |insn| path.push(*insn));
        path
    }

    fn run(&self, data: &SeccompData, mut seen: impl FnMut(&Insn)) -> u32 {
        let mut accumulator = 0;
        let mut at = 0_usize;
        while let Some(insn) = self.insns.get(at) {
            seen(insn);
            match step(insn, &mut accumulator, data) {
                Step::Skip(count) => at = at.saturating_add(1).saturating_add(count),
                Step::Return(raw) => return raw,
                Step::Invalid => break,
            }
        }
        Action::KillProcess.raw()
    }
}

enum Step {
    Skip(usize),
    Return(u32),
    Invalid,
}

fn step(insn: &Insn, accumulator: &mut u32, data: &SeccompData) -> Step {
    let k = insn.k;
    let jump = |taken: bool| Step::Skip(usize::from(if taken { insn.jt } else { insn.jf }));
    match insn.code {
        LD_ABS => match data.word(k) {
            Some(word) => *accumulator = word,
            None => return Step::Invalid,
        },
        AND_K => *accumulator &= k,
        JA => return usize::try_from(k).map_or(Step::Invalid, Step::Skip),
        JEQ => return jump(*accumulator == k),
        JGT => return jump(*accumulator > k),
        JGE => return jump(*accumulator >= k),
        JSET => return jump(*accumulator & k != 0),
        RET_K => return Step::Return(k),
        _ => return Step::Invalid,
    }
    Step::Skip(0)
}
