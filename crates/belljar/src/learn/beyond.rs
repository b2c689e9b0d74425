//! What a run lacked beside files: hosts that it wanted to reach, system calls that it made. Pure: events in, rules out.

use std::collections::BTreeMap;

use belljar_policy::{NetTarget, net_target, special_address, special_name};

use crate::event::{Access, Event, Verdict};
use crate::report;

/// Most hosts that are proposed. A program that wants more is looking for something.
const MOST_HOSTS: usize = 32;

/// A host to add to `net.allow`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct HostProposal {
    /// `HOST:PORT`.
    pub host: String,
    /// What was seen, one line, printable.
    pub reason: String,
}

/// A system call or group to add to `syscalls.allow`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct CallProposal {
    /// The call, or a group with its `@`.
    pub name: String,
    /// What was seen and what it opens, one line, printable.
    pub reason: String,
}

/// A host, a socket or a call that was seen and is not proposed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct LeftOut {
    /// What was wanted, printable.
    pub what: String,
    /// Why no rule is proposed, one line, printable.
    pub why: String,
}

impl LeftOut {
    pub(super) fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into() }
    }
}

/// What was found, and what was left out.
pub(super) type Found<P> = (Vec<P>, Vec<LeftOut>);

/// The hosts of a run's events.
pub(super) fn hosts(events: &[Event]) -> Found<HostProposal> {
    let mut found: BTreeMap<&str, Result<HostProposal, LeftOut>> = BTreeMap::new();
    let net = |event: &&Event| matches!(event.access, Access::Connect | Access::Resolve);
    // A path is a unix socket's.
    for event in events.iter().filter(net).filter(|event| !event.object.starts_with('/')) {
        let Some(judged) = host(event) else { continue };
        let known = found.entry(&event.object).or_insert_with(|| judged.clone());
        // Granted once by an answer says more than refused before.
        if judged.is_ok() && (known.is_err() || event.verdict == Verdict::Granted) {
            *known = judged;
        }
    }
    let (mut proposed, mut left) = (Vec::new(), Vec::new());
    for judged in found.into_values() {
        match judged {
            Ok(_) if proposed.len() >= MOST_HOSTS => {
                left.push(LeftOut::new("further hosts", format!("only {MOST_HOSTS} are proposed at once")));
            }
            Ok(host) => proposed.push(host),
            Err(out) => left.push(out),
        }
    }
    left.dedup();
    (proposed, left)
}

/// What an event says about a host; none when it grants what the policy grants anyway.
fn host(event: &Event) -> Option<Result<HostProposal, LeftOut>> {
    let what = || format!("{} {}", event.call, event.object);
    let who = if event.program.is_empty() { "the program" } else { event.program.as_str() };
    let asked = event.origin == ANSWER;
    let reason = match (event.verdict, asked) {
        (Verdict::Granted, true) => format!("review: granted when asked, to {who}"),
        (Verdict::Denied, true) if event.rule == REFUSED => {
            return Some(Err(LeftOut::new(what(), "you said no")));
        }
        (Verdict::Denied, _) => format!("review: {who} wanted to connect, and was refused"),
        _ => return None,
    };
    Some(match why_not(event) {
        Some(why) => Err(LeftOut::new(what(), why)),
        None => Ok(HostProposal { host: event.object.clone(), reason }),
    })
}

/// What events of answers say.
const ANSWER: &str = "answer";
const REFUSED: &str = "refused by the user";

/// Why a host is not proposed: what trusts its neighbours needs a rule that was written on purpose.
fn why_not(event: &Event) -> Option<String> {
    let near = match net_target(&event.object) {
        Ok((NetTarget::Name(name), Some(_))) => special_name(&name),
        Ok((NetTarget::Range { addr, .. }, Some(_))) => special_address(addr),
        Ok((NetTarget::Name(name), None)) => special_name(&name).or(Some("a name that was only looked up")),
        _ => Some("no single host with a port"),
    };
    if let Some(near) = near {
        return Some(format!("{near}: write the rule yourself if it is meant"));
    }
    let own = format!("--net {}", event.object);
    match &event.flag {
        Some(flag) if *flag != own => {
            Some(format!("it leads to an address that needs a rule of its own: {flag}"))
        }
        None if event.verdict == Verdict::Denied => Some(format!("{} ({})", event.rule, event.origin)),
        _ => None,
    }
}

/// Calls and groups that are proposed, with what they open. What opens more of the kernel, or other processes, is only
/// named: nobody should get it by letting a program run once.
const PROPOSED: &[(&str, &str)] = &[
    ("@socket-unix", "unix sockets in granted folders reach the processes that listen there"),
    ("memfd_create", "files in memory, which can be run"),
    ("personality", "older layouts of memory, easier to attack from within"),
    ("sched_setattr", "priorities of its own threads"),
    ("vmsplice", "pages given to pipes"),
    ("name_to_handle_at", "names of files that last beyond a rename"),
];

