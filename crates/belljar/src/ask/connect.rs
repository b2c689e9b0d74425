//! Connections that the policy does not grant: the broker asks before it makes one, the jar's proxies before they dial.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use belljar_net::{Answer, Appeal, Door, Remote};
use belljar_policy::{Decision, special_name};

use super::asker::Settled;
use super::desk::Desk;
use super::prompt::{Prompt, Want};
use crate::broker::{Connections, Said};
use crate::event::{Access, Event, Observer, Verdict};

/// Asks about hosts; without a desk each refusal is noted under the host's name and stands.
#[derive(Clone, Debug)]
pub(crate) struct HostAsker {
    desk: Option<Arc<Desk>>,
    events: Arc<dyn Observer>,
}

impl HostAsker {
    pub(crate) fn new(desk: Option<Arc<Desk>>, events: Arc<dyn Observer>) -> Self {
        Self { desk, events }
    }

    /// The same for connections that programs make themselves.
    pub(crate) fn direct(self, remote: Remote) -> DirectAsker {
        DirectAsker { asker: self, remote }
    }

    fn granted(&self, object: &str, pid: u32, settled: Settled) {
        let event = Event::new(Verdict::Granted, "connect", object.as_ref()).access(Access::Connect).by(pid);
        self.events.event(event.rule(&settled.why.to_string(), "answer"));
    }
}

fn rule(decision: &Decision) -> String {
    format!("{} ({})", decision.rule, decision.origin)
}

impl Appeal for HostAsker {
    fn can_ask(&self, name: &str) -> bool {
        special_name(name).is_none()
    }

    fn ask(&self, door: Door, decision: &Decision, answer: Answer) {
        let Some(desk) = &self.desk else { return answer.give(Err(None)) };
        let want = Want::Connect(decision.object.clone());
        let (program, call) = match door {
            Door::Http => ("HTTP proxy", "CONNECT"),
            Door::Socks => ("SOCKS5 proxy", "CONNECT"),
            _ => ("network", "connect"),
        };
        let prompt =
            Prompt { program: program.into(), pid: None, call: call.into(), want, rule: rule(decision) };
        let (asker, object) = (self.clone(), decision.object.clone());
        let hears = move |settled: Settled| {
            if settled.granted() {
                asker.granted(&object, 0, settled);
                return answer.give(Ok(()));
            }
            answer.give(Err(Some(settled.why.to_string())));
        };
        match desk.known(&prompt.want) {
            Some(settled) => hears(settled),
            None => desk.ask_for(prompt, Box::new(hears)),
        }
    }
}

/// Asks about connections before they are made: a refusal is one that every program knows.
#[derive(Debug)]
pub(crate) struct DirectAsker {
    asker: HostAsker,
    remote: Remote,
}

impl DirectAsker {
    fn ask(&self, desk: &Desk, pid: u32, decision: &Decision) -> Settled {
        let want = Want::Connect(decision.object.clone());
        desk.known(&want).unwrap_or_else(|| {
            let program = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_else(|_| PathBuf::new());
            let (program, rule) = (program.into_os_string(), rule(decision));
            desk.ask(Prompt { program, pid: Some(pid), call: "connect".into(), want, rule })
        })
    }

    fn refused(&self, pid: u32, decision: &Decision, why: &str, origin: &str) {
        let event = Event::decided("connect", decision).access(Access::Connect).by(pid);
        self.asker.events.event(event.rule(why, origin));
    }
}

impl Connections for DirectAsker {
    fn said(&self, pid: u32, to: SocketAddr) -> Said {
        // What concerns the jar alone is answered by its own network.
        let Some(meant) = self.remote.meant(to) else { return Said::Nothing };
        let decision = meant.decision();
        if decision.allowed {
            return Said::Granted;
        }
        let Some(desk) = self.asker.desk.as_deref().filter(|_| decision.flag.is_some()) else {
            self.refused(pid, decision, &decision.rule, &decision.origin.to_string());
            return Said::Refused;
        };
        let settled = self.ask(desk, pid, decision);
        if !settled.granted() {
            self.refused(pid, decision, &settled.why.to_string(), "answer");
            return Said::Refused;
        }
        match meant.grant() {
            Ok(()) => self.asker.granted(&decision.object, pid, settled),
            Err(error) => {
                self.refused(pid, decision, &format!("its port cannot be served: {error}"), "belljar");
                return Said::Refused;
            }
        }
        Said::Granted
    }
}
