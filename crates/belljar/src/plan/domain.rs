//! What Landlock leaves to the broker's own threads.
//!
//! A thread in a domain looks only at processes of domains within its own, so the jar is cloned from the thread that enters it:
//! possible where init mounts nothing, on the host's own tree. Not where an answer may grant any file of the host.

use belljar_policy::{NetMode, Origin, Subject};
use serde::{Deserialize, Serialize};

use super::landlock::{BIND_TCP, CONNECT_TCP};
use super::{Draft, Engine, network};
use crate::report::Layer;

/// The domain of the broker's threads: files that the policy grants, and these TCP ports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainPlan {
    /// TCP rights that need a rule.
    pub net: u64,
    /// Ports to wait at; 0 = one of the kernel's choice.
    pub ports: Vec<u16>,
}

pub(super) fn plan(draft: &mut Draft<'_>) -> Option<DomainPlan> {
    if draft.engine != Engine::Landlock {
        return None;
    }
    if draft.call.asks || draft.call.learns {
        draft.notes.push(
            "the broker's own threads are in no Landlock domain: answers may grant any file".to_owned(),
        );
        return None;
    }
    let rule = "the broker's own threads open nothing that is not granted";
    draft.holds(Subject::Fs, rule, Origin::Default, &[Layer::Landlock]);
    let relayed = network::is_relayed(draft);
    // It connects to listeners of its own, at ports of the kernel's choice, for which there is no rule.
    let net = match (draft.host.landlock, draft.policy.net.mode.value) {
        (..4, _) | (_, NetMode::Host) => 0,
        _ if relayed => BIND_TCP,
        _ => BIND_TCP | CONNECT_TCP,
    };
    let published = draft.policy.net.publish.iter().map(|ports| ports.value.port);
    let ports = if relayed { std::iter::once(0).chain(published).collect() } else { Vec::new() };
    Some(DomainPlan { net, ports })
}