/// The calls of a run's events. A run that went well needed none of them. While something else is lacking it cannot be told
/// whether one is needed: programs try many.
pub(super) fn calls(events: &[Event], verdict: report::Verdict, lacks_more: bool) -> Found<CallProposal> {
    let (mut proposed, mut left) = (BTreeMap::new(), Vec::new());
    let refused = |event: &&Event| event.access == Access::Call && event.verdict == Verdict::Denied;
    for event in events.iter().filter(refused) {
        let what = [event.call.as_str(), event.object.as_str()].join(" ").trim_end().to_owned();
        let Some(flag) = &event.flag else { continue };
        let name = flag.strip_prefix("--allow-syscall ");
        let known = name.and_then(|name| PROPOSED.iter().find(|(known, _)| *known == name));
        match known {
            _ if verdict == (report::Verdict::Exited { code: 0 }) => {
                left.push(LeftOut::new(what, "the program went on without it"));
            }
            _ if tried_by_libc(event) => {
                let why = format!("the C library tries it for users and hosts: {flag} would allow it");
                left.push(LeftOut::new(what, why));
            }
            _ if lacks_more => {
                let why = "it may not be needed: learn again with the rules so far";
                left.push(LeftOut::new(what, why));
            }
            Some((name, opens)) => {
                let reason = format!("review: {what} was refused; opens {opens}");
                proposed.entry(*name).or_insert(reason);
            }
            None => left.push(LeftOut::new(what, format!("it opens much: {flag} would allow it"))),
        }
    }
    left.sort();
    left.dedup();
    let proposal = |(name, reason): (&str, String)| CallProposal { name: name.to_owned(), reason };
    (proposed.into_iter().map(proposal).collect(), left)
}

/// The C library asks a cache over a unix socket before it looks up a user or a host, and goes on without one.
fn tried_by_libc(event: &Event) -> bool {
    event.object == "AF_UNIX SOCK_STREAM SOCK_NONBLOCK"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(verdict: Verdict, access: Access, object: &str) -> Event {
        let call = if access == Access::Call { "socket" } else { "connect" };
        Event::new(verdict, call, object.as_ref()).access(access).rule("net.mode = \"list\"", "default")
    }

    fn refused(object: &str) -> Event {
        event(Verdict::Denied, Access::Connect, object).flag(&format!("--net {object}"))
    }

    #[test]
    fn hosts_are_proposed_once_each_for_review_and_nothing_near_this_machine_is() {
        let mut events: Vec<Event> = [
            "a.org:443",
            "a.org:443",
            "b.org:80",
            "93.184.216.34:443",
            "169.254.169.254:80",
            "10.0.0.1:5432",
            "metadata.google.internal:80",
            "nas.local:445",
            "127.0.0.1:80",
            "*.c.org:1",
            "0.0.0.0/0:1",
        ]
        .map(refused)
        .into();
        events.push(event(Verdict::Denied, Access::Connect, "d.org:443"));
        events.push(event(Verdict::Denied, Access::Connect, "e.org:443").flag("--net 10.0.0.6:443"));
        let (proposed, left) = hosts(&events);
        let names: Vec<&str> = proposed.iter().map(|host| host.host.as_str()).collect();
        assert_eq!(names, ["93.184.216.34:443", "a.org:443", "b.org:80"]);
        assert!(proposed.iter().all(|host| host.reason.starts_with("review: ")));
        assert_eq!(left.len(), 9, "{left:?}");
    }

    #[test]
    fn answers_become_rules_and_a_no_stays_one() {
        let events = [
            refused("a.org:443"),
            event(Verdict::Granted, Access::Connect, "a.org:443").rule("granted once", "answer"),
            refused("b.org:443").rule("refused by the user", "answer"),
            event(Verdict::Granted, Access::Connect, "c.org:443"),
        ];
        let (proposed, left) = hosts(&events);
        assert_eq!(proposed.len(), 1, "{proposed:?}");
        assert!(proposed[0].reason.contains("granted when asked"));
        assert_eq!(left, [LeftOut::new("connect b.org:443", "you said no")]);
    }

    #[test]
    fn a_flood_of_hosts_is_cut() {
        let events: Vec<Event> = (0..200).map(|n| refused(&format!("h{n}.org:443"))).collect();
        let (proposed, left) = hosts(&events);
        assert_eq!((proposed.len(), left.len()), (MOST_HOSTS, 1));
    }

    #[test]
    fn calls_are_proposed_only_when_the_run_failed_and_lacked_nothing_else() {
        let unix = || event(Verdict::Denied, Access::Call, "AF_UNIX").flag("--allow-syscall @socket-unix");
        let bpf = || {
            Event::new(Verdict::Denied, "bpf", "".as_ref()).access(Access::Call).flag("--allow-syscall bpf")
        };
        let failed = report::Verdict::Exited { code: 1 };
        let names = |found: Found<CallProposal>| {
            (found.0.into_iter().map(|call| call.name).collect::<Vec<_>>(), found.1.len())
        };
        let events = [unix(), unix(), bpf()];
        assert_eq!(names(calls(&events, failed, false)), (vec!["@socket-unix".to_owned()], 1));
        assert_eq!(names(calls(&events, failed, true)), (vec![], 2));
        assert_eq!(names(calls(&events, report::Verdict::Exited { code: 0 }, false)), (vec![], 2));
        let (_, left) = calls(&[bpf()], failed, false);
        assert!(left[0].why.contains("--allow-syscall bpf"), "{left:?}");
    }

    #[test]
    fn every_proposed_name_is_one() {
        for (name, opens) in PROPOSED {
            let known = belljar_bpf::group(name).is_ok() || belljar_bpf::syscall_number(name).is_some();
            assert!(known && !opens.is_empty(), "{name}");
        }
    }
}
