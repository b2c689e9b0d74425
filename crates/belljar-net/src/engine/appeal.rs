//! What the rules refuse may be granted while the jar runs: connections that wait for an answer, and listeners made late.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::Duration;

use belljar_policy::{Decision, Origin};
use rustix::net::{AddressFamily, bind, listen, sockopt};

use crate::appeal::{Answer, Refusal};
use crate::remote::{Meaning, Order};
use crate::rules::Host;
use crate::{Door, Reason};

use super::accept::{self, Listener};
use super::connection::{Ask, Connection, Stage};
use super::poll::Token;
use super::{Engine, Next};

/// How long a connection waits for an answer, whoever gives it.
const PATIENCE: Duration = Duration::from_secs(600);
/// Most listeners that are made while a jar runs.
const MOST: usize = 200;
const BACKLOG: i32 = 1024;

impl Engine {
    /// Refuses, or waits for somebody who may grant it.
    pub(super) fn appeal(
        &mut self,
        id: u64,
        connection: &mut Connection,
        ask: Ask,
        decision: Decision,
    ) -> Next {
        let appeal = self.appeal.clone().filter(|_| is_open(&ask.host, &decision));
        let Some(appeal) = appeal else { return self.deny(id, connection, Reason::Policy, decision) };
        connection.stage = Stage::Appeal(ask, Box::new(decision.clone()));
        let due = self.now + PATIENCE;
        self.wake_at(id, connection, due);
        let post = self.post.clone();
        let answer = Answer::new(move |answer| {
            // Without a service there is no connection that waits.
            post.put(Order::Answered(id, answer));
        });
        appeal.ask(connection.door, connection.who(), &decision, answer);
        Next::Wait
    }

    /// Takes what other threads have sent.
    pub(super) fn orders(&mut self) {
        while let Ok(order) = self.orders.try_recv() {
            match order {
                // Who asked may be gone.
                Order::Meant(address, answer) => drop(answer.send(self.meaning(address))),
                Order::Grant(host, port, answer) => drop(answer.send(self.grant(&host, port))),
                Order::Release(addr) => self.names.release(addr),
                Order::Answered(id, answer) => self.answered(id, &answer),
            }
        }
    }

    fn answered(&mut self, id: u64, answer: &Result<(), Refusal>) {
        self.with(id, |engine, connection| {
            match std::mem::replace(&mut connection.stage, Stage::Idle) {
                Stage::Appeal(ask, decision) => match answer {
                    Ok(()) => {
                        engine.rules.grant(&ask.host, ask.port);
                        engine.ask(id, connection, ask)
                    }
                    Err(why) => {
                        let decision = refused(*decision, why.as_deref());
                        engine.deny(id, connection, Reason::Policy, decision)
                    }
                },
                // It went on without the answer.
                other => {
                    connection.stage = other;
                    Next::Wait
                }
            }
        });
    }

    /// What a connection to an address would be meant for; none when it concerns the jar alone.
    fn meaning(&mut self, address: SocketAddr) -> Option<Meaning> {
        let addr = address.ip().to_canonical();
        if addr.is_loopback() || addr.is_unspecified() {
            return None;
        }
        let stand_in = if let IpAddr::V4(addr) = addr { Some(addr) } else { None };
        let name = stand_in.and_then(|addr| self.names.hold(addr));
        let held = stand_in.filter(|_| name.is_some());
        let host = name.map_or(Host::Address(addr), Host::Name);
        let decision = match self.rules.route(&host, address.port()) {
            Ok(_) => self.rules.decision(&host, address.port()),
            Err(decision) => *decision,
        };
        Some(Meaning { host, port: address.port(), decision, held })
    }

    fn grant(&mut self, host: &Host, port: u16) -> io::Result<()> {
        if !self.brought && !self.serves(port) {
            self.serve(port)?;
        }
        self.rules.grant(host, port);
        Ok(())
    }

    fn serves(&self, port: u16) -> bool {
        self.listeners.iter().any(|listener| match listener {
            Listener::Stream(Door::Tcp, socket) => socket.local_addr().is_ok_and(|addr| addr.port() == port),
            _ => false,
        })
    }

    /// One more listener of the jar's network.
    fn serve(&mut self, port: u16) -> io::Result<()> {
        if self.listeners.len() >= MOST {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        let inside = self.inside.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        let socket: OwnedFd = inside.socket_of_both()?;
        let any: IpAddr = match sockopt::socket_domain(&socket)? {
            AddressFamily::INET6 => Ipv6Addr::UNSPECIFIED.into(),
            _ => Ipv4Addr::UNSPECIFIED.into(),
        };
        bind(&socket, &SocketAddr::new(any, port))?;
        listen(&socket, BACKLOG)?;
        let listener = accept::stream(Door::Tcp, socket)?;
        let place = u64::try_from(self.listeners.len()).map_err(io::Error::other)?;
        if self.paused.is_none() {
            self.poll.watch(&listener, Token::Listener(place))?;
        }
        self.listeners.push(listener);
        Ok(())
    }
}

/// What a denial or the own loopback says stands.
fn is_open(host: &Host, decision: &Decision) -> bool {
    let is_local = match host {
        Host::Name(name) => crate::rules::is_localhost(name),
        Host::Address(addr) => addr.is_loopback() || addr.is_unspecified(),
    };
    !is_local && decision.flag.is_some()
}

fn refused(mut decision: Decision, why: Option<&str>) -> Decision {
    let Some(why) = why else { return decision };
    why.clone_into(&mut decision.rule);
    decision.origin = Origin::Flag("answer".to_owned());
    decision
}
