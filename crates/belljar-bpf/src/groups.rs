//! Named groups of calls, each with a reason. The text files are in `groups/`; the tables here are written from them.

use crate::action::Action;
use crate::cond::Cond;
use crate::error::RuleError;
use crate::generated::groups::{CONDITIONS, GROUPS, WORDS};
use crate::suggest;
use crate::syscalls::{syscall_name, syscall_number};

/// A named group.
#[derive(Debug)]
pub struct Group {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Why no policy gets this group; empty for one that may be granted.
    pub(crate) never: &'static str,
    /// With the rows of included groups, by number.
    pub(crate) rows: &'static [Row],
}

/// One call of a group.
#[derive(Debug)]
pub struct Row {
    pub(crate) nr: u32,
    pub(crate) verdict: Verdict,
    /// The condition as written; empty without one.
    pub(crate) text: Place,
    pub(crate) reason: Place,
}

/// A piece of [`WORDS`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) start: u32,
    pub(crate) length: u16,
}

impl Place {
    fn text(self) -> &'static str {
        let start = usize::try_from(self.start).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::from(self.length));
        WORDS.get(start..end).unwrap_or_default()
    }
}

/// What a group says of a call.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Allowed.
    Allow,
    /// Allowed when this condition holds: its number in [`CONDITIONS`], bound to the call's argument widths.
    When(u16),
    /// Not allowed, and refused with this number so that programs take their older way.
    Answer(u16),
}

impl Group {
    /// The name, with `@`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What the group is for.
    #[must_use]
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// Why no policy gets this group, if so.
    #[must_use]
    pub fn never_granted(&self) -> Option<&'static str> {
        (!self.never.is_empty()).then_some(self.never)
    }

    /// The calls, by number. A call with two conditions has two rows.
    #[must_use]
    pub fn rows(&self) -> &'static [Row] {
        self.rows
    }

    /// It lets the call through, at least with some arguments.
    ///
    /// ```
    /// let group = belljar_bpf::group("@default")?;
    /// assert!(group.lets_through("read") && !group.lets_through("clone3"));
    /// # Ok::<(), belljar_bpf::RuleError>(())
    /// ```
    #[must_use]
    pub fn lets_through(&self, call: &str) -> bool {
        let Some(nr) = syscall_number(call) else { return false };
        self.rows.iter().any(|row| row.nr == nr && row.answer().is_none())
    }
}

impl Row {
    /// Number of the call.
    #[must_use]
    pub fn syscall(&self) -> u32 {
        self.nr
    }

    /// Why the call is in the group.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason.text()
    }

    /// The condition, if the call is allowed only then.
    #[must_use]
    pub fn condition(&self) -> Option<Cond> {
        let Verdict::When(number) = self.verdict else { return None };
        CONDITIONS.get(usize::from(number)).map(|nodes| Cond::from_static(nodes))
    }

    /// The condition as the group file writes it; empty without one.
    #[must_use]
    pub fn condition_text(&self) -> &'static str {
        self.text.text()
    }

    /// The error number, if the row only says how the call is refused.
    #[must_use]
    pub fn answer(&self) -> Option<u16> {
        if let Verdict::Answer(errno) = self.verdict { Some(errno) } else { None }
    }
}

/// All groups, by name.
pub fn groups() -> impl Iterator<Item = &'static Group> {
    GROUPS.iter()
}

/// The group `name` (with `@`).
///
/// # Errors
/// [`RuleError::UnknownGroup`] with the nearest name.
pub fn find(name: &str) -> Result<&'static Group, RuleError> {
    let unknown = || RuleError::UnknownGroup {
        name: name.chars().take(64).collect(),
        suggestion: suggest::nearest(name, GROUPS.iter().map(|group| group.name)),
    };
    GROUPS.iter().find(|group| group.name == name).ok_or_else(unknown)
}

/// The groups that speak of call `nr`, each with its reason: for telling why a call is refused, or what would grant it.
pub fn groups_with(nr: u32) -> impl Iterator<Item = (&'static Group, &'static Row)> {
    groups().filter_map(move |group| Some((group, group.rows.iter().find(|row| row.nr == nr)?)))
}

/// The group `name`, if a policy may grant it.
pub(crate) fn grantable(name: &str) -> Result<&'static Group, RuleError> {
    let group = find(name)?;
    match group.never_granted() {
        Some(reason) => Err(RuleError::NeverGranted { name: name.to_owned(), reason }),
        None => Ok(group),
    }
}

/// Calls that are a hundred calls behind one number, or that every program needs for something.
const MANY_USES: &[&str] = &[
    "ioctl",
    "prctl",
    "fcntl",
    "clone",
    "unshare",
    "personality",
    "arch_prctl",
    "prlimit64",
    "memfd_create",
    "seccomp",
];

/// True if taking a group away must leave the other uses of this call.
pub(crate) fn has_many_uses(nr: u32) -> bool {
    syscall_name(nr).is_some_and(|name| MANY_USES.contains(&name))
}

/// The refusal that programs understand for call `nr`: `EPERM` becomes the answer that `@default` gives.
pub(crate) fn fitting(nr: u32, action: Action) -> Action {
    let answer = || {
        let rows = find("@default").ok()?.rows;
        let at = rows.binary_search_by_key(&nr, |row| row.nr).ok()?;
        rows.get(at)?.answer()
    };
    if action == Action::EPERM { answer().map_or(action, Action::Errno) } else { action }
}

/// Fails for a call of a group that is never granted.
pub(crate) fn refuse_never_granted(nr: u32) -> Result<(), RuleError> {
    let refused = GROUPS.iter().filter(|group| !group.never.is_empty());
    let row = refused.flat_map(|group| group.rows).find(|row| row.nr == nr);
    row.map_or(Ok(()), |row| {
        let name = syscall_name(nr).unwrap_or("?").to_owned();
        Err(RuleError::NeverGranted { name, reason: row.reason() })
    })
}
