//! Rules before they are compiled.

use std::fmt;

use crate::action::Action;
use crate::arch::{Arch, NEGATIVE_FIRST, X32_FIRST};
use crate::cond::Cond;
use crate::error::RuleError;
use crate::filter::SeccompData;
use crate::show::Shown;
use crate::syscalls::{syscall_count, syscall_name};

/// Who wrote a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The policy, call by call. Such a rule must be closed over aliases.
    Policy,
    /// The planner, which closes its own rules over aliases.
    Planner,
    /// A shipped group. The groups are closed by a test of this crate.
    Group(&'static str),
}

/// One rule: what happens to a call when a condition holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Number of the call.
    pub(crate) nr: u32,
    /// When the rule matches; `None` is always. Bound to the call's argument widths.
    pub(crate) when: Option<Cond>,
    /// What happens then.
    pub(crate) action: Action,
    /// Who says so.
    pub(crate) origin: Origin,
}

impl Rule {
    /// A rule for the call `nr`.
    ///
    /// # Errors
    /// No such call, a condition that makes no sense for it, or an error number out of range.
    pub fn new(nr: u32, when: Option<&Cond>, action: Action, origin: Origin) -> Result<Rule, RuleError> {
        let name = syscall_name(nr)
            .ok_or_else(|| RuleError::UnknownSyscall { name: nr.to_string(), suggestion: None })?;
        if let (Action::Errno(errno), false) = (action, action.is_valid()) {
            return Err(RuleError::BadErrno { syscall: name.to_owned(), errno });
        }
        let bind = |cond: &Cond| cond.bind(nr);
        let bound = when.map(bind).transpose();
        let when = bound.map_err(|source| RuleError::Bind { syscall: name.to_owned(), source })?;
        Ok(Rule { nr, when, action, origin })
    }

    /// Number of the call.
    #[must_use]
    pub fn syscall(&self) -> u32 {
        self.nr
    }

    /// When the rule matches; `None` is always.
    #[must_use]
    pub fn when(&self) -> Option<&Cond> {
        self.when.as_ref()
    }

    /// What happens when it matches.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
    }

    /// Who wrote it.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    fn matches(&self, data: &SeccompData) -> bool {
        self.nr == data.nr && self.when.as_ref().is_none_or(|when| when.holds(&data.args))
    }
}

/// A complete set of rules. Default deny: what no rule matches is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterSpec {
    pub(crate) arch: Arch,
    /// Answer to numbers that the table lacks.
    pub(crate) unknown: Action,
    /// Answer to calls that no rule matches.
    pub(crate) known_denied: Action,
    /// Answer to single calls that no rule matches, where programs need another one; sorted by number.
    pub(crate) answers: Vec<(u32, Action)>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) may_be_empty: bool,
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.action, syscall_name(self.nr).unwrap_or("?"))?;
        let Some(when) = &self.when else { return Ok(()) };
        write!(out, " when {}", Shown { nodes: when.nodes(), call: Some(self.nr) })
    }
}

impl FilterSpec {
    /// All rules, in the order they were added.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The answer to call `nr` when no rule matches.
    #[must_use]
    pub fn fallback(&self, nr: u32) -> Action {
        let at = self.answers.binary_search_by_key(&nr, |(of, _)| *of);
        at.ok().and_then(|at| self.answers.get(at)).map_or(self.known_denied, |(_, action)| *action)
    }

    /// The verdict by plainly reading the rules: slow, and the measure for [`FilterSpec::compile`].
    #[must_use]
    pub fn interpret(&self, data: &SeccompData) -> Action {
        if data.arch != self.arch.audit() || (X32_FIRST..NEGATIVE_FIRST).contains(&data.nr) {
            return Action::KillProcess;
        }
        if syscall_name(data.nr).is_none() {
            return self.unknown;
        }
        let mut verdict = None;
        for rule in self.rules.iter().filter(|rule| rule.matches(data)) {
            let weaker = |other: Action| other.strictness() <= rule.action.strictness();
            if verdict.is_none_or(weaker) {
                verdict = Some(rule.action);
            }
        }
        verdict.unwrap_or_else(|| self.fallback(data.nr))
    }

    /// What the rules say of call `nr`.
    #[must_use]
    pub fn explain(&self, nr: u32) -> Explanation<'_> {
        let mut rules: Vec<&Rule> = self.rules.iter().filter(|rule| rule.nr == nr).collect();
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.action.strictness()));
        let known = syscall_name(nr).is_some();
        Explanation { rules, otherwise: if known { self.fallback(nr) } else { self.unknown } }
    }

    /// How many calls can be reached.
    #[must_use]
    pub fn surface(&self) -> Surface {
        let mut rules: Vec<&Rule> = self.rules.iter().collect();
        rules.sort_by_key(|rule| rule.nr);
        let mut surface = Surface { reachable: 0, conditional: 0, brokered: 0, total: syscall_count() };
        rules.chunk_by(|a, b| a.nr == b.nr).for_each(|of_call| surface.count(of_call));
        surface
    }
}

/// What a filter says of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation<'s> {
    /// The rules on the call, strictest first; the first that matches decides.
    pub rules: Vec<&'s Rule>,
    /// The verdict when none matches.
    pub otherwise: Action,
}

/// How many calls a filter lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Surface {
    /// Calls that some arguments get through with.
    pub reachable: usize,
    /// Of these, calls whose arguments are checked.
    pub conditional: usize,
    /// Of the reachable ones, calls that the broker answers for some arguments.
    pub brokered: usize,
    /// Calls of the table.
    pub total: usize,
}

impl Surface {
    fn count(&mut self, rules: &[&Rule]) {
        let refused = |rule: &&Rule| !rule.action.grants() && rule.when.is_none();
        if rules.iter().any(refused) || !rules.iter().any(|rule| rule.action.grants()) {
            return;
        }
        let open = rules.iter().any(|rule| rule.action.grants() && rule.when.is_none());
        let narrowed = rules.iter().any(|rule| !rule.action.grants());
        self.reachable += 1;
        self.conditional += usize::from(!open || narrowed);
        self.brokered += usize::from(rules.iter().any(|rule| rule.action == Action::Notify));
    }
}

impl fmt::Display for Surface {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Surface { reachable, conditional, total, .. } = self;
        write!(out, "{reachable} of {total} calls reachable, {conditional} with conditions")
    }
}
