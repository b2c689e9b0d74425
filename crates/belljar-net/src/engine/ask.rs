//! From what is asked for to addresses that may be dialled.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use belljar_policy::Decision;
use rustix::io::Errno;

use crate::lookup::Found;
use crate::rules::Route;
use crate::{Denial, Door, Failed, Failure, Reason};

use super::connection::{Ask, Connection, Stage};
use super::{Engine, Next};

/// How long the addresses of a name are waited for.
const LOOKUP: Duration = Duration::from_secs(15);

impl Engine {
    /// Decides, and finds the way.
    pub(super) fn ask(&mut self, id: u64, connection: &mut Connection, ask: Ask) -> Next {
        match self.rules.route(&ask.host, ask.port) {
            Err(decision) => self.appeal(id, connection, ask, *decision),
            Ok(Route::Reach) => {
                let both: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
                let to = both.map(|addr| SocketAddr::new(addr, ask.port)).into();
                self.start(id, connection, ask, to)
            }
            Ok(Route::Address(addr)) => {
                let to = VecDeque::from([SocketAddr::new(addr, ask.port)]);
                self.start(id, connection, ask, to)
            }
            Ok(Route::Lookup { name, is_pattern }) => match self.lookups.recent(&name, self.now) {
                Some(found) => self.found(id, connection, ask, found),
                None => self.look_up(id, connection, ask, &name, is_pattern),
            },
        }
    }

    fn look_up(
        &mut self,
        id: u64,
        connection: &mut Connection,
        ask: Ask,
        name: &str,
        is_pattern: bool,
    ) -> Next {
        if is_pattern && !self.lookups.is_asked(name) {
            if self.patterns.has_one(self.now).is_err() {
                return self.exceed(id, connection, &ask);
            }
            self.patterns.take();
        }
        if self.lookups.ask(name, id).is_err() {
            return self.fail(id, connection, (Failure::NoAddress, None), &ask.object());
        }
        connection.stage = Stage::Lookup(ask);
        let due = self.now + LOOKUP;
        self.wake_at(id, connection, due);
        Next::Wait
    }

    /// Too many names below patterns in a short time.
    fn exceed(&mut self, id: u64, connection: &mut Connection, ask: &Ask) -> Next {
        let mut decision = self.rules.decision(&ask.host, ask.port);
        decision.allowed = false;
        let each = self.budgets.patterns_per_minute;
        decision.note = Some(format!("more than {each} names below patterns a minute are not looked up"));
        self.deny(id, connection, Reason::Budget, decision)
    }

    /// Takes the answers of finished look-ups.
    pub(super) fn answers(&mut self) {
        self.bell.hear();
        while let Some((found, ids)) = self.lookups.take(self.now) {
            for id in ids {
                let found = found.clone();
                self.with(id, |engine, connection| {
                    match std::mem::replace(&mut connection.stage, Stage::Idle) {
                        Stage::Lookup(ask) => engine.found(id, connection, ask, found),
                        // It went on without the answer, in its last words.
                        other => {
                            connection.stage = other;
                            Next::Wait
                        }
                    }
                });
            }
        }
    }

    /// Keeps the addresses that the rules let a name lead to; what is dialled is one of these.
    fn found(&mut self, id: u64, connection: &mut Connection, ask: Ask, found: Found) -> Next {
        let (mut fit, mut refusal) = (VecDeque::new(), None);
        for addr in found.iter().flat_map(|found| found.iter()) {
            let addr = addr.to_canonical();
            match self.rules.fits(addr, ask.port, || is_own(addr)) {
                Ok(()) => fit.push_back(SocketAddr::new(addr, ask.port)),
                Err(decision) => refusal = Some(decision),
            }
        }
        match refusal.filter(|_| fit.is_empty()) {
            Some(mut decision) => {
                decision.object = ask.object();
                self.deny(id, connection, Reason::Address, *decision)
            }
            None if fit.is_empty() => self.fail(id, connection, (Failure::NoAddress, None), &ask.object()),
            None => self.start(id, connection, ask, fit),
        }
    }

    /// Tells the observer, then the client in its own language.
    pub(super) fn deny(
        &mut self,
        id: u64,
        connection: &mut Connection,
        reason: Reason,
        decision: Decision,
    ) -> Next {
        let (door, who) = (connection.door, connection.who());
        let words = door.denied(&words(reason, &decision.object));
        // Before the jar hears of it: its socket is still there.
        self.observer.denied(Denial { door, reason, decision, who });
        self.say(id, connection, words)
    }

