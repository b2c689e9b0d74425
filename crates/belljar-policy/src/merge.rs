//! Layers into one policy: later layers win, lists grow, deny wins, nothing is lost without a note.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::PolicyError;
use crate::layer::{Amount, Layer, LayerLimits, Once, add, same_spot};
use crate::layer::{add_host, add_socket, contradiction, implied_mode};
use crate::model::{
    Access, ActionRule, Dropped, FsRule, FsSubject, Limits, NetMode, Origin, Policy, Publish, Service,
    ServiceRule, Setting,
};
use crate::value::Written;
use crate::value::host::host_text;
use crate::value::path::same;
use crate::words::{ACCESS, word};

type Notes = Vec<Dropped>;

/// Puts one layer on top of a policy.
pub(crate) fn merge(policy: &mut Policy, mut layer: Layer) -> Result<(), PolicyError> {
    layer.settle();
    let mode = implied_mode(&layer)?;
    private_tmp(policy, &mut layer)?;
    if let Some(origin) = layer.veil.take() {
        hide_the_rest(policy, &mut layer, &origin);
    }
    if let Some(folder) = layer.without.take() {
        leave_out(policy, &folder);
    }
    let notes = &mut policy.dropped;
    for rule in layer.rules {
        path_rule(&mut policy.fs.rules, rule, notes);
    }
    amount(notes, "fs.tmp", &mut policy.fs.tmp, layer.tmp);
    amount(notes, "fs.throw-away", &mut policy.fs.throw_away, layer.throw_away);
    setting(notes, "fs.proc", &mut policy.fs.proc, layer.proc);
    setting(notes, "fs.dev", &mut policy.fs.dev, layer.dev);
    option(notes, "fs.cwd", &mut policy.fs.cwd, layer.cwd);
    option(notes, "fs.root", &mut policy.fs.root, layer.root);
    setting(notes, "net.mode", &mut policy.net.mode, mode);
    layer.allow.into_iter().for_each(|rule| add_host(&mut policy.net.allow, rule));
    layer.deny.into_iter().for_each(|rule| add_host(&mut policy.net.deny, rule));
    layer.reach.into_iter().for_each(|port| add(&mut policy.net.reach, port));
    published(policy, layer.publish);
    layer.sockets.into_iter().for_each(|socket| add_socket(&mut policy.net.sockets, socket));
    map(&mut policy.dropped, "net.hosts", &mut policy.net.hosts, layer.hosts);
    option(&mut policy.dropped, "net.proxy", &mut policy.net.proxy, layer.proxy);
    unreachable_hosts(policy);
    variables(policy, layer.pass, layer.set);
    layer.calls.into_iter().for_each(|call| add(&mut policy.syscalls.allow, call));
    layer.no_calls.into_iter().for_each(|call| add(&mut policy.syscalls.deny, call));
    map(&mut policy.dropped, "syscalls.when", &mut policy.syscalls.when, layer.when);
    option(&mut policy.dropped, "syscalls.otherwise", &mut policy.syscalls.otherwise, layer.otherwise);
    limits(&mut policy.dropped, &mut policy.limits, layer.limits);
    layer.actions.into_iter().for_each(|rule| action(policy, rule));
    for new in layer.services {
        // There is one log.
        let stays = |old: &ServiceRule| old.service != Service::Log && old.names != new.names;
        policy.services.retain(|old| old.service != new.service || stays(old));
        policy.services.push(new);
    }
    let new = layer.require.into_iter();
    let known = policy.require.clone();
    policy.require.extend(new.filter(|new| !known.iter().any(|old| same_demand(old, new))));
    layer.weaker.into_iter().for_each(|subject| add(&mut policy.weaker, subject));
    let notes = &mut policy.dropped;
    for new in layer.pass_fds {
        policy.pass_fds.retain(|old| old.fd != new.fd);
        policy.pass_fds.push(new);
    }
    setting(notes, "debug", &mut policy.debug, layer.debug);
    setting(notes, "trace", &mut policy.trace, layer.trace);
    option(notes, "promise", &mut policy.promises, layer.promises);
    option(notes, "umask", &mut policy.umask, layer.umask);
    option(notes, "hostname", &mut policy.hostname, layer.hostname);
    Ok(())
}

