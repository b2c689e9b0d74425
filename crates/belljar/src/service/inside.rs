//! The process of a service: gets ready, seals itself off, answers each client in a thread of its own, ends with the last one.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use belljar_sys::abi::SockFilter;
use belljar_sys::call;
use serde::{Deserialize, Serialize};

use super::budget::Budget;
#[cfg(test)]
use super::kind::Call;
use super::kind::sealed::Kind;
use super::limit::Limit;
use super::message::{MOST_REQUEST, Refusal, Reply, Request};
use super::{dns, files, log, net, random, time, users};
use crate::worker::Bytes;
use crate::worker::channel::{Break, Deadline, Inbox, Outgoing, pair, send};
use crate::worker::code::{decode, encode};
use crate::worker::frame::Kind as Message;
use crate::worker::seal::{Instructions, Limits};

/// Name under which the process of a service gets its first client.
pub(super) const SOCKET: &str = "belljar_service";

/// Exit status of a process that could not get ready.
const UNREADY: i32 = 125;
/// Private memory of a service in bytes.
const MEMORY: u64 = 96 << 20;
/// Descriptors of a service at once.
const DESCRIPTORS: u32 = 512;
/// Longest set-up in bytes.
const MOST_SETUP: usize = 4 << 20;
/// Most clients at once.
const MOST_CLIENTS: usize = 128;
/// Most clients at once that are split off, one from the other, from one that the program split off.
const MOST_FAMILY: usize = 8;
/// How long a client may let a reply wait.
const PATIENCE: Duration = Duration::from_secs(5);
/// Stack of a client's thread in bytes.
const STACK: usize = 256 << 10;

/// What the program tells the process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Setup {
    pub(super) name: String,
    pub(super) filter: Instructions,
    /// The limit of the first client, and what the service is told.
    pub(super) body: Bytes,
}

/// Why the process is not ready.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Unready {
    pub(super) step: String,
    pub(super) errno: i32,
}

/// What is done in the place of a service, which is told its name.
type Act = fn(&str) -> String;

/// One service, as its process knows it.
struct Row {
    name: &'static str,
    /// The calls that are left to it.
    #[cfg(test)]
    calls: &'static [Call],
    /// Its life.
    run: fn(OwnedFd, &Setup) -> i32,
    /// Its life up to the seal, then an act of somebody else.
    taken_over: fn(&Setup, Act) -> Unready,
    /// Reads bytes as one of its requests.
    exercise: fn(&[u8]),
}

const TABLE: &[Row] = &[
    row::<users::Accounts>(),
    row::<time::Zones>(),
    row::<files::Arguments>(),
    row::<log::Lines>(),
    row::<random::Numbers>(),
    row::<dns::Addresses>(),
    row::<net::Connections>(),
];

const fn row<K: Kind>() -> Row {
    Row {
        name: K::NAME,
        #[cfg(test)]
        calls: K::CALLS,
        run: run::<K>,
        taken_over: taken_over_as::<K>,
        exercise: exercise_as::<K>,
    }
}

fn row_of(setup: &Setup) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == setup.name)
}

#[cfg(test)]
pub(super) fn tables() -> impl Iterator<Item = (&'static str, &'static [Call])> {
    TABLE.iter().map(|row| (row.name, row.calls))
}

/// Becomes the process of a service, if this program was started for that; returns at once otherwise.
pub(crate) fn serve() {
    if crate::command::is_passed(SOCKET) {
        call::exit(crate::passed(SOCKET).map_or(UNREADY, become_service));
    }
}

fn become_service(channel: OwnedFd) -> i32 {
    let Some(setup) = hear_setup(&channel) else { return UNREADY };
    row_of(&setup).map_or(UNREADY, |row| (row.run)(channel, &setup))
}

fn hear_setup(channel: &OwnedFd) -> Option<Setup> {
    let mut inbox = Inbox::new(MOST_SETUP);
    let frame = inbox.next(channel.as_fd(), Deadline::NEVER).ok()?;
    (frame.kind == Message::Setup).then(|| decode(&frame.body, frame.descriptors).ok()).flatten()
}

