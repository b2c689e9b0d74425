//! The serving thread: one loop over events, no waiting inside.
//!
//! ```text
//! accept ─┬─ by address ──────────────┐
//!         ├─ proxy: opening ──────────┴─► ask ─► look-up ─► dial ─► relay
//!         └─ DNS: messages                │         │         │
//!                                         └─────────┴─────────┴─► reset, or the proxy's own words
//! ```

mod accept;
mod adopt;
mod appeal;
mod ask;
mod connection;
mod dial;
mod opening;
mod poll;
mod refused;
mod relay;
mod side;

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use rustix::event::epoll::EventFlags;

use crate::budget::{Bucket, Budgets};
use crate::lookup::Lookups;
use crate::remote::{Bell, Order, Post};
use crate::standin::StandIns;
use crate::{Appeal, Failure, Inside, Observer, Reason, Rules, Settings, Sockets};

use accept::Listener;
use adopt::Adoptions;
pub use adopt::{Adopted, Adopter};
use connection::{Connection, Stage};
use poll::{Poll, Token};
use relay::Pipes;

/// What a connection does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Waits for an event or its time.
    Wait,
    /// Has more to do, after others had their turn.
    Again,
    /// Is over in order.
    End,
    /// Is over: both ends get a reset.
    Cut,
}

/// Everything that the thread owns.
pub(crate) struct Engine {
    poll: Poll,
    bell: Arc<Bell>,
    listeners: Vec<Listener>,
    connections: HashMap<u64, Connection>,
    timers: BTreeSet<(Instant, u64)>,
    /// Connections with more to do at once.
    again: Vec<u64>,
    last: u64,
    rules: Rules,
    names: StandIns,
    lookups: Lookups,
    observer: Arc<dyn Observer>,
    appeal: Option<Arc<dyn Appeal>>,
    post: Post,
    orders: Receiver<Order>,
    inside: Option<Box<dyn Inside>>,
    brought: bool,
    budgets: Budgets,
    rate: Bucket,
    patterns: Bucket,
    pipes: Pipes,
    /// Nothing is accepted before this.
    paused: Option<Instant>,
    /// No refusal is heard before this.
    deaf: Option<Instant>,
    hearing: Bucket,
    adoptions: Adoptions,
    now: Instant,
}

impl Engine {
    pub(crate) fn new(
        mut sockets: Sockets,
        rules: Rules,
        observer: Arc<dyn Observer>,
        settings: Settings,
    ) -> io::Result<Self> {
        let inside = sockets.inside.take();
        let (now, poll, bell) = (Instant::now(), Poll::new()?, Arc::new(Bell::new()?));
        let budgets = accept::within_limits(settings.budgets);
        poll.watch(bell.as_ref(), Token::Wake)?;
        let listeners = accept::listeners(sockets)?;
        for (place, listener) in (0..).zip(&listeners) {
            poll.watch(listener, Token::Listener(place))?;
        }
        let (ringer, (post, orders)) = (bell.clone(), Post::new(bell.clone()));
        Ok(Self {
            poll,
            listeners,
            connections: HashMap::new(),
            timers: BTreeSet::new(),
            again: Vec::new(),
            last: 0,
            rules,
            names: StandIns::new(settings.stand_ins, budgets.names),
            lookups: Lookups::new(settings.resolver, settings.fresh, Box::new(move || ringer.ring())),
            observer,
            appeal: settings.appeal,
            post,
            orders,
            inside,
            brought: settings.brought,
            rate: Bucket::new(budgets.burst, budgets.per_second, Duration::from_secs(1), now),
            patterns: Bucket::new(
                budgets.patterns,
                budgets.patterns_per_minute,
                Duration::from_secs(60),
                now,
            ),
            budgets,
            pipes: Pipes::default(),
            paused: None,
            deaf: None,
            hearing: Bucket::new(budgets.refusals, budgets.refusals_per_second, Duration::from_secs(1), now),
            adoptions: Adoptions::new(bell.clone()),
            bell,
            now,
        })
    }

    /// How connections come in that no listener sees.
    pub(crate) fn adopter(&self) -> Adopter {
        self.adoptions.adopter()
    }

    pub(crate) fn bell(&self) -> Arc<Bell> {
        self.bell.clone()
    }

    pub(crate) fn post(&self) -> Post {
        self.post.clone()
    }