/// A later layer says anew who does it.
fn action(policy: &mut Policy, new: ActionRule) {
    let Some(old) = policy.actions.iter_mut().find(|old| old.action == new.action) else {
        return policy.actions.push(new);
    };
    if old.with != new.with {
        let text = format!("actions.{} = {}", old.action.name(), old.with.written());
        note(&mut policy.dropped, text, &old.origin, &new.origin);
    }
    *old = new;
}

fn same_demand(a: &crate::model::Requirement, b: &crate::model::Requirement) -> bool {
    a.subject == b.subject && a.demand == b.demand
}

fn path_rule(rules: &mut Vec<FsRule>, new: FsRule, notes: &mut Notes) {
    let Some(old) = rules.iter_mut().find(|old| same_spot(old, &new)) else {
        return rules.push(new);
    };
    if old.access != new.access || old.subject != new.subject {
        note(notes, rule_text(old), &old.origin, &new.origin);
    }
    *old = new;
}

/// `/tmp` is either the jar's own or a folder of the host: the later layer says which, and one layer cannot say both.
fn private_tmp(policy: &mut Policy, layer: &mut Layer) -> Result<(), PolicyError> {
    let at = |rule: &FsRule| rule.inside().is_some_and(|place| same(place, Path::new("/tmp")));
    let own = layer.tmp.clone().and_then(|tmp| Some(Setting::new(tmp.value?, tmp.origin)));
    match (layer.rules.iter().position(at), own) {
        (None, None) => {}
        (None, Some(tmp)) => {
            for old in policy.fs.rules.extract_if(.., |rule| at(rule)) {
                note(&mut policy.dropped, rule_text(&old), &old.origin, &tmp.origin);
            }
        }
        // A preset's `.` can turn out to be /tmp, where others keep sockets: the private one stays.
        (Some(index), _) if matches!(layer.rules[index].origin, Origin::Preset { .. }) => {
            let rule = layer.rules.remove(index);
            let because = "the jar has a private /tmp".to_owned();
            policy.dropped.push(Dropped { rule: rule_text(&rule), origin: rule.origin, because });
        }
        (Some(index), None) => {
            let winner = layer.rules[index].origin.clone();
            let none = Some(Setting::new(None, winner));
            amount(&mut policy.dropped, "fs.tmp", &mut policy.fs.tmp, none);
        }
        (Some(index), Some(tmp)) => {
            let rule = &layer.rules[index];
            let size = format!("tmp = {}", tmp.value.written());
            return Err(contradiction("/tmp", (&rule_text(rule), &rule.origin), (&size, &tmp.origin)));
        }
    }
    Ok(())
}

/// Where paths are unveiled, what presets grant of the host is hidden, but for the program's own files.
fn hide_the_rest(policy: &mut Policy, layer: &mut Layer, origin: &Origin) {
    let preset = |rule: &mut FsRule| matches!(rule.origin, Origin::Preset { .. });
    for old in policy.fs.rules.extract_if(.., preset) {
        note(&mut policy.dropped, rule_text(&old), &old.origin, origin);
    }
    let program = |rule: &FsRule| rule.subject == FsSubject::Program;
    if !policy.fs.rules.iter().chain(&layer.rules).any(program) {
        let (subject, origin) = (FsSubject::Program, origin.clone());
        let (access, optional, dangerous) = (Access::Read, false, false);
        layer.rules.push(FsRule { subject, dest: None, access, optional, dangerous, origin });
    }
}

/// Where files are named one by one, the working folder that presets grant is not.
fn leave_out(policy: &mut Policy, folder: &Setting<PathBuf>) {
    let preset = |rule: &mut FsRule| {
        matches!(rule.origin, Origin::Preset { .. }) && rule.outside() == Some(folder.value.as_path())
    };
    for old in policy.fs.rules.extract_if(.., preset) {
        note(&mut policy.dropped, rule_text(&old), &old.origin, &folder.origin);
    }
}

fn rule_text(rule: &FsRule) -> String {
    format!("\"{}\" = \"{}\"", rule.written(), word(ACCESS, &rule.access))
}

fn note(notes: &mut Notes, rule: String, old: &Origin, new: &Origin) {
    // What a default said is no news.
    if *old != Origin::Default {
        notes.push(Dropped { rule, origin: old.clone(), because: format!("replaced by {new}") });
    }
}

fn setting<T: Written + PartialEq>(notes: &mut Notes, key: &str, slot: &mut Setting<T>, new: Once<T>) {
    let Some(new) = new else { return };
    if slot.value != new.value {
        note(notes, format!("{key} = {}", slot.value.written()), &slot.origin, &new.origin);
    }
    *slot = new;
}