fn run<K: Kind>(channel: OwnedFd, setup: &Setup) -> i32 {
    match ready::<K>(setup) {
        Ok((desk, limit)) => live(channel, desk, limit),
        Err(why) => {
            // Nobody is left to hear that this did not arrive either.
            drop(say(&channel, Message::Failed, 0, &why));
            UNREADY
        }
    }
}

fn ready<K: Kind>(setup: &Setup) -> Result<(Arc<Desk<K>>, K::Limit), Unready> {
    let step = |step: &str, errno: i32| Unready { step: step.to_owned(), errno };
    let (limit, config) =
        decode(&setup.body.0, Vec::new()).map_err(|_| step("reading what it is told", 0))?;
    let state = K::ready(config)
        .map_err(|error| step("reading what it looks up", error.raw_os_error().unwrap_or_default()))?;
    let own = Limits { descriptors: DESCRIPTORS, ..Limits::memory(MEMORY) };
    for (resource, value) in own.rows() {
        call::set_rlimit(resource, value, value).map_err(|errno| step("limiting itself", errno.0))?;
    }
    let filter: Vec<_> =
        setup.filter.iter().map(|&(code, jt, jf, k)| SockFilter { code, jt, jf, k }).collect();
    call::seccomp(&filter).map_err(|errno| step("loading the filter", errno.0))?;
    Ok((Arc::new(Desk { state, living: Mutex::new(0), fewer: Condvar::new() }), limit))
}

/// Answers the first client, then waits until there is none.
fn live<K: Kind>(channel: OwnedFd, desk: Arc<Desk<K>>, limit: K::Limit) -> i32 {
    if say(&channel, Message::Sealed, 0, &()).is_err() {
        return UNREADY;
    }
    let Ok(budget) = Budget::within(None, limit.amount()) else { return UNREADY };
    let Some(place) = Place::take(&desk, None) else { return UNREADY };
    Client { channel, limit, budget, place, family: None }.serve();
    let mut living = desk.living();
    while *living > 0 {
        living = desk.fewer.wait(living).unwrap_or_else(PoisonError::into_inner);
    }
    0
}

/// What all clients share.
struct Desk<K: Kind> {
    state: K::State,
    living: Mutex<usize>,
    fewer: Condvar,
}

impl<K: Kind> Desk<K> {
    fn living(&self) -> MutexGuard<'_, usize> {
        self.living.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Clients that were split off, one from the other, from one that the program split off: none of them takes the places of others.
type Family = Arc<Mutex<usize>>;

/// A client's place among those that live.
struct Place<K: Kind> {
    desk: Arc<Desk<K>>,
    family: Option<Family>,
}

impl<K: Kind> Place<K> {
    fn take(desk: &Arc<Desk<K>>, family: Option<Family>) -> Option<Self> {
        let (mut living, mut kin) = (desk.living(), family.as_ref().map(count));
        if *living >= MOST_CLIENTS || kin.as_ref().is_some_and(|kin| **kin >= MOST_FAMILY) {
            return None;
        }
        *living += 1;
        kin.iter_mut().for_each(|kin| **kin += 1);
        drop((living, kin));
        Some(Self { desk: Arc::clone(desk), family })
    }
}

fn count(family: &Family) -> MutexGuard<'_, usize> {
    family.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Kind> Drop for Place<K> {
    fn drop(&mut self) {
        let mut living = self.desk.living();
        *living = living.saturating_sub(1);
        if let Some(family) = &self.family {
            let mut kin = count(family);
            *kin = kin.saturating_sub(1);
        }
        self.desk.fewer.notify_all();
    }
}

/// One client, as the service sees it.
struct Client<K: Kind> {
    channel: OwnedFd,
    limit: K::Limit,
    budget: Option<Arc<Budget>>,
    place: Place<K>,
    /// Of those that are split off from this one; none = each founds its own.
    family: Option<Family>,
}

impl<K: Kind> Client<K> {
    /// Answers until the client hangs up. What is no request is a reason to hang up.
    fn serve(mut self) {
        let mut inbox = Inbox::new(MOST_REQUEST);
        while let Some((number, request)) = next::<K>(&mut inbox, &self.channel) {
            let reply = self.answer(request).unwrap_or_else(Reply::Refused);
            if say(&self.channel, Message::Answer, number, &reply).is_err() {
                return;
            }
        }
    }

