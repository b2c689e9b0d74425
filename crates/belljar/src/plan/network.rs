//! Networks: a namespace of the jar's own and the filter; without namespaces the filter alone, and Landlock's ports.

use belljar_policy::{NetMode, Origin, Subject};

use super::Draft;
use super::step::Step;
use crate::error::PlanError;
use crate::report::Layer;

pub(super) fn plan(draft: &mut Draft<'_>) -> Result<(), PlanError> {
    let mode = &draft.policy.net.mode;
    let origin = mode.origin.clone();
    refuse_unsupported(draft)?;
    match mode.value {
        NetMode::Off => no_sockets(draft, origin),
        NetMode::None => nothing_outside(draft, origin),
        NetMode::List if draft.policy.net.allow.is_empty() => nothing_outside(draft, origin),
        NetMode::List => {
            return Err(PlanError::Unsupported { what: "net by name", origin: origin.to_string() });
        }
        _ => host_network(draft, origin)?,
    }
    unix_sockets(draft);
    Ok(())
}

/// Without a rule that is served these have no effect; the jar must not start as if they had.
fn refuse_unsupported(draft: &Draft<'_>) -> Result<(), PlanError> {
    let net = &draft.policy.net;
    let reach = net.reach.first().map(|port| ("net.reach", &port.origin));
    let publish = net.publish.first().map(|ports| ("net.publish", &ports.origin));
    match reach.or(publish) {
        Some((what, origin)) => Err(PlanError::Unsupported { what, origin: origin.to_string() }),
        None => Ok(()),
    }
}

fn no_sockets(draft: &mut Draft<'_>, origin: Origin) {
    let mut layers = vec![Layer::Seccomp];
    if draft.host.landlock >= 4 {
        layers.push(Layer::Landlock);
    }
    draft.holds(Subject::Net, "no sockets at all", origin, &layers);
}

fn nothing_outside(draft: &mut Draft<'_>, origin: Origin) {
    if draft.namespaced() {
        draft.step(Step::Loopback);
        draft.holds(
            Subject::Net,
            "no network but an own loopback",
            origin,
            &[Layer::Namespaces, Layer::Seccomp],
        );
    } else {
        draft.notes.push("no own loopback without user namespaces: sockets are refused".to_owned());
        no_sockets(draft, origin);
    }
}

fn host_network(draft: &mut Draft<'_>, origin: Origin) -> Result<(), PlanError> {
    if let Some(rule) = draft.policy.net.deny.first() {
        let origin = rule.origin.to_string();
        return Err(PlanError::Unsupported { what: "net deny rules beside the host's network", origin });
    }
    draft.holds(
        Subject::Net,
        "the host's network: ordinary TCP and UDP sockets only",
        origin,
        &[Layer::Seccomp],
    );
    Ok(())
}

/// A path socket in a granted folder would be a channel to a process outside.
fn unix_sockets(draft: &mut Draft<'_>) {
    let granted = draft.policy.syscalls.allow.iter().find(|item| item.value == "@socket-unix");
    match granted {
        Some(item) => {
            let origin = item.origin.to_string();
            draft.notes.push(format!("unix sockets in granted folders reach their owners ({origin})"));
        }
        None => draft.holds(Subject::Ipc, "no unix sockets but pairs", Origin::Default, &[Layer::Seccomp]),
    }
}
