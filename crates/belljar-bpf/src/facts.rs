//! What is known of a call's words on the way to a question, and what that spares.

use crate::cond::{Cmp, Node, Test, split_tree};
use crate::graph::{Graph, Label, Word};
use crate::lower::{List, halves};

/// A word is one of these values.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    word: Word,
    values: Vec<u32>,
}

/// Longer lists say too little for what looking at each value takes.
const MOST_VALUES: usize = 8;

/// As many facts are kept.
const MOST_FACTS: usize = 8;

/// As many facts leave several values: all that they allow together is looked at.
const MOST_OPEN: usize = 2;

impl Fact {
    pub(crate) fn one(word: Word, value: u32) -> Fact {
        Fact { word, values: vec![value] }
    }

    /// What a condition that holds says of single words.
    pub(crate) fn of(nodes: &[Node]) -> Vec<Fact> {
        let Some((first, operands)) = nodes.split_first() else { return Vec::new() };
        match *first {
            Node::Test(test) if test.cmp == Cmp::Eq => Fact::of_halves(&test),
            Node::All(count) => {
                let (mut facts, mut rest) = (Vec::new(), operands);
                for _ in 0..count {
                    let (tree, after) = split_tree(rest);
                    facts.extend(Fact::of(tree));
                    rest = after;
                }
                facts
            }
            Node::Any(count) => List::of_all(operands, count).map_or(Vec::new(), Fact::of_list),
            Node::Test(_) | Node::Not => Vec::new(),
        }
    }

    /// Adds what is known besides.
    pub(crate) fn join(known: &mut Vec<Fact>, more: Vec<Fact>) {
        for fact in more {
            let open = known.iter().filter(|fact| fact.is_open()).count();
            if !Fact::are_enough(known) && (!fact.is_open() || open < MOST_OPEN) {
                known.push(fact);
            }
        }
    }

    /// No more are kept.
    pub(crate) const fn are_enough(known: &[Fact]) -> bool {
        known.len() >= MOST_FACTS
    }

    const fn is_open(&self) -> bool {
        self.values.len() > 1
    }

    fn of_halves(test: &Test) -> Vec<Fact> {
        let known = halves(test).into_iter().filter(|half| half.word.mask != 0);
        known.map(|half| Fact::one(half.word, half.value)).collect()
    }

    fn of_list(list: List) -> Vec<Fact> {
        let mut facts = vec![Fact { word: list.low, values: list.values }];
        facts.retain(|fact| fact.values.len() <= MOST_VALUES);
        if list.high.word.mask != 0 {
            facts.push(Fact::one(list.high.word, list.high.value));
        }
        facts
    }

    /// The value of this word, if the fact is about it and has one alone.
    fn value(&self, word: Word, bits: u32) -> Option<u32> {
        let known = self.word.offset == word.offset && bits & !self.word.mask == 0;
        if let ([only], true) = (self.values.as_slice(), known) { Some(*only) } else { None }
    }
}

impl Graph {
    /// Where `label` leads when these facts are known: past every question that they answer.
    pub(crate) fn past(&self, label: Label, facts: &[Fact]) -> Label {
        match facts.iter().position(Fact::is_open) {
            Some(open) => self.past_each(label, facts, open),
            None => self.past_known(label, facts),
        }
    }

    /// The same where one fact leaves several values: only what all of them come to.
    fn past_each(&self, label: Label, facts: &[Fact], open: usize) -> Label {
        let (before, rest) = facts.split_at(open);
        let Some((several, after)) = rest.split_first() else { return label };
        let mut ends = several.values.iter().map(|value| {
            let one = Fact::one(several.word, *value);
            let facts: Vec<Fact> = before.iter().cloned().chain([one]).chain(after.iter().cloned()).collect();
            self.past(label, &facts)
        });
        let Some(end) = ends.next() else { return label };
        if ends.all(|other| other == end) {
            return end;
        }
        let fewer: Vec<Fact> = before.iter().chain(after).cloned().collect();
        self.past(label, &fewer)
    }

    fn past_known(&self, mut label: Label, facts: &[Fact]) -> Label {
        while let Some(question) = self.question(label) {
            let known = facts.iter().find_map(|fact| fact.value(question.word, question.bits()));
            let Some(value) = known else { break };
            label = question.leads(value);
        }
        label
    }
}