    /// Tells the observer and the client that it did not work. A program of the host that finds no server in the jar hears it
    /// by itself.
    pub(super) fn fail(
        &mut self,
        id: u64,
        connection: &mut Connection,
        (failure, said): (Failure, Option<String>),
        object: &str,
    ) -> Next {
        let (door, who) = (connection.door, connection.who());
        let words = door.failed(failure, object);
        if !matches!(door, Door::Published(_)) {
            self.observer.failed(Failed { door, object: object.to_owned(), failure, said, who });
        }
        self.say(id, connection, words)
    }
}

/// What a refused client hears. It is hostile: where rules stand and what names lead to is told to the observer only.
fn words(reason: Reason, object: &str) -> String {
    match reason {
        Reason::Policy => format!("belljar: {object} is not allowed; --net {object} would allow it"),
        Reason::Address => format!("belljar: {object} leads to an address that is not allowed"),
        Reason::Budget => format!("belljar: {object} is one name too many for now"),
    }
}

/// Errors of an address that cannot be dialled either: the client should see that reason.
const UNREACHABLE: &[Errno] =
    &[Errno::NETUNREACH, Errno::HOSTUNREACH, Errno::ADDRNOTAVAIL, Errno::AFNOSUPPORT];

/// Whether an address belongs to this machine. Then it is mostly the one that packets to it would come from; a second one of a
/// network has the first for that, and is told by a socket that may take it. Nothing is sent. What cannot be found out counts as own.
fn is_own(addr: IpAddr) -> bool {
    is_source(addr) || (may_be_taken(addr) && !may_be_taken(nobodys(addr)))
}

fn may_be_taken(addr: IpAddr) -> bool {
    UdpSocket::bind((addr, 0)).is_ok()
}

/// An address of the same kind that no machine has: where even that one may be taken (`ip_nonlocal_bind`), taking tells nothing.
fn nobodys(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => Ipv4Addr::new(240, 0, 0, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 1).into(),
    }
}

fn is_source(addr: IpAddr) -> bool {
    let any: IpAddr =
        if addr.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let source = || -> io::Result<IpAddr> {
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect((addr, 9))?;
        Ok(socket.local_addr()?.ip())
    };
    match source() {
        Ok(source) => source.to_canonical() == addr,
        Err(error) => !Errno::from_io_error(&error).is_some_and(|errno| UNREACHABLE.contains(&errno)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_addresses_are_told_from_others() {
        assert!(is_own("127.0.0.1".parse().unwrap()));
        assert!(is_own("127.8.8.8".parse().unwrap()) || !is_own("203.0.113.7".parse().unwrap()));
        assert!(!is_own("203.0.113.7".parse().unwrap()));
    }

    /// Makes a network of its own with two addresses, and runs `in_a_network_with_two_addresses` there.
    const TWO: &str = "ip link set lo up && ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up &&
        ip addr add 192.0.2.9/24 dev v0 && ip addr add 192.0.2.10/24 dev v0 && ip route add default dev v0 && echo ready &&
        exec \"$0\" --ignored --exact engine::ask::tests::in_a_network_with_two_addresses";

    #[test]
    #[allow(clippy::print_stderr, reason = "the runner of the tests reads this line")]
    fn a_second_address_of_a_network_is_own() {
        let mut shell = std::process::Command::new("unshare");
        shell.args(["-rn", "sh", "-c", TWO]).arg(std::env::current_exe().unwrap());
        let Some(seen) = shell.output().ok().filter(|seen| seen.stdout.starts_with(b"ready")) else {
            return eprintln!("SKIP: needs a network with veth");
        };
        assert!(seen.status.success(), "{}", String::from_utf8_lossy(&seen.stdout));
        assert!(String::from_utf8_lossy(&seen.stdout).contains("1 passed"));
    }

    #[test]
    #[ignore = "run by the test above"]
    fn in_a_network_with_two_addresses() {
        let own = ["192.0.2.9", "192.0.2.10", "192.0.2.11", "203.0.113.7"];
        assert_eq!(own.map(|addr| is_own(addr.parse().unwrap())), [true, true, false, false]);
        assert!(
            !is_source("192.0.2.10".parse().unwrap()),
            "the kernel tells it from the first by nothing else"
        );
    }
}
