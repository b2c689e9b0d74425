//! Filters with a listener: which calls reach it.

use super::{Cut, compile, pinned};
use crate::action::Action;
use crate::arch::Arch;
use crate::cond::Cond;
use crate::error::CompileError;
use crate::filter::Filter;
use crate::graph::{Graph, Label};
use crate::leaf::Leaf;
use crate::search::{Interval, NUMBER, search};
use crate::spec::{FilterSpec, Origin, Rule};

impl FilterSpec {
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
        compile(&self.with_refusals_of(calls, Action::Notify))
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
        Ok((some(left.arch, &rules, &answers)?, compile(&left)?))
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
}

/// A refusal that a listener can give as well as the kernel.
fn is_refusal(action: Action) -> bool {
    matches!(action, Action::Errno(_)) && action != Action::ENOSYS
}

impl Filter {
    /// A filter to be stacked on the policy's own: hands these calls to its listener, each always or when its condition holds,
    /// and leaves all others to the other filter, whose refusals win. Other architectures die.
    ///
    /// # Errors
    /// [`CompileError::Empty`] without a call to hand over; an unknown number or a condition that makes no sense for it.
    ///
    /// ```
    /// use belljar_bpf::{Action, Filter, SeccompData, parse_condition};
    /// let when = parse_condition("arg2 & 0x200000 == 0")?;
    /// let filter = Filter::hand_over(&[(2, None), (257, Some(when))])?;
    /// assert_eq!(filter.eval(&SeccompData::x86_64(2, [0; 6])), Action::Notify);
    /// assert_eq!(filter.eval(&SeccompData::x86_64(257, [0, 0, 0x200000, 0, 0, 0])), Action::Allow);
    /// assert_eq!(filter.eval(&SeccompData::x86_64(0, [0; 6])), Action::Allow);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hand_over(calls: &[(u32, Option<Cond>)]) -> Result<Filter, CompileError> {
        let rule = |(nr, when): &(u32, Option<Cond>)| {
            Rule::new(*nr, when.as_ref(), Action::Notify, Origin::Planner).map_err(CompileError::Rule)
        };
        let rules = calls.iter().map(rule).collect::<Result<Vec<_>, _>>()?;
        if rules.is_empty() {
            return Err(CompileError::Empty);
        }
        let mut answers: Vec<(u32, Action)> = rules.iter().map(|rule| (rule.nr, Action::Allow)).collect();
        answers.sort_unstable_by_key(|(nr, _)| *nr);
        answers.dedup();
        some(Arch::X86_64, &rules, &answers)
    }
}

/// A filter about some calls, which are sorted: each with the answer where no rule matches. All others are allowed.
fn some(arch: Arch, rules: &[Rule], answers: &[(u32, Action)]) -> Result<Filter, CompileError> {
    let mut sorted: Vec<&Rule> = rules.iter().collect();
    sorted.sort_by_key(|rule| (rule.nr, rule.action.strictness()));
    let mut graph = Graph::new();
    let all = Interval { first: 0, to: Label::Verdict(Action::Allow) };
    let mut cut = Cut { graph: &mut graph, intervals: vec![all] };
    let mut rest = sorted.as_slice();
    for (nr, answer) in answers.iter().copied() {
        let own = rest.iter().take_while(|rule| rule.nr <= nr).count();
        let (same, after) = rest.split_at(own);
        cut.add(nr, Leaf::of(same, answer));
        cut.add(nr + 1, Leaf::Verdict(Action::Allow));
        rest = after;
    }
    let intervals = starts(cut.intervals);
    let tree = search(&mut graph, NUMBER, &intervals);
    pinned(graph, arch, tree)
}

/// Of intervals with the same start the last one.
fn starts(intervals: Vec<Interval>) -> Vec<Interval> {
    let mut kept: Vec<Interval> = Vec::with_capacity(intervals.len());
    for interval in intervals {
        if kept.last().is_some_and(|last| last.first == interval.first) {
            kept.pop();
        }
        kept.push(interval);
    }
    kept
}
