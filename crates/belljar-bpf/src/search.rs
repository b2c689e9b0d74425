//! Intervals of numbers to a search: a tree over blocks, and in each block a few numbers asked for one by one.
//!
//! The kernel takes time for each instruction that it loads, and runs the filter for every number once to learn which calls
//! are always allowed. A number that differs from both of its neighbours is two cuts of a tree, but one question in a block.

use crate::action::Action;
use crate::graph::{Graph, Label};
use crate::insn::{JEQ, JGE, NR};
use crate::word::Word;

pub(crate) const NUMBER: Word = Word::whole(NR);

/// Values from `first` up to the next interval lead to the same place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval {
    pub(crate) first: u32,
    pub(crate) to: Label,
}

/// Most numbers that are asked for one by one in a block: each lengthens the way of those behind it.
const MOST_ODD: usize = 4;

/// As many numbers in a row are no calls of any kernel.
const NOBODYS: u32 = 1024;

/// Neighbouring intervals, all to one place but for a few single numbers.
#[derive(Clone, Copy)]
struct Block<'i> {
    intervals: &'i [Interval],
    base: Label,
    /// First number behind it.
    end: Option<u32>,
}

/// Writes a search over `intervals`, right side first, and returns its entry.
pub(crate) fn search(graph: &mut Graph, word: Word, intervals: &[Interval]) -> Label {
    tree(graph, word, &blocks(intervals))
}

fn tree(graph: &mut Graph, word: Word, blocks: &[Block<'_>]) -> Label {
    match blocks {
        [] => Label::Verdict(Action::KillProcess),
        [only] => only.write(graph, word),
        _ => {
            let (left, right) = blocks.split_at(middle(blocks));
            let first = right.first().map_or(0, Block::first);
            let upper = tree(graph, word, right);
            let lower = tree(graph, word, left);
            graph.branch(JGE, first, word, (upper, lower))
        }
    }
}

/// Where as many numbers lie on one side as on the other; at least one block on each.
fn middle(blocks: &[Block<'_>]) -> usize {
    let all: u32 = blocks.iter().map(Block::weight).sum();
    let mut left = 0;
    let apart = |(at, block): (usize, &Block<'_>)| {
        left += block.weight();
        (at + 1, (2 * left).abs_diff(all))
    };
    let cuts = blocks.iter().enumerate().map(apart).take(blocks.len().saturating_sub(1));
    cuts.min_by_key(|(_, apart)| *apart).map_or(1, |(at, _)| at)
}

impl Block<'_> {
    fn first(&self) -> u32 {
        self.intervals.first().map_or(0, |interval| interval.first)
    }

    /// Numbers that a kernel can have in it.
    fn weight(&self) -> u32 {
        let wide = self.end.map_or(NOBODYS, |end| end - self.first());
        if wide < NOBODYS { wide } else { 1 }
    }

    fn write(&self, graph: &mut Graph, word: Word) -> Label {
        let odd = self.intervals.iter().rev().filter(|interval| interval.to != self.base);
        odd.fold(self.base, |next, interval| graph.branch(JEQ, interval.first, word, (interval.to, next)))
    }
}

/// The cheapest way to a place between two intervals.
#[derive(Clone, Copy)]
struct Way {
    instructions: usize,
    /// Where its last block starts, and of what that is.
    from: usize,
    base: Label,
}

/// Cuts the intervals into blocks so that blocks and single numbers are as few as can be.
fn blocks<'i>(intervals: &'i [Interval]) -> Vec<Block<'i>> {
    let start = Way { instructions: 0, from: 0, base: Label::Verdict(Action::KillProcess) };
    let mut ways = vec![None; intervals.len() + 1];
    if let Some(first) = ways.first_mut() {
        *first = Some(start);
    }
    for from in 0..intervals.len() {
        let Some(Some(way)) = ways.get(from).copied() else { continue };
        let rest = intervals.get(from..).unwrap_or_default();
        for base in rest.iter().take(2).map(|interval| interval.to) {
            for (to, odd) in reach(rest, base) {
                let instructions = way.instructions + odd + 1;
                let known = ways
                    .get_mut(from + to)
                    .filter(|known| known.is_none_or(|known: Way| instructions < known.instructions));
                if let Some(known) = known {
                    *known = Some(Way { instructions, from, base });
                }
            }
        }
    }
    along(&ways, intervals)
}

/// How many intervals a block of `base` can hold, and how many numbers it has to ask for then.
fn reach(rest: &[Interval], base: Label) -> impl Iterator<Item = (usize, usize)> {
    let single = |at: usize| {
        let (own, next) = (rest.get(at), rest.get(at + 1));
        own.zip(next).is_some_and(|(own, next)| own.first + 1 == next.first)
    };
    let mut odd = 0;
    rest.iter().enumerate().map_while(move |(at, interval)| {
        if interval.to != base {
            odd += 1;
            if odd > MOST_ODD || !single(at) {
                return None;
            }
        }
        Some((at + 1, odd))
    })
}

/// The blocks of the way to the end.
fn along<'i>(ways: &[Option<Way>], intervals: &'i [Interval]) -> Vec<Block<'i>> {
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
