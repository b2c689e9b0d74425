//! The broker of one jar: what it decides by, whom it tells, as whom it acts.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use belljar_net::Remote;
use belljar_policy::{Access, Policy, UnixService, UnixSocket, fs_decision, fs_flag};

use super::fence::{Fence, behind};
use super::network::Beyond;
use crate::ask::{AskJudge, Desk, HostAsker};
use crate::broker::Hearing;
use crate::broker::{self, Broker, Connections, Elsewhere, Judge, Place, Rule, Setup, Table, View, Wanted};
use crate::command::Wrap;
use crate::error::StartError;
use crate::event::{self, Event, Events};
use crate::plan::{Plan, Step};
use crate::prepare::{Prepared, Seen};
use crate::spawn::supervisor;

/// Who decides or is told beside the policy.
pub(super) struct Judges {
    /// The caller's judge.
    pub(super) wrap: Option<Wrap>,
    /// The user, who is asked.
    pub(super) desk: Option<Arc<Desk>>,
    /// The jar's network, where the user is asked about hosts.
    pub(super) network: Option<Remote>,
    /// What the jar lacks is kept for the report.
    pub(super) explains: bool,
    /// Hears what the filter refuses.
    pub(super) hearing: Option<Arc<Hearing>>,
    /// The user's home folder, which no rule may name.
    pub(super) home: Option<PathBuf>,
}

/// What the broker finds.
pub(super) struct Surroundings<'a> {
    pub(super) plan: &'a Plan,
    pub(super) prepared: &'a Prepared<'a>,
    pub(super) policy: &'a Policy,
    /// Who connects for the jar.
    pub(super) beyond: Option<Beyond>,
}

/// Starts answering for a jar whose plan asks for it.
pub(super) fn start(
    listener: Option<OwnedFd>,
    Surroundings { plan, prepared, policy, beyond }: Surroundings<'_>,
    Judges { wrap, desk, network, explains, hearing, home }: Judges,
    events: &Arc<Events>,
    fence: Option<&Fence<'_>>,
) -> Result<Option<Broker>, StartError> {
    let Some(listener) = listener else { return Ok(None) };
    let host_tree = plan.engine.is_host_tree();
    let elsewhere = if host_tree { Elsewhere::HostTree } else { Elsewhere::OwnRoot };
    let mut places: Vec<Place> = prepared.seen.iter().map(|seen| place(policy, seen)).collect();
    places.extend(beyond.iter().flat_map(Beyond::services).map(|path| service(policy, path)));
    places.extend(beyond.iter().filter_map(Beyond::log).map(|path| log(policy, path)));
    let table: Arc<dyn Judge> = Arc::new(Table::new(places, elsewhere));
    let direct =
        |network| Arc::new(host_asker(desk.as_ref(), events).direct(network)) as Arc<dyn Connections>;
    let connections = network.map(direct);
    let asked =
        |desk| AskJudge::new(Arc::clone(&table), desk, policy.clone(), Arc::clone(events) as _, !host_tree);
    let table = desk.map_or_else(|| Arc::clone(&table), |desk| Arc::new(asked(desk)) as Arc<dyn Judge>);
    let judge = wrap.map_or_else(|| Arc::clone(&table), |wrap| wrap.0(Arc::clone(&table)));
    let told = Arc::new(Told { events: Arc::clone(events), policy: policy.clone(), home });
    let judge = match explains {
        true => Arc::new(Explaining { judge, told: Arc::clone(&told) }),
        false => judge,
    };
    let outside = beyond.map(|beyond| Arc::new(beyond) as Arc<dyn broker::Outside>);
    let (observer, user) = (Some(told as Arc<_>), user(plan));
    let setup = Setup { listener, judge, observer, connections, hearing, host_tree, outside, user };
    let started = behind(fence, move || broker::start(setup))?;
    started.map(Some).map_err(|source| supervisor("starting the broker", source))
}

/// Asks about hosts.
pub(super) fn host_asker(desk: Option<&Arc<Desk>>, events: &Arc<Events>) -> HostAsker {
    HostAsker::new(desk.cloned(), Arc::clone(events) as _)
}

fn place(policy: &Policy, seen: &Seen) -> Place {
    let decision = fs_decision(policy, &seen.path);
    let rule = Rule { text: decision.rule.into(), origin: decision.origin.to_string().into() };
    // Whoever waits at a socket of the host would take the supervisor, who connects, for its peer: not the jar's user, and a
    // process outside of any jar. So only listed ones are reached, whatever the filter lets through.
    Place { path: seen.path.clone(), access: seen.access, peers: seen.memory, rule }
}

/// A listed service, at its own path.
fn service(policy: &Policy, path: &Path) -> Place {
    let same = |socket: &&UnixSocket| matches!(&socket.service, UnixService::Path(of) if of == path);
    let socket = policy.net.sockets.iter().find(same).or(policy.net.sockets.first());
    let origin = socket.map_or_else(String::new, |socket| socket.origin.to_string());
    let rule = Rule { text: "net.sockets".into(), origin: origin.into() };
    Place { path: path.to_path_buf(), access: Access::ReadNoexec, peers: true, rule }
}

