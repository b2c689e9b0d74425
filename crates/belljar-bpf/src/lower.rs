//! Conditions to questions.

use crate::cond::{Cmp, Node, Test, split_tree};
use crate::facts::{Fact, MOST_VALUES};
use crate::graph::{Exits, Graph, Label};
use crate::insn::{JEQ, JGE, JGT, JSET};
use crate::search::{Interval, search};
use crate::word::{Half, Word, halves};

/// Writes conditions of which one is enough, and returns their entry.
pub(crate) fn alternatives(graph: &mut Graph, conditions: &[&[Node]], exits: Exits) -> Label {
    let mut parts = Vec::with_capacity(conditions.len());
    for condition in conditions {
        take(&mut parts, condition, Node::Any(0));
    }
    lower_any(graph, &parts, exits, &[])
}

/// Writes the first tree of `nodes` and returns its entry; `facts` are known wherever it is asked.
fn lower(graph: &mut Graph, nodes: &[Node], (yes, no): Exits, facts: &[Fact]) -> Label {
    let Some((first, operands)) = nodes.split_first() else { return yes };
    match *first {
        Node::Test(test) => {
            let exits = (graph.past(yes, facts), graph.past(no, facts));
            lower_test(graph, &test, exits)
        }
        Node::Not => lower(graph, operands, (no, yes), facts),
        Node::All(count) => lower_all(graph, &parts(operands, count, *first), (yes, no), facts),
        Node::Any(count) => lower_any(graph, &parts(operands, count, *first), (yes, no), facts),
    }
}

/// Operands of one operator: single ones, and lists of values that one word is compared with.
enum Part<'n> {
    Tree(&'n [Node]),
    List(List),
}

impl Part<'_> {
    /// Takes a test in, if this is the list of its word.
    fn takes(&mut self, test: &Test) -> bool {
        match self {
            Part::List(list) => list.takes(test),
            Part::Tree(_) => false,
        }
    }

    fn facts(&self) -> Vec<Fact> {
        match self {
            Part::Tree(tree) => told(tree),
            // Of all of these operands: the word is none of the values.
            Part::List(_) => Vec::new(),
        }
    }

    fn write(&self, graph: &mut Graph, (yes, no): Exits, facts: &[Fact]) -> Label {
        match self {
            Part::Tree(tree) => lower(graph, tree, (yes, no), facts),
            Part::List(list) => {
                let exits = (graph.past(yes, facts), graph.past(no, facts));
                list.write(graph, exits)
            }
        }
    }
}

/// The `count` operands of `operator`.
fn parts(operands: &[Node], count: u16, operator: Node) -> Vec<Part<'_>> {
    let mut parts = Vec::with_capacity(usize::from(count));
    take_each(&mut parts, operands, count, operator);
    parts
}

fn take_each<'n>(parts: &mut Vec<Part<'n>>, operands: &'n [Node], count: u16, operator: Node) {
    let mut rest = operands;
    for _ in 0..count {
        let (tree, after) = split_tree(rest);
        take(parts, tree, operator);
        rest = after;
    }
}

/// Words whose lists are gathered at once: those seen last.
const MOST_WORDS: usize = 16;

/// Adds an operand of `operator`: the operands of one that has the same operator itself, and a test of a word to the list of that
/// word, which stands where the first such test does.
fn take<'n>(parts: &mut Vec<Part<'n>>, tree: &'n [Node], operator: Node) {
    match (tree, operator) {
        ([Node::Any(count), operands @ ..], Node::Any(_)) => take_each(parts, operands, *count, operator),
        ([Node::All(count), operands @ ..], Node::All(_)) => take_each(parts, operands, *count, operator),
        ([Node::Test(test @ Test { cmp: Cmp::Eq, .. })], Node::Any(_))
        | ([Node::Test(test @ Test { cmp: Cmp::Ne, .. })], Node::All(_)) => {
            if !parts.iter_mut().rev().take(MOST_WORDS).any(|part| part.takes(test)) {
                parts.push(Part::List(List::of(test)));
            }
        }
        _ => parts.push(Part::Tree(tree)),
    }
}

