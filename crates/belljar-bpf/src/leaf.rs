//! What a filter does with one call, as the search finds it.

use crate::action::Action;
use crate::asm::{Assembler, Label};
use crate::lower::lower;
use crate::spec::Rule;

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

impl<'s> Leaf<'s> {
    /// What the rules of one call come to, weakest first.
    pub(crate) fn of(rules: &'s [&'s Rule], otherwise: Action) -> Self {
        let base = rules.iter().rposition(|rule| rule.when.is_none());
        let rules = base.and_then(|at| rules.get(at..)).unwrap_or(rules);
        match rules {
            [] => Leaf::Verdict(otherwise),
            [only] if only.when.is_none() => Leaf::Verdict(only.action),
            _ => Leaf::Rules { rules, otherwise },
        }
    }

    /// Writes the argument tests, strictest rule first.
    pub(crate) fn write(self, asm: &mut Assembler) -> Label {
        match self {
            Leaf::Verdict(action) => Label::Verdict(action),
            Leaf::Rules { rules, otherwise } => {
                rules.iter().fold(Label::Verdict(otherwise), |weaker, rule| {
                    let granted = Label::Verdict(rule.action);
                    rule.when.as_ref().map_or(granted, |when| lower(asm, when.nodes(), (granted, weaker)))
                })
            }
        }
    }
}
