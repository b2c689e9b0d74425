//! Rules to a program: the verdict of each call, then a search over the numbers.

use crate::action::Action;
use crate::arch::{Arch, NEGATIVE_FIRST, X32_FIRST};
use crate::asm::{ARCH, Assembler, JEQ, Label, Word};
use crate::error::CompileError;
use crate::filter::{Filter, Insn, MAX_INSNS};
use crate::lower::lower;
use crate::search::{NUMBER, search};
use crate::spec::{FilterSpec, Rule};
use crate::syscalls::syscall_name;

/// Numbers from `first` up to the next interval get one verdict, or are one call that depends on its arguments.
#[derive(Clone, Copy)]
pub(crate) struct Interval<'s> {
    pub(crate) first: u32,
    pub(crate) leaf: Leaf<'s>,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Leaf<'s> {
    /// Decided by the number: the kernel answers from its bitmap without running the filter.
    Verdict(Action),
    /// Decided by the arguments; weakest rule first, the last unconditional one in front.
    Rules { rules: &'s [&'s Rule], otherwise: Action },
}

pub(crate) fn compile(spec: &FilterSpec) -> Result<Filter, CompileError> {
    let mut rules: Vec<&Rule> = spec.rules.iter().collect();
    rules.sort_by_key(|rule| (rule.nr, rule.action.strictness()));
    let intervals = intervals(spec, &rules);
    let mut asm = Assembler::new();
    let tree = search(&mut asm, &intervals);
    let entry =
        rules.chunk_by(|a, b| a.nr == b.nr).fold(tree, |next, rules| ahead(&mut asm, spec, rules, next));
    let pinned =
        asm.branch(JEQ, spec.arch.audit(), Word::whole(ARCH), (entry, Label::Verdict(Action::KillProcess)));
    sized(asm.finish(pinned))
}

/// Calls that programs make often and whose arguments are checked: the kernel's bitmap does not know them, so the filter runs
/// each time, and they are asked for before the search.
const OFTEN: &[&str] = &["openat"];

fn is_often(nr: u32, leaf: &Leaf<'_>) -> bool {
    let named = || syscall_name(nr).is_some_and(|name| OFTEN.contains(&name));
    matches!(leaf, Leaf::Rules { .. }) && named()
}

/// Asks for the call of these rules before `next`, if it is made often.
fn ahead(asm: &mut Assembler, spec: &FilterSpec, rules: &[&Rule], next: Label) -> Label {
    let Some(nr) = rules.first().map(|rule| rule.nr) else { return next };
    let leaf = leaf(rules, spec.fallback(nr));
    if !is_often(nr, &leaf) {
        return next;
    }
    let inside = decide(asm, leaf);
    asm.branch(JEQ, nr, NUMBER, (inside, next))
}

/// A filter beside the policy's own: these calls go to the listener, the others are left to that one.
pub(crate) fn hand_over(arch: Arch, rules: &[Rule]) -> Result<Filter, CompileError> {
    let mut answers: Vec<(u32, Action)> = rules.iter().map(|rule| (rule.nr, Action::Allow)).collect();
    answers.sort_unstable_by_key(|(nr, _)| *nr);
    answers.dedup();
    some(arch, rules, &answers)
}

/// A filter about some calls, which are sorted: each with the answer where no rule matches. All others are allowed.
pub(crate) fn some(arch: Arch, rules: &[Rule], answers: &[(u32, Action)]) -> Result<Filter, CompileError> {
    let mut sorted: Vec<&Rule> = rules.iter().collect();
    sorted.sort_by_key(|rule| (rule.nr, rule.action.strictness()));
    let mut cut = Cut { intervals: vec![Interval { first: 0, leaf: Leaf::Verdict(Action::Allow) }] };
    let mut rest = sorted.as_slice();
    for (nr, answer) in answers.iter().copied() {
        let own = rest.iter().take_while(|rule| rule.nr <= nr).count();
        let (same, after) = rest.split_at(own);
        cut.add(nr, leaf(same, answer));
        cut.add(nr + 1, Leaf::Verdict(Action::Allow));
        rest = after;
    }
    cut.intervals = starts(cut.intervals);
    let mut asm = Assembler::new();
    let tree = search(&mut asm, &cut.intervals);
    let other = Label::Verdict(Action::KillProcess);
    let pinned = asm.branch(JEQ, arch.audit(), Word::whole(ARCH), (tree, other));
    sized(asm.finish(pinned))
}

/// Of intervals with the same start the last one.
fn starts(intervals: Vec<Interval<'_>>) -> Vec<Interval<'_>> {
    let mut kept: Vec<Interval<'_>> = Vec::with_capacity(intervals.len());
    for interval in intervals {
        if kept.last().is_some_and(|last| last.first == interval.first) {
            kept.pop();
        }
        kept.push(interval);
    }
    kept
}

fn sized(insns: Vec<Insn>) -> Result<Filter, CompileError> {
    let instructions = insns.len();
    if instructions > MAX_INSNS {
        return Err(CompileError::TooLarge { instructions });
    }
    Ok(Filter { insns })
}

/// All numbers from 0, cut where the verdict changes.
fn intervals<'s>(spec: &FilterSpec, sorted: &'s [&'s Rule]) -> Vec<Interval<'s>> {
    let mut cut = Cut { intervals: Vec::with_capacity(256) };
    let mut rest = sorted;
    let mut expected = 0;
    for call in spec.arch.calls() {
        if call.nr > expected {
            cut.add(expected, Leaf::Verdict(spec.unknown));
        }
        let count = rest.iter().take_while(|rule| rule.nr <= call.nr).count();
        let (rules, after) = rest.split_at(count);
        let leaf = leaf(rules, spec.fallback(call.nr));
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

struct Cut<'s> {
    intervals: Vec<Interval<'s>>,
}

impl<'s> Cut<'s> {
    fn add(&mut self, first: u32, leaf: Leaf<'s>) {
        if self.intervals.last().is_none_or(|last| last.leaf != leaf) {
            self.intervals.push(Interval { first, leaf });
        }
    }
}

/// The verdict of the rules of one call, weakest first.
fn leaf<'s>(rules: &'s [&'s Rule], otherwise: Action) -> Leaf<'s> {
    let base = rules.iter().rposition(|rule| rule.when.is_none());
    let rules = base.and_then(|at| rules.get(at..)).unwrap_or(rules);
    match rules {
        [] => Leaf::Verdict(otherwise),
        [only] if only.when.is_none() => Leaf::Verdict(only.action),
        _ => Leaf::Rules { rules, otherwise },
    }
}

/// Writes the argument tests of one call, strictest rule first.
pub(crate) fn decide(asm: &mut Assembler, leaf: Leaf<'_>) -> Label {
    match leaf {
        Leaf::Verdict(action) => Label::Verdict(action),
        Leaf::Rules { rules, otherwise } => rules.iter().fold(Label::Verdict(otherwise), |weaker, rule| {
            let granted = Label::Verdict(rule.action);
            rule.when.as_ref().map_or(granted, |when| lower(asm, when.nodes(), (granted, weaker)))
        }),
    }
}
