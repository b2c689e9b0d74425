//! Puts a filter together from groups and single rules.

use crate::action::Action;
use crate::arch::Arch;
use crate::cond::Cond;
use crate::error::{CompileError, RuleError};
use crate::filter::Filter;
use crate::groups::{self, Row, Verdict};
use crate::parse::parse_condition;
use crate::spec::{FilterSpec, Origin, Rule};
use crate::syscalls::{nearest_name, syscall_number};

/// Collects rules; the order in which they are added does not matter (see [`Action`]).
///
/// ```
/// use belljar_bpf::{Action, Filter};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let filter = Filter::builder()
///     .allow_group("@default")?
///     .only_when("ioctl", "arg1 == TCGETS")?
///     .deny("socket", None, Action::Errno(13))?
///     .compile()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct FilterBuilder {
    spec: FilterSpec,
}

impl Filter {
    /// A builder that refuses everything: `ENOSYS` for numbers the table lacks, `EPERM` for all others.
    #[must_use]
    pub fn builder() -> FilterBuilder {
        let spec = FilterSpec {
            arch: Arch::X86_64,
            unknown: Action::ENOSYS,
            known_denied: Action::EPERM,
            answers: Vec::new(),
            rules: Vec::new(),
            may_be_empty: false,
        };
        FilterBuilder { spec }
    }
}

impl FilterBuilder {
    /// The answer to numbers that the table lacks (newer kernels). `ENOSYS` unless set.
    ///
    /// # Errors
    /// A verdict that would let such calls through, or an error number out of range.
    pub fn unknown(mut self, action: Action) -> Result<Self, RuleError> {
        self.spec.unknown = refusal(action, "calls of newer kernels", NO_DEFAULT_ALLOW)?;
        Ok(self)
    }

    /// The answer to calls that no rule matches. `EPERM` unless set; `Notify` hands them to the broker.
    ///
    /// # Errors
    /// A verdict that would let such calls through, or an error number out of range.
    pub fn known_denied(mut self, action: Action) -> Result<Self, RuleError> {
        let brokered = action == Action::Notify;
        self.spec.known_denied =
            if brokered { action } else { refusal(action, "calls without a rule", NO_DEFAULT_ALLOW)? };
        Ok(self)
    }

    /// Lets a filter without any allowed call compile.
    #[must_use]
    pub fn allow_nothing(mut self) -> Self {
        self.spec.may_be_empty = true;
        self
    }

    /// Allows a call.
    ///
    /// # Errors
    /// An unknown call or one that is never granted.
    pub fn allow(self, syscall: &str) -> Result<Self, RuleError> {
        self.rule(syscall, None, Action::Allow)
    }

    /// Allows a call when a condition holds, in addition to what is allowed already.
    ///
    /// # Errors
    /// As [`FilterBuilder::allow`], and a condition with a mistake.
    pub fn allow_when(self, syscall: &str, when: &str) -> Result<Self, RuleError> {
        self.rule(syscall, Some(when), Action::Allow)
    }

    /// Allows a call when a condition holds and refuses it otherwise, whatever groups allow.
    ///
    /// # Errors
    /// As [`FilterBuilder::allow_when`].
    pub fn only_when(self, syscall: &str, when: &str) -> Result<Self, RuleError> {
        let nr = number(syscall)?;
        let cond = condition(syscall, when)?;
        let refused = self.spec.known_denied;
        self.push(nr, Some(&cond), Action::Allow)?.push(nr, Some(&!cond.clone()), refused)
    }

    /// Refuses a call unless a condition holds, and grants nothing: for policies that may only take away.
    ///
    /// # Errors
    /// An unknown call or a condition with a mistake.
    pub fn narrow(self, syscall: &str, when: &str) -> Result<Self, RuleError> {
        let cond = !condition(syscall, when)?;
        let refused = self.spec.known_denied;
        self.push(number(syscall)?, Some(&cond), refused)
    }

    /// Refuses a call with `action`, when a condition holds or always. `EPERM` becomes the answer that groups give for
    /// the call: the C library takes `clone` instead of `clone3` only after `ENOSYS`.
    ///
    /// # Errors
    /// An unknown call, a condition with a mistake, or a verdict that refuses nothing.
    pub fn deny(self, syscall: &str, when: Option<&str>, action: Action) -> Result<Self, RuleError> {
        let action = refusal(action, syscall, DENY_MUST_REFUSE)?;
        self.rule(syscall, when, action)
    }

    /// Any rule: `action` when the condition holds.
    ///
    /// # Errors
    /// An unknown call, one that is never granted, or a condition with a mistake.
    pub fn rule(self, syscall: &str, when: Option<&str>, action: Action) -> Result<Self, RuleError> {
        let nr = number(syscall)?;
        let cond = when.map(|text| condition(syscall, text)).transpose()?;
        self.push(nr, cond.as_ref(), action)
    }

