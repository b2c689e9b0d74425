//! Alias closure: a rule on one call that another call gets around.

mod process;

use crate::action::Action;
use crate::error::{ClosureGap, GapKind};
use crate::generated::families::FAMILIES;
use crate::spec::{FilterSpec, Origin, Rule};
use crate::syscalls::syscall_name;

/// Calls that can do each other's work.
#[derive(Debug)]
pub(crate) struct Family {
    /// A rule on one of these must cover the others.
    pub(crate) members: &'static [u32],
    /// Calls that can do the work too, and much else.
    pub(crate) others: &'static [u32],
    /// A policy that allows one member must name them all.
    pub(crate) complete: bool,
    pub(crate) reason: &'static str,
}

impl FilterSpec {
    /// Rules that another call gets around.
    #[must_use]
    pub fn check_closure(&self) -> Vec<ClosureGap> {
        gaps(self)
    }
}

fn gaps(spec: &FilterSpec) -> Vec<ClosureGap> {
    let mut sorted: Vec<&Rule> = spec.rules.iter().collect();
    sorted.sort_by_key(|rule| rule.nr);
    let calls = Calls { sorted, answers: &spec.answers };
    let mut found = Vec::new();
    // The groups alone are closed; only a rule of the policy can open a gap.
    if spec.rules.iter().any(|rule| rule.origin == Origin::Policy) {
        FAMILIES.iter().for_each(|family| family_gaps(&calls, family, &mut found));
        found.extend(process::gaps(spec, &calls));
    }
    found
}

/// Rules by number.
struct Calls<'s> {
    sorted: Vec<&'s Rule>,
    answers: &'s [(u32, Action)],
}

/// What the rules say of one call.
#[derive(Clone, Copy, Default)]
struct Standing {
    /// Some arguments get through.
    granted: bool,
    /// Any arguments get through.
    open: bool,
    /// The policy itself (not a group) has a rule on it.
    named: bool,
    /// The policy itself refuses or checks it.
    restricted: bool,
    /// The policy itself lets it through with any arguments.
    opened: bool,
    /// Anybody says what becomes of it.
    decided: bool,
}

impl Calls<'_> {
    fn rules(&self, nr: u32) -> &[&Rule] {
        let from = self.sorted.partition_point(|rule| rule.nr < nr);
        let to = self.sorted.partition_point(|rule| rule.nr <= nr);
        self.sorted.get(from..to).unwrap_or(&[])
    }

    fn standing(&self, nr: u32) -> Standing {
        let rules = self.rules(nr);
        let grants = |rule: &&Rule| rule.action.grants();
        let always = |rule: &&Rule| rule.when.is_none();
        let own = |rule: &&Rule| rule.origin == Origin::Policy;
        let refused = rules.iter().any(|rule| !grants(rule) && always(rule));
        let narrowed = rules.iter().any(|rule| !grants(rule));
        Standing {
            granted: !refused && rules.iter().any(grants),
            open: !narrowed && rules.iter().any(|rule| grants(rule) && always(rule)),
            named: rules.iter().any(own),
            restricted: rules.iter().any(|rule| own(rule) && (!grants(rule) || !always(rule))),
            opened: rules.iter().any(|rule| own(rule) && grants(rule) && always(rule)),
            decided: !rules.is_empty() || self.answers.iter().any(|(of, _)| *of == nr),
        }
    }
}

fn family_gaps(calls: &Calls<'_>, family: &Family, found: &mut Vec<ClosureGap>) {
    let standing = |&nr: &u32| (nr, calls.standing(nr));
    let members: Vec<(u32, Standing)> = family.members.iter().map(standing).collect();
    let others = family.others.iter().map(standing);
    let gap = |kind, ruled: u32, forgotten: u32| ClosureGap {
        kind,
        ruled: name(ruled),
        forgotten: name(forgotten),
        reason: family.reason,
    };
    if let Some(&(ruled, _)) = members.iter().find(|(_, call)| call.restricted) {
        let forgotten = members.iter().filter(|(_, call)| call.granted && !call.restricted).copied();
        let forgotten = forgotten.chain(others.filter(|(_, call)| call.open && !call.named));
        found.extend(forgotten.map(|(nr, _)| gap(GapKind::Bypass, ruled, nr)));
    }
    if let (true, Some(&(ruled, _))) =
        (family.complete, members.iter().find(|(_, call)| call.named && call.granted))
    {
        let silent = members.iter().filter(|(_, call)| !call.decided);
        found.extend(silent.map(|(nr, _)| gap(GapKind::Undecided, ruled, *nr)));
    }
}

fn name(nr: u32) -> &'static str {
    syscall_name(nr).unwrap_or("?")
}
