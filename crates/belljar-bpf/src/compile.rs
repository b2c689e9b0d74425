//! Rules to a program: the verdict of each call, then a search over the numbers.

mod told;

use crate::action::Action;
use crate::arch::{Arch, NEGATIVE_FIRST, X32_FIRST};
use crate::error::CompileError;
use crate::filter::Filter;
use crate::graph::{Graph, Label};
use crate::insn::{ARCH, JEQ, MAX_INSNS};
use crate::leaf::Leaf;
use crate::search::{Interval, NUMBER, search};
use crate::spec::{FilterSpec, Rule};
use crate::syscalls::syscall_name;
use crate::word::Word;

impl FilterSpec {
    /// The program for the kernel.
    ///
    /// # Errors
    /// Nothing allowed without [`allow_nothing`](crate::FilterBuilder::allow_nothing), a rule that another call
    /// gets around, or more than 4096 instructions.
    pub fn compile(&self) -> Result<Filter, CompileError> {
        self.check()?;
        compile(self)
    }

    fn check(&self) -> Result<(), CompileError> {
        let empty = !self.rules.iter().any(|rule| rule.action.grants());
        if empty && !self.may_be_empty {
            return Err(CompileError::Empty);
        }
        let gaps = self.check_closure();
        if gaps.is_empty() { Ok(()) } else { Err(CompileError::NotClosed { gaps }) }
    }
}

fn compile(spec: &FilterSpec) -> Result<Filter, CompileError> {
    let mut rules: Vec<&Rule> = spec.rules.iter().collect();
    rules.sort_by_key(|rule| (rule.nr, rule.action.strictness()));
    let mut graph = Graph::new();
    let intervals = intervals(&mut graph, spec, &rules);
    let tree = search(&mut graph, NUMBER, &intervals);
    let entry =
        rules.chunk_by(|a, b| a.nr == b.nr).fold(tree, |next, rules| ahead(&mut graph, spec, rules, next));
    pinned(graph, spec.arch, entry)
}

/// Calls that programs make often and whose arguments are checked: the kernel's bitmap does not know them, so the filter runs
/// each time, and they are asked for before the search.
const OFTEN: &[&str] = &["openat"];

fn is_often(nr: u32, leaf: &Leaf<'_>) -> bool {
    let named = || syscall_name(nr).is_some_and(|name| OFTEN.contains(&name));
    matches!(leaf, Leaf::Rules { .. }) && named()
}

/// Asks for the call of these rules before `next`, if it is made often.
fn ahead(graph: &mut Graph, spec: &FilterSpec, rules: &[&Rule], next: Label) -> Label {
    let Some(nr) = rules.first().map(|rule| rule.nr) else { return next };
    let leaf = Leaf::of(rules, spec.fallback(nr));
    if !is_often(nr, &leaf) {
        return next;
    }
    let inside = leaf.write(graph);
    graph.branch(JEQ, nr, NUMBER, (inside, next))
}

/// The program that starts at `entry`; calls of other architectures kill.
fn pinned(mut graph: Graph, arch: Arch, entry: Label) -> Result<Filter, CompileError> {
    let other = Label::Verdict(Action::KillProcess);
    let start = graph.branch(JEQ, arch.audit(), Word::whole(ARCH), (entry, other));
    let insns = graph.assemble(start);
    let instructions = insns.len();
    if instructions > MAX_INSNS {
        return Err(CompileError::TooLarge { instructions });
    }
    Ok(Filter { insns })
}

/// All numbers from 0, cut where the verdict changes.
fn intervals(graph: &mut Graph, spec: &FilterSpec, sorted: &[&Rule]) -> Vec<Interval> {
    let mut cut = Cut { graph, intervals: Vec::with_capacity(256) };
    let mut rest = sorted;
    let mut expected = 0;
    for call in spec.arch.calls() {
        if call.nr > expected {
            cut.add(expected, Leaf::Verdict(spec.unknown));
        }
        let count = rest.iter().take_while(|rule| rule.nr <= call.nr).count();
        let (rules, after) = rest.split_at(count);
        let leaf = Leaf::of(rules, spec.fallback(call.nr));
        // Decided before the search: here it is whatever its neighbour is.
        if !is_often(call.nr, &leaf) {
            cut.add(call.nr, leaf);
        }
        (rest, expected) = (after, call.nr + 1);
    }
    cut.add(expected, Leaf::Verdict(spec.unknown));
    cut.add(X32_FIRST, Leaf::Verdict(Action::KillProcess));
    cut.add(NEGATIVE_FIRST, Leaf::Verdict(spec.unknown));
    cut.intervals
}

struct Cut<'g> {
    graph: &'g mut Graph,
    intervals: Vec<Interval>,
}

impl Cut<'_> {
    fn add(&mut self, first: u32, leaf: Leaf<'_>) {
        let to = leaf.write(self.graph);
        if self.intervals.last().is_none_or(|last| last.to != to) {
            self.intervals.push(Interval { first, to });
        }
    }
}