/// Last one first: each goes on to the one behind it, the last to `yes`. What the ones before it say is known at each.
fn lower_all(graph: &mut Graph, parts: &[Part<'_>], (yes, no): Exits, facts: &[Fact]) -> Label {
    let mut known = facts.to_vec();
    let mut marks = Vec::with_capacity(parts.len());
    for part in parts {
        marks.push(known.len());
        if !Fact::are_enough(&known) {
            Fact::join(&mut known, part.facts());
        }
    }
    parts.iter().zip(marks).rev().fold(yes, |next, (part, mark)| {
        // Of a list here, one value that fits is one too many.
        let exits = if matches!(part, Part::List(_)) { (no, next) } else { (next, no) };
        part.write(graph, exits, known.get(..mark).unwrap_or_default())
    })
}

/// The same with alternatives: what does not hold goes on to the next, the last to `no`.
fn lower_any(graph: &mut Graph, parts: &[Part<'_>], (yes, no): Exits, facts: &[Fact]) -> Label {
    parts.iter().rev().fold(no, |next, part| part.write(graph, (yes, next), facts))
}

/// What a condition that holds says of single words.
fn told(nodes: &[Node]) -> Vec<Fact> {
    let Some((first, operands)) = nodes.split_first() else { return Vec::new() };
    match *first {
        Node::Test(test) if test.cmp == Cmp::Eq => told_by_halves(&test),
        Node::All(count) => parts(operands, count, *first).iter().flat_map(Part::facts).collect(),
        Node::Any(count) => List::of_all(operands, count).map_or(Vec::new(), List::told),
        Node::Test(_) | Node::Not => Vec::new(),
    }
}

fn told_by_halves(test: &Test) -> Vec<Fact> {
    let known = halves(test).into_iter().filter(|half| half.word.mask != 0);
    known.map(|half| Fact::one(half.word, half.value)).collect()
}

/// Values that one argument is compared with, under one mask; their upper halves are the same.
struct List {
    arg: u8,
    mask: u64,
    low: Word,
    high: Half,
    values: Vec<u32>,
}

impl List {
    fn of(test: &Test) -> List {
        let [low, high] = halves(test);
        List { arg: test.arg, mask: test.mask, low: low.word, high, values: vec![low.value] }
    }

    /// The list that the `count` operands are, if they are nothing else.
    fn of_all(operands: &[Node], count: u16) -> Option<List> {
        let mut parts = parts(operands, count, Node::Any(count)).into_iter();
        match (parts.next(), parts.next()) {
            (Some(Part::List(list)), None) => Some(list),
            _ => None,
        }
    }

    /// What is known where one of its values is there.
    fn told(self) -> Vec<Fact> {
        let mut facts = vec![Fact { word: self.low, values: self.values }];
        facts.retain(|fact| fact.values.len() <= MOST_VALUES);
        if self.high.word.mask != 0 {
            facts.push(Fact::one(self.high.word, self.high.value));
        }
        facts
    }

    /// Takes in the value of a test of the same word; false if it is of another.
    fn takes(&mut self, test: &Test) -> bool {
        let [low, high] = halves(test);
        let alike = (test.arg, test.mask, high.value) == (self.arg, self.mask, self.high.value);
        if alike {
            self.values.push(low.value);
        }
        alike
    }

    /// The lower half is asked for first, so that the lists of one argument load it once.
    fn write(&self, graph: &mut Graph, (yes, no): Exits) -> Label {
        let yes = self.high.equal(graph, (yes, no));
        let mut values = self.values.clone();
        values.sort_unstable();
        values.dedup();
        match (values.as_slice(), self.low) {
            ([value], word) => Half { word, value: *value }.equal(graph, (yes, no)),
            (_, Word { mask: 0, .. }) => yes,
            (values, word) => search(graph, word, &runs(values, (yes, no))),
        }
    }
}

/// All numbers from 0, cut where these sorted values begin and end.
fn runs(values: &[u32], (yes, no): Exits) -> Vec<Interval> {
    let mut intervals = Vec::with_capacity(2 * values.len() + 1);
    let mut expected = Some(0);
    for value in values.iter().copied() {
        if let Some(first) = expected.filter(|first| *first != value) {
            intervals.push(Interval { first, to: no });
        }
        if expected != Some(value) || value == 0 {
            intervals.push(Interval { first: value, to: yes });
        }
        expected = value.checked_add(1);
    }
    intervals.extend(expected.map(|first| Interval { first, to: no }));
    intervals
}

fn lower_test(graph: &mut Graph, test: &Test, exits: Exits) -> Label {
    let (yes, no) = exits;
    match test.cmp {
        Cmp::Eq => equal(graph, test, exits),
        Cmp::Ne => equal(graph, test, (no, yes)),
        Cmp::Gt => greater(graph, test, JGT, exits),
        Cmp::Ge => greater(graph, test, JGE, exits),
        Cmp::Le => greater(graph, test, JGT, (no, yes)),
        Cmp::Lt => greater(graph, test, JGE, (no, yes)),
    }
}

fn equal(graph: &mut Graph, test: &Test, (yes, no): Exits) -> Label {
    let [low, high] = halves(test);
    let yes = high.equal(graph, (yes, no));
    low.equal(graph, (yes, no))
}

/// `code` is the relation of the lower halves when the upper ones are equal.
fn greater(graph: &mut Graph, test: &Test, code: u16, (yes, no): Exits) -> Label {
    let [low, high] = halves(test);
    let low = graph.branch(code, low.value, low.word, (yes, no));
    match high {
        Half { word: Word { mask: 0, .. }, .. } => low,
        // Nothing is below.
        Half { word, value: 0 } => graph.branch(JGT, 0, word, (yes, low)),
        Half { word, value } => {
            let not_greater = graph.branch(JEQ, value, word, (low, no));
            graph.branch(JGT, value, word, (yes, not_greater))
        }
    }
}

impl Half {
    fn equal(&self, graph: &mut Graph, (yes, no): Exits) -> Label {
        let Word { offset, mask } = self.word;
        match (mask, self.value) {
            (0, _) => yes,
            // No bit, or one bit: a bit test leaves the whole word in the accumulator for the next test.
            (1..=0xFFFF_FFFE, 0) => graph.branch(JSET, mask, Word::whole(offset), (no, yes)),
            (_, value) if value == mask && mask.is_power_of_two() => {
                graph.branch(JSET, mask, Word::whole(offset), (yes, no))
            }
            (_, value) => graph.branch(JEQ, value, self.word, (yes, no)),
        }
    }
}
