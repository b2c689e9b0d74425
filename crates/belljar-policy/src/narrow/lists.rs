//! Networks, variables and system calls that two policies both grant.

use super::{Refused, least, lesser, parents_map, refuse};
use crate::decide::{passes, within};
use crate::model::{NetMode, NetRule, Policy, Publish, Setting, UnixSocket};
use crate::value::Written as _;
use crate::value::host::host_text;

pub(super) fn narrow(out: &mut Policy, parent: &Policy, child: &Policy, refused: &mut Refused) {
    net(out, parent, child, refused);
    out.env.pass = variables(&parent.env.pass, &child.env.pass, refused);
    out.env.set = parents_map("env.set", &parent.env.set, &child.env.set, refused);
    out.env.pass.retain(|pass| !out.env.set.contains_key(&pass.value));
    out.syscalls.allow = calls(&parent.syscalls.allow, &child.syscalls.allow, refused);
    out.syscalls.deny = parent.syscalls.deny.clone();
    for deny in &child.syscalls.deny {
        crate::layer::add(&mut out.syscalls.deny, deny.clone());
    }
    // A condition can also grant a call that no list allows, so the child's count only where the parent has the same.
    out.syscalls.when = parents_map("syscalls.when", &parent.syscalls.when, &child.syscalls.when, refused);
    // To kill is less than to refuse.
    out.syscalls.otherwise = least(&parent.syscalls.otherwise, &child.syscalls.otherwise);
}

fn net(out: &mut Policy, parent: &Policy, child: &Policy, refused: &mut Refused) {
    out.net.mode = lesser(&parent.net.mode, &child.net.mode, "net.mode", refused);
    if out.net.mode.value == NetMode::List {
        out.net.allow = match (parent.net.mode.value, child.net.mode.value) {
            (NetMode::Host, _) => child.net.allow.clone(),
            (_, NetMode::Host) => parent.net.allow.clone(),
            _ => hosts(&parent.net.allow, &child.net.allow, refused),
        };
    }
    let reach = |port: &u16| format!("net.reach localhost:{port}");
    let publish = |ports: &Publish| format!("net.publish {}", ports.written());
    out.net.reach = both(&parent.net.reach, &child.net.reach, reach, refused);
    out.net.publish = both(&parent.net.publish, &child.net.publish, publish, refused);
    out.net.hosts = parents_map("net.hosts", &parent.net.hosts, &child.net.hosts, refused);
    out.net.sockets = sockets(&parent.net.sockets, &child.net.sockets, refused);
    // A way to what is granted, not a grant.
    out.net.proxy = child.net.proxy.clone().or_else(|| parent.net.proxy.clone());
    out.net.deny = parent.net.deny.clone();
    child.net.deny.iter().for_each(|rule| crate::layer::add_host(&mut out.net.deny, rule.clone()));
}

/// Sockets of the child that the parent has too; the long word counts where both wrote it.
fn sockets(parent: &[UnixSocket], child: &[UnixSocket], refused: &mut Refused) -> Vec<UnixSocket> {
    let mut kept = Vec::new();
    for wanted in child {
        match parent.iter().find(|own| own.service == wanted.service) {
            Some(own) => {
                kept.push(UnixSocket { dangerous: own.dangerous && wanted.dangerous, ..wanted.clone() });
            }
            None => {
                let text = format!("net.sockets {}", wanted.service.written());
                refuse(refused, text, &wanted.origin, "the outer policy does not have it");
            }
        }
    }
    kept
}

/// Entries of the child that the parent has too.
fn both<T: PartialEq + Clone>(
    parent: &[Setting<T>],
    child: &[Setting<T>],
    text: impl Fn(&T) -> String,
    refused: &mut Refused,
) -> Vec<Setting<T>> {
    let has = |wanted: &&Setting<T>| parent.iter().any(|own| own.value == wanted.value);
    for wanted in child.iter().filter(|wanted| !has(wanted)) {
        refuse(refused, text(&wanted.value), &wanted.origin, "the outer policy does not have it");
    }
    child.iter().filter(has).cloned().collect()
}

/// Each pair of entries of which one holds the other gives the smaller target and port.
fn hosts(parent: &[NetRule], child: &[NetRule], refused: &mut Refused) -> Vec<NetRule> {
    let mut kept = Vec::new();
    for wanted in child {
        let both: Vec<NetRule> = parent.iter().filter_map(|own| common(own, wanted)).collect();
        if !both.iter().any(|rule| rule.target == wanted.target && rule.port == wanted.port) {
            let rule = format!("net.allow {}", host_text(&wanted.target, wanted.port));
            let because =
                if both.is_empty() { "the outer list does not hold it" } else { "the outer list holds less" };
            refuse(refused, rule, &wanted.origin, because);
        }
        both.into_iter().for_each(|rule| crate::layer::add_host(&mut kept, rule));
    }
    kept
}

fn common(own: &NetRule, wanted: &NetRule) -> Option<NetRule> {
    let smaller = if within(&wanted.target, &own.target) {
        wanted
    } else if within(&own.target, &wanted.target) {
        own
    } else {
        return None;
    };
    let port = match (own.port, wanted.port) {
        (None, None) => None,
        _ => Some(*own.ports().iter().find(|port| wanted.ports().contains(port))?),
    };
    Some(NetRule { target: smaller.target.clone(), port, origin: wanted.origin.clone() })
}

fn variables(
    parent: &[Setting<String>],
    child: &[Setting<String>],
    refused: &mut Refused,
) -> Vec<Setting<String>> {
    let mut kept: Vec<Setting<String>> = Vec::new();
    for wanted in child {
        if parent.iter().any(|own| passes(&own.value, &wanted.value)) {
            crate::layer::add(&mut kept, wanted.clone());
            continue;
        }
        refuse(
            refused,
            format!("env.pass {}", wanted.value),
            &wanted.origin,
            "the outer policy does not pass it",
        );
        // The part of a wide pattern that the outer policy has.
        for own in parent.iter().filter(|own| passes(&wanted.value, &own.value)) {
            crate::layer::add(&mut kept, own.clone());
        }
    }
    kept
}

/// Groups are not opened here, so an entry must stand in both lists.
fn calls(
    parent: &[Setting<String>],
    child: &[Setting<String>],
    refused: &mut Refused,
) -> Vec<Setting<String>> {
    let mut kept = Vec::new();
    for wanted in child {
        if parent.iter().any(|own| own.value == wanted.value) {
            kept.push(wanted.clone());
        } else {
            let because = "the outer list does not have this entry";
            refuse(refused, format!("syscalls.allow {}", wanted.value), &wanted.origin, because);
        }
    }
    kept
}