/// What is at that path on the host is no part of it.
fn log(policy: &Policy, path: &Path) -> Place {
    let origin = policy.services.iter().find(|rule| rule.service == belljar_policy::Service::Log);
    let origin = origin.map_or_else(String::new, |rule| rule.origin.to_string());
    let rule = Rule { text: "services log".into(), origin: origin.into() };
    Place { path: path.to_path_buf(), access: Access::Hide, peers: true, rule }
}

/// Whom the jar runs as, where root starts it.
fn user(plan: &Plan) -> Option<(u32, u32)> {
    plan.init.iter().find_map(|step| match step {
        Step::BecomeUser { uid, gid } => Some((*uid, *gid)),
        _ => None,
    })
}

/// Keeps refusals for the report.
struct Told {
    events: Arc<Events>,
    policy: Policy,
    home: Option<PathBuf>,
}

impl Told {
    fn note(&self, request: &broker::Request<'_>, path: &Path, rule: &str, origin: &str) {
        let event = Event::new(event::Verdict::Denied, request.call, path.as_os_str())
            .access(access(request.wanted))
            .by(request.pid)
            .rule(rule, origin);
        self.events.refusal(event, |event| match self.flag(request.wanted, path) {
            Some(flag) => event.flag(&flag),
            None => event,
        });
    }

    /// The flag names what exists: a rule for a file that is yet to be made is none. No rule names the home folder: there it is
    /// what is to be made, which the user makes first.
    fn flag(&self, wanted: Wanted, path: &Path) -> Option<String> {
        if wanted == Wanted::Connect {
            return Some(format!("--socket {}", belljar_policy::printable(path.as_os_str())));
        }
        let access = if wanted.writes() { Access::Write } else { Access::Read };
        let there = path.ancestors().find(|path| is_there(path))?;
        let spot = match self.home.as_deref() {
            Some(home) if home == there => path.ancestors().take_while(|path| *path != there).last()?,
            _ => there,
        };
        fs_flag(&self.policy, spot, access)
    }

    /// Something of the host that the jar lacks, because no rule names it or the jar has a `/tmp` of its own.
    fn note_absent(&self, request: &broker::Request<'_>, path: &Path) {
        let decision = fs_decision(&self.policy, path);
        let lacks = !decision.allowed || path.starts_with("/tmp");
        let makes = request.wanted == Wanted::Write && path.parent().is_some_and(is_there);
        if lacks && (makes || is_there(path)) {
            self.note(request, path, &decision.rule, &decision.origin.to_string());
        }
    }
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Where nothing is, nothing is lacking: without a jar it would have failed in the same way.
fn only_looks(wanted: Wanted) -> bool {
    matches!(wanted, Wanted::Look | Wanted::Read | Wanted::Execute)
}

impl broker::Observer for Told {
    fn saw(&self, request: &broker::Request<'_>, verdict: &broker::Verdict) {
        if let (false, Some(path)) = (verdict.granted(), request.path())
            && (!only_looks(request.wanted) || is_there(path))
        {
            self.note(request, path, &verdict.rule().text, &verdict.rule().origin);
        }
    }

    fn unnamed(&self, call: &'static str, pid: u32) {
        let event = Event::new(event::Verdict::Denied, call, "AF_UNIX".as_ref()).access(event::Access::Call);
        let event = event.by(pid).rule("no unix sockets but connected ones and pairs", "default");
        self.events.refusal(event, |event| event.flag("--allow-syscall @socket-unix"));
    }

    fn late(&self, late: &broker::Late<'_>) {
        let who = if late.judging { "whoever decides" } else { "the file system" };
        let rule = match late.limit.as_secs() {
            0 => "every thread of the broker is held up".to_owned(),
            seconds => format!("{who} has to answer within {seconds} s"),
        };
        let event = Event::new(event::Verdict::Denied, late.call, late.path.as_os_str()).by(late.pid);
        self.events.refusal(event.rule(&rule, "default"), |event| event);
    }
}

/// Decides as another judge does, and notes what the jar looks for in vain.
struct Explaining {
    judge: Arc<dyn Judge>,
    told: Arc<Told>,
}

impl Judge for Explaining {
    fn judge(&self, request: &broker::Request<'_>) -> broker::Verdict {
        if let (View::Host, Some(path)) = (request.view, request.path()) {
            self.told.note_absent(request, path);
        }
        self.judge.judge(request)
    }

    fn opens_host(&self) -> bool {
        self.judge.opens_host()
    }

    fn reaches_host(&self) -> bool {
        true
    }

    fn patience(&self) -> std::time::Duration {
        self.judge.patience()
    }
}

fn access(wanted: Wanted) -> event::Access {
    match wanted {
        Wanted::Look => event::Access::Look,
        Wanted::Read => event::Access::Read,
        Wanted::Execute => event::Access::Execute,
        Wanted::Write | Wanted::Unnamed => event::Access::Write,
        Wanted::Connect => event::Access::Connect,
    }
}