fn option<T: Written + PartialEq>(notes: &mut Notes, key: &str, slot: &mut Once<T>, new: Once<T>) {
    match (slot.as_mut(), new) {
        (_, None) => {}
        (None, new) => *slot = new,
        (Some(old), new) => setting(notes, key, old, new),
    }
}

/// `none` removes what an earlier layer set.
fn amount<T: Written + PartialEq>(notes: &mut Notes, key: &str, slot: &mut Once<T>, new: Amount<T>) {
    let Some(Setting { value, origin }) = new else { return };
    match value {
        Some(value) => option(notes, key, slot, Some(Setting { value, origin })),
        None => {
            if let Some(old) = slot.take() {
                note(notes, format!("{key} = {}", old.value.written()), &old.origin, &origin);
            }
        }
    }
}

fn map<T: Written + PartialEq>(
    notes: &mut Notes,
    key: &str,
    slots: &mut BTreeMap<String, Setting<T>>,
    new: BTreeMap<String, Setting<T>>,
) {
    for (name, value) in new {
        let mut slot = slots.remove(&name);
        option(notes, &format!("{key}.{name}"), &mut slot, Some(value));
        slots.extend(slot.map(|setting| (name, setting)));
    }
}

fn limits(notes: &mut Notes, old: &mut Limits, new: LayerLimits) {
    amount(notes, "limits.memory", &mut old.memory, new.memory);
    amount(notes, "limits.pids", &mut old.pids, new.pids);
    amount(notes, "limits.wall", &mut old.wall, new.wall);
    amount(notes, "limits.cpu", &mut old.cpu, new.cpu);
    amount(notes, "limits.files", &mut old.files, new.files);
    amount(notes, "limits.fsize", &mut old.fsize, new.fsize);
    amount(notes, "limits.data", &mut old.data, new.data);
    amount(notes, "limits.output", &mut old.output, new.output);
}

/// A later layer's server takes the host's port.
fn published(policy: &mut Policy, new: Vec<Setting<Publish>>) {
    for new in new {
        let notes = &mut policy.dropped;
        policy.net.publish.retain(|old| {
            let taken = old.value.host_port == new.value.host_port && old.value != new.value;
            if taken {
                note(notes, format!("net.publish {}", old.value.written()), &old.origin, &new.origin);
            }
            !taken
        });
        add(&mut policy.net.publish, new);
    }
}

/// Grants of hosts have a meaning in mode list only, published ports only in a network of the jar's own; elsewhere they go,
/// with a note.
fn unreachable_hosts(policy: &mut Policy) {
    let mode = &policy.net.mode.origin;
    if matches!(policy.net.mode.value, NetMode::Off | NetMode::Host) {
        for rule in policy.net.publish.drain(..) {
            note(&mut policy.dropped, format!("net.publish {}", rule.value.written()), &rule.origin, mode);
        }
    }
    if policy.net.mode.value == NetMode::Off {
        for socket in policy.net.sockets.drain(..) {
            let text = format!("net.sockets {}", socket.service.written());
            note(&mut policy.dropped, text, &socket.origin, mode);
        }
    }
    if policy.net.mode.value == NetMode::List {
        return;
    }
    for rule in policy.net.reach.drain(..) {
        let text = format!("net.reach localhost:{}", rule.value);
        note(&mut policy.dropped, text, &rule.origin, mode);
    }
    for rule in policy.net.allow.drain(..) {
        let text = format!("net.allow {}", host_text(&rule.target, rule.port));
        note(&mut policy.dropped, text, &rule.origin, mode);
    }
}

/// A later fixed value replaces a pass of the same name, and the other way round.
fn variables(policy: &mut Policy, pass: Vec<Setting<String>>, set: BTreeMap<String, Setting<String>>) {
    for new in pass {
        if let Some(old) = policy.env.set.remove(&new.value) {
            note(&mut policy.dropped, format!("env.set.{}", new.value), &old.origin, &new.origin);
        }
        add(&mut policy.env.pass, new);
    }
    for (name, value) in &set {
        let notes = &mut policy.dropped;
        policy.env.pass.retain(|old| {
            let same = old.value == *name;
            if same {
                note(notes, format!("env.pass {name}"), &old.origin, &value.origin);
            }
            !same
        });
    }
    map(&mut policy.dropped, "env.set", &mut policy.env.set, set);
}
