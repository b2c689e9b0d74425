//! What a filter does with one call, as the search finds it.

use crate::action::Action;
use crate::cond::{Cond, Node};
use crate::graph::{Graph, Label};
use crate::lower::alternatives;
use crate::spec::Rule;

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

    /// Writes the argument tests, strictest rule first; rules of the same verdict are alternatives.
    pub(crate) fn write(self, graph: &mut Graph) -> Label {
        let (rules, otherwise) = match self {
            Leaf::Verdict(action) => return Label::Verdict(action),
            Leaf::Rules { rules, otherwise } => (rules, otherwise),
        };
        rules.chunk_by(|a, b| a.action == b.action).fold(Label::Verdict(otherwise), |weaker, rules| {
            let Some(first) = rules.first() else { return weaker };
            let granted = Label::Verdict(first.action);
            // A rule without a condition always matches.
            let whens: Option<Vec<&[Node]>> =
                rules.iter().map(|rule| rule.when.as_ref().map(Cond::nodes)).collect();
            whens.map_or(granted, |whens| alternatives(graph, &whens, (granted, weaker)))
        })
    }
}