    /// Serves until it is told to stop. Whatever ends it, every socket is closed with it: the jar then reaches nothing.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let result = loop {
            match self.turn() {
                Ok(()) if self.bell.is_stopped() => break Ok(()),
                Ok(()) => {}
                Err(error) => break Err(error),
            }
        };
        self.last_refusals();
        for connection in self.connections.values_mut() {
            reset(connection);
        }
        self.connections.clear();
        self.lookups.end();
        result
    }

    /// Waits for events and works on them.
    fn turn(&mut self) -> io::Result<()> {
        let events = self.poll.wait(self.patience())?;
        self.now = Instant::now();
        let mut again = std::mem::take(&mut self.again);
        again.sort_unstable();
        again.dedup();
        for id in again {
            self.advance(id, None);
        }
        for (token, flags) in events {
            match token {
                Token::Wake => {
                    self.answers();
                    self.orders();
                }
                Token::Listener(place) => self.listen(place),
                Token::Jar(id) | Token::Out(id) => self.advance(id, Some((token, flags))),
            }
        }
        self.expire();
        self.resume()?;
        self.hear_again()?;
        self.adopt();
        Ok(())
    }

    /// How long nothing can happen but events.
    fn patience(&self) -> Option<Duration> {
        if !self.again.is_empty() {
            return Some(Duration::ZERO);
        }
        let first = self.timers.first().map(|(due, _)| *due);
        let next = [first, self.paused, self.deaf].into_iter().flatten().min()?;
        // Rounded up: a wait that ends a moment early would be repeated many times.
        Some(next.saturating_duration_since(Instant::now()) + Duration::from_millis(1))
    }

    /// Adds a connection, which is looked at first at `due`.
    fn enter(&mut self, connection: Connection) -> u64 {
        self.last += 1;
        self.timers.insert((connection.due, self.last));
        self.connections.insert(self.last, connection);
        self.last
    }

    /// Works on one connection after an event, or because it had more to do.
    fn advance(&mut self, id: u64, event: Option<(Token, EventFlags)>) {
        self.with(id, |engine, connection| {
            if let Some((token, flags)) = event {
                match (token, &mut connection.stage) {
                    (Token::Jar(_), _) => connection.jar.note(flags),
                    (_, Stage::Relay(relay)) => relay.out().note(flags),
                    _ => {}
                }
            }
            engine.step(id, connection)
        });
    }

    /// Takes a connection out, works on it, and puts it back unless it is over.
    fn with(&mut self, id: u64, work: impl FnOnce(&mut Self, &mut Connection) -> Next) {
        let Some(mut connection) = self.connections.remove(&id) else { return };
        match work(self, &mut connection) {
            Next::Wait => {
                self.connections.insert(id, connection);
            }
            Next::Again => {
                self.connections.insert(id, connection);
                self.again.push(id);
            }
            Next::End => self.leave(id, &connection),
            Next::Cut => {
                reset(&mut connection);
                self.leave(id, &connection);
            }
        }
    }

    /// Forgets what a connection held; it is closed when it is dropped.
    fn leave(&mut self, id: u64, connection: &Connection) {
        self.timers.remove(&(connection.due, id));
        if let Some(addr) = connection.held {
            self.names.release(addr);
        }
        self.make_way();
    }

    fn step(&mut self, id: u64, connection: &mut Connection) -> Next {
        match &mut connection.stage {
            Stage::Idle => Next::End,
            Stage::Dns(_) => self.messages(connection),
            Stage::Packets => self.packets(id, connection),
            Stage::Opening { .. } => self.opening(id, connection),
            Stage::Lookup(_) | Stage::Appeal(..) if connection.jar.is_broken => Next::Cut,
            Stage::Lookup(_) | Stage::Appeal(..) => Next::Wait,
            Stage::Dial(_) => self.dial(id, connection),
            Stage::Relay(relay) => relay.pump(&mut connection.jar, &mut self.pipes, self.now),
            Stage::Farewell { .. } => opening::farewell(connection),
        }
    }

    /// Looks at the connection again at `due`.
    fn wake_at(&mut self, id: u64, connection: &mut Connection, due: Instant) {
        self.timers.remove(&(connection.due, id));
        connection.due = due;
        self.timers.insert((due, id));
    }

    /// Looks at every connection whose time has come.
    fn expire(&mut self) {
        while let Some((_, id)) = self.timers.first().copied().filter(|(due, _)| *due <= self.now) {
            self.timers.pop_first();
            self.with(id, |engine, connection| engine.late(id, connection));
        }
    }

    fn late(&mut self, id: u64, connection: &mut Connection) -> Next {
        match &mut connection.stage {
            Stage::Lookup(ask) => {
                let object = ask.object();
                self.fail(id, connection, (Failure::Late, None), &object)
            }
            Stage::Appeal(_, decision) => {
                let decision = (**decision).clone();
                self.deny(id, connection, Reason::Policy, decision)
            }
            Stage::Dial(_) => self.dial(id, connection),
            Stage::Relay(relay) if relay.is_stale(&connection.jar, self.now) => Next::Cut,
            Stage::Relay(_) => {
                let next = self.now + relay::LOOK;
                self.wake_at(id, connection, next);
                Next::Wait
            }
            Stage::Idle | Stage::Dns(_) | Stage::Packets | Stage::Opening { .. } | Stage::Farewell { .. } => {
                Next::End
            }
        }
    }
}

/// Both ends get a reset when they are closed. Where that cannot be set, they are closed in order.
fn reset(connection: &mut Connection) {
    let jar = connection.jar.cut();
    let out = if let Stage::Relay(relay) = &mut connection.stage { relay.out().cut() } else { Ok(()) };
    drop((jar, out));
}
