//! Files that two policies both grant.

use std::path::{Path, PathBuf};

use super::{Refused, least, lesser, refuse};
use crate::decide::{Grant, grant_at};
use crate::model::{Access, FsRule, FsSubject, Policy};
use crate::value::Written as _;
use crate::value::path::{below, same};
use crate::words::{ACCESS, word};

pub(super) fn narrow(out: &mut Policy, parent: &Policy, child: &Policy, refused: &mut Refused) {
    let mut spots: Vec<&Path> =
        parent.fs.rules.iter().chain(&child.fs.rules).filter_map(FsRule::inside).collect();
    spots.sort_unstable();
    spots.dedup();
    // Between two neighbouring spots neither policy changes its answer, so the answers at the spots are all of them.
    out.fs.rules = spots.iter().filter_map(|spot| both(parent, child, spot)).collect();
    needed_hides(&mut out.fs.rules, parent.fs.root.is_some() && child.fs.root.is_some());
    for wanted in child.fs.rules.iter().filter(|rule| rule.access != Access::Hide) {
        report(out, parent, wanted, refused);
    }
    let programs = |policy: &Policy| policy.fs.rules.iter().any(|rule| rule.subject == FsSubject::Program);
    if programs(parent) && programs(child) {
        let own = child.fs.rules.iter().filter(|rule| rule.subject == FsSubject::Program);
        out.fs.rules.extend(own.cloned());
    }
    out.fs.tmp =
        parent.fs.tmp.as_ref().and(least(&parent.fs.tmp, &child.fs.tmp)).filter(|_| child.fs.tmp.is_some());
    out.fs.throw_away = parent.fs.throw_away.as_ref().and(least(&parent.fs.throw_away, &child.fs.throw_away));
    out.fs.proc = lesser(&parent.fs.proc, &child.fs.proc, "fs.proc", refused);
    out.fs.dev = lesser(&parent.fs.dev, &child.fs.dev, "fs.dev", refused);
    out.fs.cwd = child.fs.cwd.clone().or_else(|| parent.fs.cwd.clone());
    root(out, parent, child, refused);
}

/// Hiding says something only below a grant, or on top of a root.
fn needed_hides(rules: &mut Vec<FsRule>, root: bool) {
    let granted = rules.iter().filter(|rule| rule.access != Access::Hide).filter_map(FsRule::inside);
    let granted: Vec<PathBuf> = granted.map(Path::to_owned).collect();
    let above =
        |rule: &FsRule| rule.inside().is_some_and(|path| granted.iter().any(|grant| below(path, grant)));
    rules.retain(|rule| root || rule.access != Access::Hide || above(rule));
}

/// The rule at one place that grants what both sides grant there; hidden where one of them grants nothing.
fn both(parent: &Policy, child: &Policy, spot: &Path) -> Option<FsRule> {
    let (outer, inner) = (grant_at(parent, spot), grant_at(child, spot));
    let (outer, inner) = match (outer, inner) {
        (None, None) => return None,
        (Some(outer), Some(inner)) => (outer, inner),
        (Some(one), None) | (None, Some(one)) => return Some(hidden(one.rule, spot)),
    };
    if !same(&outer.outside, &inner.outside) {
        return Some(hidden(inner.rule, spot));
    }
    let access = meet(outer.rule.access, inner.rule.access);
    if access == Access::Hide {
        return Some(hidden(if inner.rule.access == access { inner.rule } else { outer.rule }, spot));
    }
    Some(granted(&outer, &inner, access, spot))
}

fn hidden(rule: &FsRule, spot: &Path) -> FsRule {
    let subject = FsSubject::Path(spot.to_owned());
    FsRule {
        subject,
        dest: None,
        access: Access::Hide,
        optional: true,
        dangerous: false,
        origin: rule.origin.clone(),
    }
}

fn granted(outer: &Grant<'_>, inner: &Grant<'_>, access: Access, spot: &Path) -> FsRule {
    let own = |grant: &Grant<'_>| grant.rule.inside().is_some_and(|place| same(place, spot));
    let origin = if inner.rule.access == access { &inner.rule.origin } else { &outer.rule.origin };
    FsRule {
        subject: FsSubject::Path(outer.outside.clone()),
        dest: (!same(&outer.outside, spot)).then(|| spot.to_owned()),
        access,
        // Who wrote this very place knows whether it may be absent.
        optional: (!own(inner) || inner.rule.optional) && (!own(outer) || outer.rule.optional),
        dangerous: own(outer) && outer.rule.dangerous,
        origin: origin.clone(),
    }
}

/// What both accesses allow.
fn meet(a: Access, b: Access) -> Access {
    let rank = |access: Access| match access {
        Access::Hide => 0,
        Access::ReadNoexec => 1,
        Access::Read => 2,
        Access::Cow => 3,
        Access::Write => 4,
    };
    if rank(a) <= rank(b) { a } else { b }
}

fn report(out: &Policy, parent: &Policy, wanted: &FsRule, refused: &mut Refused) {
    let Some(place) = wanted.inside() else { return };
    let got = grant_at(out, place).map_or(Access::Hide, |grant| grant.rule.access);
    if got == wanted.access {
        return;
    }
    let rule = format!("\"{}\" = \"{}\"", wanted.written(), word(ACCESS, &wanted.access));
    let outer = grant_at(parent, place).map(|grant| grant.rule);
    let because = outer.map_or_else(
        || "the outer policy grants nothing there".to_owned(),
        |outer| {
            format!("{} grants {} of {} only", outer.origin, word(ACCESS, &outer.access), outer.written())
        },
    );
    refuse(refused, rule, &wanted.origin, because);
}

fn root(out: &mut Policy, parent: &Policy, child: &Policy, refused: &mut Refused) {
    let path = |policy: &Policy| policy.fs.root.as_ref().map(|root| root.value.clone());
    let (outer, inner): (Option<PathBuf>, Option<PathBuf>) = (path(parent), path(child));
    if inner.is_none() {
        return;
    }
    if inner == outer {
        out.fs.root = parent.fs.root.clone();
    } else if let Some(wanted) = &child.fs.root {
        let rule = format!("fs.root = {}", wanted.value.written());
        refuse(refused, rule, &wanted.origin, "only the outer policy can set it");
    }
}
