//! `belljar why OBJECT`: what the policy says about one path, host, variable or system call. Nothing is run. With a report it
//! answers from that.

use std::ffi::OsStr;
use std::path::Path;

use belljar::bpf;
use belljar::plan::takes_away;
use belljar::policy::{
    Asked, Decision, Origin, Policy, asked, env_decision, net_decision, printable, syscall_decision,
};
use belljar::probe::probe;
use belljar::report::Verdict;

use super::links::followed;
use super::{REFUSED, asks, end, past, promised, show, show_json};
use crate::fault::Fault;
use crate::request;
use crate::words::Words;

pub(crate) fn why(words: &Words) -> u8 {
    end(answer(words))
}

fn answer(words: &Words) -> Result<u8, Fault> {
    if let Some(file) = words.value("report") {
        return past::answer(words, file);
    }
    let object = words.rest().next().ok_or_else(|| {
        let hint = "belljar why OBJECT, or belljar why --report FILE for what a run was refused";
        Fault::new(Verdict::SetupFailed, "OBJECT is missing", hint)
    })?;
    let policy = request::policy(words)?;
    let decision = decide(&policy, object)?;
    let status = if decision.allowed { 0 } else { REFUSED };
    if words.has("json") {
        return show_json(serde_json::to_string_pretty(&decision), status);
    }
    let (kind, promises) = (asked(object), promised::of(&policy)?);
    let lines = [
        reasons(&policy, object),
        promised::lines(kind, number(object), promises),
        asks::line(&policy, object, kind, &decision),
        beside(object, kind),
    ];
    Ok(show(&format!("{decision}\n{}", lines.concat()), status))
}

/// A word that is read as a host or a variable may have been meant as the file of that name.
fn beside(object: &OsStr, kind: Asked) -> String {
    let read_as = match kind {
        Asked::Host => "a host",
        Asked::Variable => "a variable",
        _ => return String::new(),
    };
    if Path::new(object).symlink_metadata().is_err() {
        return String::new();
    }
    format!("  note: read as {read_as}; for the file write ./{}\n", printable(object))
}

fn decide(policy: &Policy, object: &OsStr) -> Result<Decision, Fault> {
    if let Some(decision) = asks::service(policy, object) {
        return Ok(decision);
    }
    let text = printable(object);
    match asked(object) {
        Asked::Path => request::absolute(Path::new(object))
            .map(|path| asks::socket(policy, &path, followed(policy, &path))),
        Asked::Host => net_decision(policy, &text).map_err(|error| request::fault(&error)),
        Asked::Variable => Ok(env_decision(policy, &text)),
        _ => {
            let nr = call(object)?;
            let decision = left(policy, &text, syscall_decision(policy, &text, &holds));
            Ok(match promised::of(policy)? {
                Some(promised) => promised::call(decision, nr, promised),
                None => decision,
            })
        }
    }
}

/// The number of a call that was named.
fn number(object: &OsStr) -> Option<u32> {
    object.to_str().filter(|_| asked(object) == Asked::Syscall).and_then(bpf::syscall_number)
}

fn call(name: &OsStr) -> Result<u32, Fault> {
    name.to_str().and_then(bpf::syscall_number).ok_or_else(|| {
        let name = printable(name);
        let hint = "write a path with /, a host with its port, or a system call by its name";
        Fault::new(Verdict::SetupFailed, format!("`{name}` is no system call"), hint)
    })
}

/// What a policy grants of calls and a plan takes away altogether is not granted.
fn left(policy: &Policy, name: &str, mut decision: Decision) -> Decision {
    if decision.allowed && takes_away(policy, &probe(), name) {
        decision.allowed = false;
        decision.note = Some(format!("granted by {} ({})", decision.rule, decision.origin));
        "no such call passes with this policy on this host".clone_into(&mut decision.rule);
        decision.origin = Origin::Default;
    }
    decision
}

/// A group lets the call through, at least with some arguments.
fn holds(group: &str, name: &str) -> bool {
    bpf::group(group).is_ok_and(|group| group.lets_through(name))
}

fn rows(group: &str, nr: u32) -> impl Iterator<Item = &'static bpf::GroupRow> {
    let rows = bpf::group(group).map(bpf::Group::rows).unwrap_or_default();
    rows.iter().filter(move |row| row.syscall() == nr)
}

/// Why each group that the policy names has the call, and with which arguments.
fn reasons(policy: &Policy, object: &OsStr) -> String {
    let Some(nr) = number(object) else { return String::new() };
    let lists = policy.syscalls.allow.iter().chain(&policy.syscalls.deny);
    lists.flat_map(|rule| rows(&rule.value, nr).map(|row| reason(&rule.value, row))).collect()
}

fn reason(group: &str, row: &bpf::GroupRow) -> String {
    let when = if row.condition().is_some() { ", only with some arguments" } else { "" };
    let refused = row.answer().map(|errno| format!(", refused with error {errno}")).unwrap_or_default();
    format!("  in {group}{when}{refused}: {}\n", row.reason())
}
