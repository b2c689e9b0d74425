//! Rules before they are compiled.

use std::fmt;

use crate::action::Action;
use crate::arch::{Arch, NEGATIVE_FIRST, X32_FIRST};
use crate::closure::{self, ClosureGap};
use crate::compile;
use crate::cond::Cond;
use crate::error::{CompileError, RuleError};
use crate::filter::{Filter, SeccompData};
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

    /// Rules that another call gets around.
    #[must_use]
    pub fn check_closure(&self) -> Vec<ClosureGap> {
        closure::gaps(self)
    }

    /// The program for the kernel.
    ///
    /// # Errors
    /// Nothing allowed without [`allow_nothing`](crate::FilterBuilder::allow_nothing), a rule that another call
    /// gets around, or more than 4096 instructions.
    pub fn compile(&self) -> Result<Filter, CompileError> {
        self.check()?;
        compile::compile(self)
    }

    /// The same program, except that refusals of these calls are handed to the filter's listener. [`interpret`](Self::interpret)
    /// tells what to answer. Calls that fail with `ENOSYS` are no refusals: programs take their older way. Rules of the planner
    /// stay as they are.
    ///
    /// ```
    /// use belljar_bpf::{Action, Filter, SeccompData};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let spec = Filter::builder().allow_group("@default")?.spec();
    /// let ptrace = SeccompData::x86_64(101, [0; 6]);
    /// assert_eq!(spec.compile()?.eval(&ptrace), Action::EPERM);
    /// assert_eq!(spec.interpret(&ptrace), Action::EPERM);
    /// assert_eq!(spec.compile_telling(&[101])?.eval(&ptrace), Action::Notify);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// See [`FilterSpec::compile`].
    pub fn compile_telling(self, calls: &[u32]) -> Result<Filter, CompileError> {
        self.check()?;
        compile::compile(&self.with_refusals_of(calls, Action::Notify))
    }

    /// The same in two programs, for a chain that has a listener already: one for that listener, which hands the refusals of
    /// these calls over and lets all else through, and one that leaves them to it. In a chain where the first is missing the
    /// second still refuses (`ENOSYS`).
    ///
    /// ```
    /// use belljar_bpf::{Action, Filter, SeccompData};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let spec = Filter::builder().allow_group("@default")?.spec();
    /// let (told, left) = spec.compile_apart(&[101])?;
    /// let (ptrace, read) = (SeccompData::x86_64(101, [0; 6]), SeccompData::x86_64(0, [0; 6]));
    /// assert_eq!((told.eval(&ptrace), left.eval(&ptrace)), (Action::Notify, Action::Leave));
    /// assert_eq!((told.eval(&read), left.eval(&read)), (Action::Allow, Action::Allow));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// See [`FilterSpec::compile`].
    pub fn compile_apart(self, calls: &[u32]) -> Result<(Filter, Filter), CompileError> {
        self.check()?;
        let left = self.with_refusals_of(calls, Action::Leave);
        let told = |rule: &&Rule| calls.contains(&rule.nr);
        let seen = |action| if action == Action::Leave { Action::Notify } else { Action::Allow };
        let rules =
            left.rules.iter().filter(told).map(|rule| Rule { action: seen(rule.action), ..rule.clone() });
        let mut numbers = calls.to_vec();
        numbers.sort_unstable();
        numbers.dedup();
        let rules: Vec<Rule> = rules.collect();
        let answers: Vec<_> = numbers.into_iter().map(|nr| (nr, seen(left.fallback(nr)))).collect();
        Ok((compile::some(left.arch, &rules, &answers)?, compile::compile(&left)?))
    }

    /// Refusals of these calls, the planner's own excepted, become this.
    fn with_refusals_of(mut self, calls: &[u32], action: Action) -> Self {
        for nr in calls.iter().copied() {
            if is_refusal(self.fallback(nr)) {
                self.set_answer(nr, action);
            }
        }
        let told = |rule: &&mut Rule| rule.origin != Origin::Planner && calls.contains(&rule.nr);
        for rule in self.rules.iter_mut().filter(|rule| is_refusal(rule.action)).filter(told) {
            rule.action = action;
        }
        self
    }

    fn set_answer(&mut self, nr: u32, action: Action) {
        match self.answers.binary_search_by_key(&nr, |(of, _)| *of) {
            Ok(at) => self.answers.get_mut(at).into_iter().for_each(|answer| answer.1 = action),
            Err(at) => self.answers.insert(at, (nr, action)),
        }
    }

    fn check(&self) -> Result<(), CompileError> {
        let empty = !self.rules.iter().any(|rule| rule.action.grants());
        if empty && !self.may_be_empty {
            return Err(CompileError::Empty);
        }
        let gaps = self.check_closure();
        if gaps.is_empty() { Ok(()) } else { Err(CompileError::NotClosed { gaps }) }
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

/// A refusal that a listener can give as well as the kernel.
fn is_refusal(action: Action) -> bool {
    matches!(action, Action::Errno(_)) && action != Action::ENOSYS
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