    /// A rule with a ready condition, outside the closure check: for rules that the planner makes itself and
    /// answers for.
    ///
    /// # Errors
    /// An unknown number, a call that is never granted, or a condition that makes no sense for it.
    pub fn planned(mut self, nr: u32, when: Option<&Cond>, action: Action) -> Result<Self, RuleError> {
        if action.grants() {
            groups::refuse_never_granted(nr)?;
        }
        self.spec.rules.push(Rule::new(nr, when, action, Origin::Planner)?);
        Ok(self)
    }

    fn push(mut self, nr: u32, when: Option<&Cond>, action: Action) -> Result<Self, RuleError> {
        if action.grants() {
            groups::refuse_never_granted(nr)?;
        }
        let action = groups::fitting(nr, action);
        self.spec.rules.push(Rule::new(nr, when, action, Origin::Policy)?);
        Ok(self)
    }

    /// Takes every rule of a group.
    ///
    /// # Errors
    /// An unknown group, or one that is never granted.
    pub fn allow_group(self, name: &str) -> Result<Self, RuleError> {
        let group = groups::grantable(name)?;
        Ok(self.allow_rows(group.rows(), group.name()))
    }

    /// Takes every row of what has this name.
    pub(crate) fn allow_rows(mut self, rows: &'static [Row], name: &'static str) -> Self {
        self.spec.rules.reserve(rows.len() + FURTHER_RULES);
        for row in rows {
            let rule = |when| Rule { nr: row.nr, when, action: Action::Allow, origin: Origin::Group(name) };
            match row.verdict {
                Verdict::Allow => self.spec.rules.push(rule(None)),
                Verdict::When(_) => self.spec.rules.push(rule(row.condition())),
                Verdict::Answer(errno) => self.answer(row.nr, errno),
            }
        }
        self
    }

    /// Takes away what a group grants, whatever else grants it. A call of many uses (`ioctl`, `prctl`) loses only
    /// the group's use of it, any other call is refused whole.
    ///
    /// # Errors
    /// An unknown group, or a verdict that refuses nothing.
    pub fn deny_group(mut self, name: &str, action: Action) -> Result<Self, RuleError> {
        let group = groups::find(name)?;
        let action = refusal(action, name, DENY_MUST_REFUSE)?;
        for row in group.rows().iter().filter(|row| row.answer().is_none()) {
            let when = row.condition().filter(|_| groups::has_many_uses(row.nr));
            let action = groups::fitting(row.nr, action);
            self.spec.rules.push(Rule { nr: row.nr, when, action, origin: Origin::Policy });
        }
        Ok(self)
    }

    /// Sets the answer to a call that no rule matches. Of two groups with different ones the smaller number counts, whatever
    /// the order.
    fn answer(&mut self, nr: u32, errno: u16) {
        let answers = &mut self.spec.answers;
        let new = Action::Errno(errno);
        match answers.binary_search_by_key(&nr, |(of, _)| *of) {
            Ok(at) => answers
                .get_mut(at)
                .filter(|(_, old)| old.raw() > new.raw())
                .into_iter()
                .for_each(|old| old.1 = new),
            Err(at) => answers.insert(at, (nr, new)),
        }
    }

    /// Some rule lets the call through, at least with some arguments.
    #[must_use]
    pub fn lets_through(&self, syscall: &str) -> bool {
        let nr = syscall_number(syscall);
        self.spec.rules.iter().any(|rule| Some(rule.nr) == nr && rule.action.grants())
    }

    /// The rules collected so far.
    #[must_use]
    pub fn spec(self) -> FilterSpec {
        self.spec
    }

    /// The program for the kernel.
    ///
    /// # Errors
    /// See [`FilterSpec::compile`].
    pub fn compile(&self) -> Result<Filter, CompileError> {
        self.spec.compile()
    }
}

/// Room for what a policy and a planner add to a group: growing copies every rule.
const FURTHER_RULES: usize = 48;

const NO_DEFAULT_ALLOW: &str = "a filter names what it grants";
const DENY_MUST_REFUSE: &str = "a deny rule must refuse";

fn refusal(action: Action, what: &str, reason: &'static str) -> Result<Action, RuleError> {
    match action {
        _ if action.grants() => Err(RuleError::NeverGranted { name: what.to_owned(), reason }),
        Action::Errno(errno) if !action.is_valid() => {
            Err(RuleError::BadErrno { syscall: what.to_owned(), errno })
        }
        _ => Ok(action),
    }
}

fn number(name: &str) -> Result<u32, RuleError> {
    let unknown = || RuleError::UnknownSyscall {
        name: name.chars().take(64).collect(),
        suggestion: nearest_name(name),
    };
    syscall_number(name).ok_or_else(unknown)
}

fn condition(syscall: &str, text: &str) -> Result<Cond, RuleError> {
    parse_condition(text).map_err(|source| RuleError::Condition { syscall: syscall.to_owned(), source })
}
