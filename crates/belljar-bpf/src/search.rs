//! Intervals of call numbers to a search: a tree over blocks, and in each block a few numbers asked for one by one.
//!
//! The kernel takes time for each instruction that it loads, and runs the filter for every number once to learn which calls
//! are always allowed. A number that differs from both of its neighbours is two cuts of a tree, but one question in a block.

use crate::action::Action;
use crate::asm::{Assembler, Label, Word};
use crate::insn::{JEQ, JGE, NR};
use crate::leaf::{Interval, Leaf};

pub(crate) const NUMBER: Word = Word::whole(NR);

/// Most numbers that are asked for one by one in a block: each lengthens the way of those behind it.
const MOST_ODD: usize = 3;

/// As many numbers in a row are no calls of any kernel.
const NOBODYS: u32 = 1024;

/// Neighbouring intervals, all of one leaf but for a few single numbers.
#[derive(Clone, Copy)]
struct Block<'i, 's> {
    intervals: &'i [Interval<'s>],
    base: Leaf<'s>,
    /// First number behind it.
    end: Option<u32>,
}

/// Writes a search over `intervals`, right side first, and returns its entry.
pub(crate) fn search(asm: &mut Assembler, intervals: &[Interval<'_>]) -> Label {
    tree(asm, &blocks(intervals))
}

fn tree(asm: &mut Assembler, blocks: &[Block<'_, '_>]) -> Label {
    match blocks {
        [] => Label::Verdict(Action::KillProcess),
        [only] => only.write(asm),
        _ => {
            let (left, right) = blocks.split_at(middle(blocks));
            let first = right.first().map_or(0, Block::first);
            let upper = tree(asm, right);
            let lower = tree(asm, left);
            asm.branch(JGE, first, NUMBER, (upper, lower))
        }
    }
}

/// Where as many numbers lie on one side as on the other; at least one block on each.
fn middle(blocks: &[Block<'_, '_>]) -> usize {
    let all: u32 = blocks.iter().map(Block::weight).sum();
    let mut left = 0;
    let apart = |(at, block): (usize, &Block<'_, '_>)| {
        left += block.weight();
        (at + 1, (2 * left).abs_diff(all))
    };
    let cuts = blocks.iter().enumerate().map(apart).take(blocks.len().saturating_sub(1));
    cuts.min_by_key(|(_, apart)| *apart).map_or(1, |(at, _)| at)
}

impl Block<'_, '_> {
    fn first(&self) -> u32 {
        self.intervals.first().map_or(0, |interval| interval.first)
    }

    /// Numbers that a kernel can have in it.
    fn weight(&self) -> u32 {
        let wide = self.end.map_or(NOBODYS, |end| end - self.first());
        if wide < NOBODYS { wide } else { 1 }
    }

    fn write(&self, asm: &mut Assembler) -> Label {
        let base = self.base.write(asm);
        let odd = self.intervals.iter().rev().filter(|interval| interval.leaf != self.base);
        odd.fold(base, |next, interval| {
            let inside = interval.leaf.write(asm);
            asm.branch(JEQ, interval.first, NUMBER, (inside, next))
        })
    }
}

/// The cheapest way to a place between two intervals.
#[derive(Clone, Copy)]
struct Way<'s> {
    instructions: usize,
    /// Where its last block starts, and of what that is.
    from: usize,
    base: Leaf<'s>,
}

/// Cuts the intervals into blocks so that blocks and single numbers are as few as can be.
fn blocks<'i, 's>(intervals: &'i [Interval<'s>]) -> Vec<Block<'i, 's>> {
    let start = Way { instructions: 0, from: 0, base: Leaf::Verdict(Action::KillProcess) };
    let mut ways = vec![None; intervals.len() + 1];
    if let Some(first) = ways.first_mut() {
        *first = Some(start);
    }
    for from in 0..intervals.len() {
        let Some(Some(way)) = ways.get(from).copied() else { continue };
        let rest = intervals.get(from..).unwrap_or_default();
        for base in rest.iter().take(2).map(|interval| interval.leaf) {
            for (to, odd) in reach(rest, base) {
                let instructions = way.instructions + odd + 1;
                let known = ways
                    .get_mut(from + to)
                    .filter(|known| known.is_none_or(|known: Way<'_>| instructions < known.instructions));
                if let Some(known) = known {
                    *known = Some(Way { instructions, from, base });
                }
            }
        }
    }
    along(&ways, intervals)
}

/// How many intervals a block of `base` can hold, and how many numbers it has to ask for then.
fn reach(rest: &[Interval<'_>], base: Leaf<'_>) -> Vec<(usize, usize)> {
    let single = |at: usize| {
        let (own, next) = (rest.get(at), rest.get(at + 1));
        own.zip(next).is_some_and(|(own, next)| own.first + 1 == next.first)
    };
    let mut odd = 0;
    let ends = rest.iter().enumerate().map_while(move |(at, interval)| {
        if interval.leaf != base {
            odd += 1;
            if odd > MOST_ODD || !single(at) {
                return None;
            }
        }
        Some((at + 1, odd))
    });
    ends.collect()
}

/// The blocks of the way to the end.
fn along<'i, 's>(ways: &[Option<Way<'s>>], intervals: &'i [Interval<'s>]) -> Vec<Block<'i, 's>> {
    let (mut found, mut to) = (Vec::new(), intervals.len());
    while let Some(Some(way)) = ways.get(to).filter(|_| to > 0) {
        let end = intervals.get(to).map(|interval| interval.first);
        let held = intervals.get(way.from..to).unwrap_or_default();
        found.push(Block { intervals: held, base: way.base, end });
        to = way.from;
    }
    found.reverse();
    found
}
