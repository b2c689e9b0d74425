//! What the jar's network turns away by itself is told as refused: connections to ports that nobody serves, datagrams.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, RecvFlags, SocketType, ipproto, recvfrom, sockopt};

use crate::refused::{Ear, LONGEST, Refused, read};
use crate::rules::Host;
use crate::{Denial, Door, Flow, Reason, Who};

use super::Engine;
use super::accept::Listener;
use super::poll::Token;

/// Packets that are still read when the jar is over; the kernel keeps fewer.
const LAST: usize = 4096;

/// A socket that hears packets; none when it is another one.
pub(super) fn ear(fd: OwnedFd) -> Option<Listener> {
    let is_raw = sockopt::socket_type(&fd).is_ok_and(|kind| kind == SocketType::RAW);
    let (family, protocol) = (sockopt::socket_domain(&fd).ok()?, sockopt::socket_protocol(&fd).ok()??);
    let ear = match (family, protocol) {
        _ if !is_raw => None,
        (AddressFamily::INET, ipproto::TCP) => Some(Ear::Tcp4),
        (AddressFamily::INET6, ipproto::TCP) => Some(Ear::Tcp6),
        (AddressFamily::INET, ipproto::ICMP) => Some(Ear::Icmp4),
        (AddressFamily::INET6, ipproto::ICMPV6) => Some(Ear::Icmp6),
        _ => None,
    }?;
    Some(Listener::Refused(ear, fd))
}

impl Engine {
    /// Tells what came in, as far as the budget reaches. A jar that is turned away more often is told less often.
    pub(super) fn refusals(&mut self, place: u64) {
        while self.deaf.is_none() {
            if let Err(until) = self.hearing.has_one(self.now) {
                self.deafen(until);
                return;
            }
            if !self.refusal(place) {
                return;
            }
            self.hearing.take();
        }
    }

    /// One packet; false when there is none.
    fn refusal(&mut self, place: u64) -> bool {
        let listener = usize::try_from(place).ok().and_then(|place| self.listeners.get(place));
        let Some(Listener::Refused(ear, socket)) = listener else { return false };
        let mut packet = [0; LONGEST];
        let Ok((length, _, from)) = recvfrom(socket, &mut packet, RecvFlags::DONTWAIT) else { return false };
        let from = from.and_then(|from| SocketAddr::try_from(from).ok());
        let from = from.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |from| from.ip());
        if let Some(refused) = packet.get(..length).and_then(|packet| read(*ear, packet, from)) {
            self.tell(refused);
        }
        true
    }

    fn tell(&mut self, Refused { to, datagram_from }: Refused) {
        let addr = to.ip().to_canonical();
        let name = if let IpAddr::V4(addr) = addr { self.names.name(addr) } else { None };
        let host = name.map_or(Host::Address(addr), |name| Host::Name(name.to_owned()));
        let (door, decision, who) = match datagram_from {
            // Between programs of the jar.
            Some(_) if addr.is_loopback() => return,
            Some(from) => {
                let who = Who::Owner(Flow::new(true, from, to));
                (Door::Datagram, self.rules.datagram(&host, to.port()), who)
            }
            None => {
                let to = SocketAddr::new(addr, to.port());
                (Door::Tcp, self.rules.decision(&host, to.port()), Who::Gone(to))
            }
        };
        if !decision.allowed {
            let who = Some(who);
            self.observer.denied(Denial { door, reason: Reason::Policy, decision, who });
        }
    }

    fn deafen(&mut self, until: std::time::Instant) {
        for listener in self.listeners.iter().filter(|listener| matches!(listener, Listener::Refused(..))) {
            // One that cannot be left alone is asked again: that costs time, nothing else.
            drop(self.poll.forget(listener));
        }
        self.deaf = Some(until);
    }

    /// Hears again when the time has come.
    pub(super) fn hear_again(&mut self) -> std::io::Result<()> {
        if self.deaf.is_none_or(|until| until > self.now) {
            return Ok(());
        }
        self.deaf = None;
        for (place, listener) in (0..).zip(&self.listeners) {
            if matches!(listener, Listener::Refused(..)) {
                self.poll.watch(listener, Token::Listener(place))?;
            }
        }
        Ok(())
    }

    /// Everything that the kernel still has: the jar is over.
    pub(super) fn last_refusals(&mut self) {
        let places = 0..u64::try_from(self.listeners.len()).unwrap_or(0);
        for place in places {
            let mut left = LAST;
            while left > 0 && self.refusal(place) {
                left -= 1;
            }
        }
    }
}
