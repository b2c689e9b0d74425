//! Assembler that writes a program from its end to its start.
//!
//! Classic BPF jumps forward only and its conditional jumps reach 255 instructions. Written backwards, every target is
//! known when a jump is written, so a far one gets a `ja` (or a copy of the return) right behind the jump, in one
//! pass. A label also says what the accumulator must hold on arrival, so neighbouring tests of one argument share a load.

use crate::action::Action;
use crate::insn::{AND_K, Insn, JA, LD_ABS, RET_K};

/// What the accumulator holds: a masked 32-bit word of `struct seccomp_data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) offset: u32,
    pub(crate) mask: u32,
}

impl Word {
    /// The unmasked word at `offset`.
    pub(crate) const fn whole(offset: u32) -> Word {
        Word { offset, mask: u32::MAX }
    }
}

/// Where a jump can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// Return a verdict; written near each user.
    Verdict(Action),
    /// The instruction at this position from the end, which expects a word in the accumulator.
    At { position: usize, holds: Word },
}

/// Reach of a conditional jump, less the few instructions that placing its second target can add.
const REACH: usize = 255 - 8;

/// The program so far, last instruction first.
#[derive(Debug)]
pub(crate) struct Assembler {
    reversed: Vec<Insn>,
    /// Nearest return of each verdict.
    returns: Vec<(Action, usize)>,
}

impl Assembler {
    pub(crate) fn new() -> Assembler {
        Assembler { reversed: Vec::with_capacity(512), returns: Vec::with_capacity(8) }
    }

    /// Writes a jump on the word `holds`: to `yes` if `code` with `k` is true, else to `no`.
    pub(crate) fn branch(&mut self, code: u16, k: u32, holds: Word, (yes, no): (Label, Label)) -> Label {
        if yes == no {
            return yes;
        }
        // A load runs on into the instruction written last: what needs one there goes first and saves a `ja`.
        let (yes, no) = if self.is_next(yes) {
            let yes = self.place(yes, holds);
            (yes, self.place(no, holds))
        } else {
            let no = self.place(no, holds);
            (self.place(yes, holds), no)
        };
        let here = self.reversed.len();
        let offset = |target: usize| u8::try_from(here - target - 1).unwrap_or(u8::MAX);
        self.reversed.push(Insn { code, jt: offset(yes), jf: offset(no), k });
        Label::At { position: here, holds }
    }

    /// The finished program, starting at `entry` with an empty accumulator.
    pub(crate) fn finish(mut self, entry: Label) -> Vec<Insn> {
        match entry {
            Label::Verdict(action) => self.push(RET_K, action.raw()),
            Label::At { position, holds } => {
                self.load_before(position, holds);
            }
        }
        self.reversed.reverse();
        self.reversed
    }

    /// True if `label` is the instruction written last.
    fn is_next(&self, label: Label) -> bool {
        matches!(label, Label::At { position, .. } if position + 1 == self.reversed.len())
    }

    /// A position within reach of the next instruction that does what `label` says when the accumulator holds `now`.
    fn place(&mut self, label: Label, now: Word) -> usize {
        match label {
            Label::Verdict(action) => self.place_return(action),
            Label::At { position, holds } if holds == now => self.near(position),
            Label::At { position, holds } => self.load_before(position, holds),
        }
    }

    fn place_return(&mut self, action: Action) -> usize {
        let len = self.reversed.len();
        let known = self.returns.iter_mut().find(|(of, _)| *of == action);
        match known {
            Some((_, position)) if len - *position <= REACH => return *position,
            Some((_, position)) => *position = len,
            None => self.returns.push((action, len)),
        }
        self.push(RET_K, action.raw());
        len
    }

    fn near(&mut self, position: usize) -> usize {
        if self.reversed.len() - position > REACH { self.jump_always(position) } else { position }
    }

    fn jump_always(&mut self, target: usize) -> usize {
        let here = self.reversed.len();
        self.push(JA, u32::try_from(here - target - 1).unwrap_or(u32::MAX));
        here
    }

    /// A load of `word` that runs on into `position`.
    fn load_before(&mut self, position: usize, word: Word) -> usize {
        if position + 1 != self.reversed.len() {
            self.jump_always(position);
        }
        if word.mask != u32::MAX {
            self.push(AND_K, word.mask);
        }
        self.push(LD_ABS, word.offset);
        self.reversed.len() - 1
    }

    fn push(&mut self, code: u16, k: u32) {
        self.reversed.push(Insn { code, jt: 0, jf: 0, k });
    }
}