    fn answer(&mut self, request: Request<K::Ask, K::Limit>) -> Result<Reply<K::Told>, Refusal> {
        match request {
            Request::Ask(ask) => {
                if self.budget.as_ref().is_some_and(|budget| !budget.take(K::cost(&ask))) {
                    return Err(Refusal::Spent);
                }
                K::answer(&self.place.desk.state, &self.limit, ask).map(Reply::Told)
            }
            Request::Limit(limit) => self.narrow(limit).map(|()| Reply::Limited),
            Request::Split => self.split().map(|channel| Reply::Split(channel.into())),
        }
    }

    fn narrow(&mut self, limit: K::Limit) -> Result<(), Refusal> {
        if let Some(wider) = limit.beyond(&self.limit) {
            return Err(Refusal::Wider(wider.chars().take(200).collect()));
        }
        let within = Budget::within(self.budget.clone(), limit.amount());
        self.budget = within.map_err(|_| Refusal::TooMany)?;
        self.limit = limit;
        Ok(())
    }

    fn split(&self) -> Result<OwnedFd, Refusal> {
        let family = self.family.clone().unwrap_or_default();
        let place = Place::take(&self.place.desk, Some(Arc::clone(&family))).ok_or(Refusal::TooMany)?;
        let (channel, theirs) = pair()?;
        let (limit, budget, family) = (self.limit.clone(), self.budget.clone(), Some(family));
        let client = Self { channel, limit, budget, place, family };
        let thread = std::thread::Builder::new().stack_size(STACK);
        thread.spawn(move || client.serve())?;
        Ok(theirs)
    }
}

type Next<K> = (u64, Request<<K as Kind>::Ask, <K as Kind>::Limit>);

fn next<K: Kind>(inbox: &mut Inbox, channel: &OwnedFd) -> Option<Next<K>> {
    let frame = inbox.next(channel.as_fd(), Deadline::NEVER).ok()?;
    let number = frame.number;
    let request = || decode(&frame.body, frame.descriptors).ok();
    (frame.kind == Message::Call).then(request).flatten().map(|request| (number, request))
}

fn say<T: Serialize>(to: &OwnedFd, kind: Message, number: u64, value: &T) -> Result<(), Break> {
    let unsendable = |error| Break::System(std::io::Error::other(error));
    let (body, descriptors) = encode(value).map_err(unsendable)?;
    let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
    let message = Outgoing { kind, number, body: &body, descriptors: &descriptors };
    send(to.as_fd(), &message, Deadline::after(PATIENCE))
}

/// The same, but sealed off it does `act`, which gets the service's name, and tells the program what that says in place of being
/// ready.
pub(super) fn taken_over(act: Act) {
    let Some(channel) = crate::passed(SOCKET) else { return };
    let Some(setup) = hear_setup(&channel) else { call::exit(UNREADY) };
    let Some(row) = row_of(&setup) else { call::exit(UNREADY) };
    drop(say(&channel, Message::Failed, 0, &(row.taken_over)(&setup, act)));
    call::exit(UNREADY)
}

fn taken_over_as<K: Kind>(setup: &Setup, act: Act) -> Unready {
    match ready::<K>(setup) {
        Ok(_) => Unready { step: act(K::NAME), errno: 0 },
        Err(why) => why,
    }
}

/// What hostile bytes become, for each service: for those who test its readers.
pub(super) fn exercise(bytes: &[u8]) {
    TABLE.iter().for_each(|row| (row.exercise)(bytes));
}

fn exercise_as<K: Kind>(bytes: &[u8]) {
    let Ok(request) = decode::<Request<K::Ask, K::Limit>>(bytes, Vec::new()) else { return };
    // Whatever is read can be written, and read again.
    let again = encode(&request).map(|(bytes, _)| bytes).unwrap_or_default();
    assert!(decode::<Request<K::Ask, K::Limit>>(&again, Vec::new()).is_ok(), "{}", K::NAME);
}
