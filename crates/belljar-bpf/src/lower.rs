//! Conditions to instructions.

use crate::asm::{Assembler, Label, Word};
use crate::cond::{Cmp, Node, Test, split_tree};
use crate::insn::{ARGS, JEQ, JGE, JGT, JSET};

/// Where to go when a condition holds, and when it does not.
type Exits = (Label, Label);

/// Writes the first tree of `nodes` and returns its entry.
pub(crate) fn lower(asm: &mut Assembler, nodes: &[Node], (yes, no): Exits) -> Label {
    let Some((first, operands)) = nodes.split_first() else { return yes };
    match *first {
        Node::Test(test) => lower_test(asm, &test, (yes, no)),
        Node::Not => lower(asm, operands, (no, yes)),
        Node::All(count) => lower_chain(asm, operands, count, |next| (next, no), yes),
        Node::Any(count) => match values(operands, count) {
            Some((word, values)) => lower_list(asm, word, &values, (yes, no)),
            None => lower_chain(asm, operands, count, |next| (yes, next), no),
        },
    }
}

/// The sorted values if the `count` operands ask for equality with one 32-bit word, and there are enough to search.
fn values(operands: &[Node], count: u16) -> Option<(Word, Vec<u32>)> {
    let tests = operands.get(..usize::from(count)).filter(|_| count > SHORT_LIST)?;
    let (Node::Test(first), mut values) = (tests.first()?, Vec::with_capacity(tests.len())) else {
        return None;
    };
    for node in tests {
        let Node::Test(test) = node else { return None };
        let alike = (test.arg, test.mask, test.cmp) == (first.arg, first.mask, Cmp::Eq);
        values.push(u32::try_from(test.value).ok().filter(|_| alike && test.mask >> 32 == 0)?);
    }
    values.sort_unstable();
    values.dedup();
    let [low, _] = halves(first);
    Some((low.word, values))
}

/// Lists up to this length are compared value by value.
const SHORT_LIST: u16 = 4;

/// Writes a balanced search over `values`, upper side first.
fn lower_list(asm: &mut Assembler, word: Word, values: &[u32], (yes, no): Exits) -> Label {
    if values.len() <= usize::from(SHORT_LIST) {
        return values.iter().rev().fold(no, |next, value| asm.branch(JEQ, *value, word, (yes, next)));
    }
    let (left, right) = values.split_at(values.len() / 2);
    let first = right.first().copied().unwrap_or(0);
    let upper = lower_list(asm, word, right, (yes, no));
    let lower = lower_list(asm, word, left, (yes, no));
    asm.branch(JGE, first, word, (upper, lower))
}

/// Writes `count` operands, last one first: each goes on to the one behind it, the last to `end`.
fn lower_chain(
    asm: &mut Assembler,
    operands: &[Node],
    count: u16,
    exits: impl Fn(Label) -> Exits,
    end: Label,
) -> Label {
    let mut trees = Vec::with_capacity(usize::from(count));
    let mut rest = operands;
    for _ in 0..count {
        let (tree, after) = split_tree(rest);
        trees.push(tree);
        rest = after;
    }
    trees.iter().rev().fold(end, |next, tree| lower(asm, tree, exits(next)))
}

fn lower_test(asm: &mut Assembler, test: &Test, exits: Exits) -> Label {
    let (yes, no) = exits;
    match test.cmp {
        Cmp::Eq => equal(asm, test, exits),
        Cmp::Ne => equal(asm, test, (no, yes)),
        Cmp::Gt => greater(asm, test, JGT, exits),
        Cmp::Ge => greater(asm, test, JGE, exits),
        Cmp::Le => greater(asm, test, JGT, (no, yes)),
        Cmp::Lt => greater(asm, test, JGE, (no, yes)),
    }
}

/// The lower half is tested first, so a list of values of one argument loads it once.
fn equal(asm: &mut Assembler, test: &Test, (yes, no): Exits) -> Label {
    let [low, high] = halves(test);
    let yes = high.equal(asm, (yes, no));
    low.equal(asm, (yes, no))
}

/// `code` is the relation of the lower halves when the upper ones are equal.
fn greater(asm: &mut Assembler, test: &Test, code: u16, (yes, no): Exits) -> Label {
    let [low, high] = halves(test);
    let low = asm.branch(code, low.value, low.word, (yes, no));
    if high.word.mask == 0 {
        return low;
    }
    let not_greater = asm.branch(JEQ, high.value, high.word, (low, no));
    asm.branch(JGT, high.value, high.word, (yes, not_greater))
}

/// One 32-bit half of a test.
struct Half {
    word: Word,
    value: u32,
}

impl Half {
    fn equal(&self, asm: &mut Assembler, (yes, no): Exits) -> Label {
        let Word { offset, mask } = self.word;
        match (mask, self.value) {
            (0, _) => yes,
            // No bit, or one bit: a bit test leaves the whole word in the accumulator for the next test.
            (1..=0xFFFF_FFFE, 0) => asm.branch(JSET, mask, Word::whole(offset), (no, yes)),
            (_, value) if value == mask && mask.is_power_of_two() => {
                asm.branch(JSET, mask, Word::whole(offset), (yes, no))
            }
            (_, value) => asm.branch(JEQ, value, self.word, (yes, no)),
        }
    }
}

fn halves(test: &Test) -> [Half; 2] {
    let offset = ARGS + 8 * u32::from(test.arg);
    let half = |shift: u32| Half {
        word: Word { offset: offset + shift / 8, mask: low32(test.mask >> shift) },
        value: low32(test.value >> shift),
    };
    [half(0), half(32)]
}

fn low32(value: u64) -> u32 {
    u32::try_from(value & 0xFFFF_FFFF).unwrap_or(u32::MAX)
}
