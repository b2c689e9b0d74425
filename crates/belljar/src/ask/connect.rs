//! Connections that the policy does not grant: the broker asks before it makes one, the jar's proxies before they dial.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::sync::Arc;

use belljar_net::{Answer, Door, Remote};
use belljar_policy::Decision;

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

/// How a connection came that is asked about by the jar's own network: who asks when no process is known, the call.
fn came(door: Door) -> (&'static str, &'static str) {
    match door {
        Door::Http => ("HTTP proxy", "HTTP proxy"),
        Door::Socks => ("SOCKS5 proxy", "SOCKS5 proxy"),
        _ => ("network", "connect"),
    }
}

impl HostAsker {
    /// Asks about a connection that the jar's own network was made; `process` looks for its maker, which takes a while.
    pub(crate) fn appeal(
        &self,
        door: Door,
        process: impl FnOnce() -> Option<u32>,
        decision: &Decision,
        answer: Answer,
    ) {
        let Some(desk) = &self.desk else { return answer.give(Err(None)) };
        let hears = |pid: u32| {
            let (asker, object) = (self.clone(), decision.object.clone());
            move |settled: Settled| {
                if settled.granted() {
                    asker.granted(&object, pid, settled);
                    return answer.give(Ok(()));
                }
                answer.give(Err(Some(settled.why.to_string())));
            }
        };
        match question(desk, door, process, decision) {
            Err(settled) => hears(0)(settled),
            Ok(prompt) => {
                let hears = hears(prompt.pid.unwrap_or(0));
                desk.line_up(prompt, Box::new(hears));
            }
        }
    }
}

/// The question about a connection, or what is settled without one: then nobody looks for its maker, however often it is made.
fn question(
    desk: &Desk,
    door: Door,
    process: impl FnOnce() -> Option<u32>,
    decision: &Decision,
) -> Result<Prompt, Settled> {
    let want = Want::Connect(decision.object.clone());
    if let Some(settled) = desk.admit(&want) {
        return Err(settled);
    }
    let (pid, (name, call)) = (process(), came(door));
    // Who has ended meanwhile has no name any more.
    let program = pid.map(program).filter(|path| !path.is_empty()).unwrap_or_else(|| name.into());
    Ok(Prompt { program, pid, call: call.into(), want, rule: rule(decision) })
}

/// The executable of a process, as the kernel names it.
fn program(pid: u32) -> OsString {
    std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default().into_os_string()
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
            let (program, rule) = (program(pid), rule(decision));
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use belljar_policy::{Policy, net_decision};

    use super::*;
    use crate::ask::{Asker, Never};

    #[test]
    fn who_asks_too_often_is_not_looked_for() {
        let desk = Desk::new(Asker::new(Never::new(None, []))).unwrap();
        let (policy, searches) = (Policy::none(), Cell::new(0));
        let search = || {
            searches.set(searches.get() + 1);
            None
        };
        let questions = (0..500).filter(|number| {
            let decision = net_decision(&policy, &format!("host{number}.example:443")).unwrap();
            question(&desk, Door::Tcp, search, &decision).is_ok()
        });
        let asked = questions.count();
        assert!(asked > 0 && asked < 100, "{asked}");
        assert_eq!(searches.get(), asked);
    }
}
