//! From what the supervisor saw to the report.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::StartError;
use crate::error::hints;
use crate::event::{self, Access, Event, Events, Observer as _};
use crate::limits::Group;
use crate::plan::{ALONE, Engine, PROMISED, Place, Placed, Plan, Step};
use crate::prepare::program::candidates;
use crate::probe::HostFacts;
use crate::report::{LimitHeld, LimitKind, Report, Usage, Verdict};
use crate::service::syslog::Tally;
use crate::supervise::Outcome;

use super::{Running, ended, passed};

const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;
const SIGXFSZ: i32 = 25;
const SIGSYS: i32 = 31;

pub(super) fn report(running: &Running, outcome: &Outcome) -> Report {
    let broken = running.vows.reason();
    let verdict = match verdict(running, outcome) {
        // A process that handles SIGSYS was ended by SIGKILL.
        Verdict::Signaled { signal: SIGKILL } if broken.is_some() => Verdict::Violation,
        verdict => verdict,
    };
    let mut report = Report::new(verdict);
    let unnamed = unnamed(running, verdict).filter(|_| broken.is_none());
    report.reason = match (broken, &unnamed) {
        (Some(broken), _) if verdict == Verdict::Violation => broken,
        (None, Some(_)) => UNNAMED.to_owned(),
        _ => reason(verdict, outcome),
    };
    report.hint = match verdict {
        Verdict::Violation if report.reason != VIOLATION => String::new(),
        verdict => hint(verdict, running),
    };
    unnamed.into_iter().for_each(|event| running.events.event(event));
    report.enforced = running.plan.held(&running.void);
    report.usage = usage(running, outcome);
    report.limits = held(running, verdict);
    if let Some(event) = unrouted(&running.plan, outcome) {
        running.events.event(event);
    }
    report.take(running.events.collected());
    report.forwarded.clone_from(&outcome.forwarded);
    report
}

/// Why a program ended by the filter where it broke no promise.
const VIOLATION: &str = "the system call filter ended the program";

/// Why a program ended that broke a promise of which nobody is told the call.
const UNNAMED: &str = "the program made a call that is not promised; which one it was nobody is told here";

/// The end by the filter where it names no call: a process can have one listener, and the broker has it, or the kernel knows none.
fn unnamed(running: &Running, verdict: Verdict) -> Option<Event> {
    let plan = running.plan.promises.as_ref().filter(|_| verdict == Verdict::Violation)?;
    let rule = format!("{PROMISED}{}", plan.words);
    let held = running.plan.enforced.iter().find(|held| held.rule == rule).filter(|_| !plan.tells)?;
    let event = Event::new(event::Verdict::Denied, "a call", OsStr::new(""));
    Some(event.rule(&format!("{rule}{NAMED_WITHOUT}"), &held.origin))
}

/// How it is named.
const NAMED_WITHOUT: &str =
    ": a run without --ask, --trace, --explain, --socket and rules inside grants names the call";

/// What a program wanted to reach beyond a network that has nothing but a loopback: the kernel counts it, and names nobody.
fn unrouted(plan: &Plan, outcome: &Outcome) -> Option<Event> {
    // One of them is the self-probe's.
    let count = outcome.ended?.unrouted.saturating_sub(1);
    let held = plan.enforced.iter().find(|held| held.rule == ALONE).filter(|_| count > 0)?;
    let event = Event::new(event::Verdict::Denied, "connect", OsStr::new("other hosts"));
    let rule = format!("{ALONE}: --net HOST:PORT grants a host, belljar learn names those that are wanted");
    Some(Event { count, ..event.access(Access::Connect).rule(&rule, &held.origin) })
}

/// What is not in the log that was said to it.
pub(super) fn logged(tally: &Tally, events: &Events) {
    let rows = [
        (tally.hurried, "no more lines of log at once than a reader keeps up with"),
        (tally.spent, "no more of the log than the policy says"),
        (tally.lost, "the place of the log did not take it"),
    ];
    for (count, rule) in rows.into_iter().filter(|(count, _)| *count > 0) {
        let event = Event::new(event::Verdict::Denied, "log", OsStr::new("lines of the log"));
        events.event(Event { count, ..event.access(Access::Write).rule(rule, "default") });
    }
    if let Some(moved) = &tally.moved {
        let event = Event::new(event::Verdict::Denied, "log", OsStr::new("the log"));
        events.event(event.access(Access::Write).rule(moved, "default"));
    }
}

/// The first thing that ended the run.
fn verdict(running: &Running, outcome: &Outcome) -> Verdict {
    match (outcome.limit, outcome.ended) {
        (Some(LimitKind::Wall), _) => Verdict::TimedOut,
        (Some(limit), _) => Verdict::LimitHit { limit },
        (None, Some(ended)) => of_status(running, ended.status, cpu_time(outcome)),
        // Init was killed from outside: by a control group, or by somebody with power over it.
        (None, None) if group_hit(running.group.as_ref(), LimitKind::Memory) => {
            Verdict::LimitHit { limit: LimitKind::Memory }
        }
        (None, None) => Verdict::Signaled { signal: SIGKILL },
    }
}

fn of_status(running: &Running, status: i32, used: Duration) -> Verdict {
    let signal = status & 0x7F;
    if signal == 0 {
        return Verdict::Exited { code: u8::try_from((status >> 8) & 0xFF).unwrap_or(u8::MAX) };
    }
    let limits = &running.limits;
    let cpu = limits.cpu.as_ref().is_some_and(|limit| used >= limit.value);
    match signal {
        SIGSYS => Verdict::Violation,
        SIGXCPU if limits.cpu.is_some() => Verdict::LimitHit { limit: LimitKind::Cpu },
        SIGXFSZ if limits.fsize.is_some() => Verdict::LimitHit { limit: LimitKind::Fsize },
        SIGKILL if group_hit(running.group.as_ref(), LimitKind::Memory) => {
            Verdict::LimitHit { limit: LimitKind::Memory }
        }
        SIGKILL if cpu => Verdict::LimitHit { limit: LimitKind::Cpu },
        signal => Verdict::Signaled { signal },
    }
}

fn group_hit(group: Option<&Group>, limit: LimitKind) -> bool {
    group.is_some_and(|group| group.hits().any(|hit| hit == limit))
}

fn cpu_time(outcome: &Outcome) -> Duration {
    outcome
        .ended
        .map_or(Duration::ZERO, |ended| Duration::from_micros(ended.user_us.saturating_add(ended.system_us)))
}

fn reason(verdict: Verdict, outcome: &Outcome) -> String {
    match verdict {
        Verdict::TimedOut => "the time limit was reached".to_owned(),
        Verdict::LimitHit { limit } => format!("the {} limit was reached", limit.word()),
        Verdict::Violation => VIOLATION.to_owned(),
        Verdict::Signaled { signal } if outcome.ended.is_none() => {
            format!("the jar was ended from outside ({})", ended::signal(signal))
        }
        Verdict::Signaled { signal } => format!("{} ended the program", ended::signal(signal)),
        _ => String::new(),
    }
}

fn hint(verdict: Verdict, running: &Running) -> String {
    match verdict {
        Verdict::TimedOut => ended::about_limit(&running.limits, LimitKind::Wall),
        Verdict::LimitHit { limit } => ended::about_limit(&running.limits, limit),
        Verdict::Violation => ended::about_violation(running.otherwise).to_owned(),
        Verdict::Signaled { signal: SIGKILL } => ended::KILLED.to_owned(),
        _ => String::new(),
    }
}

fn usage(running: &Running, outcome: &Outcome) -> Usage {
    let counted = running.group.as_ref().map(Group::usage).unwrap_or_default();
    let ended = outcome.ended;
    let told = ended.map(|ended| [ended.user_us, ended.system_us].map(Duration::from_micros));
    let [user, system] = told.or(outcome.spent).unwrap_or_default();
    let peak = ended.map_or(0, |ended| ended.max_rss_kib.saturating_mul(1024));
    Usage {
        wall: running.started.at.elapsed(),
        user: counted.user.unwrap_or(user),
        system: counted.system.unwrap_or(system),
        peak_memory: counted.peak_memory.unwrap_or(0).max(peak).max(outcome.peak),
    }
}

/// Which mechanism held each limit of the policy.
fn held(running: &Running, verdict: Verdict) -> Vec<LimitHeld> {
    let limits = &running.limits;
    let bytes = |limit: &Option<belljar_policy::Setting<belljar_policy::Bytes>>| {
        limit.as_ref().map(|limit| format!("{} bytes", limit.value.0))
    };
    let count =
        |limit: &Option<belljar_policy::Setting<u32>>| limit.as_ref().map(|limit| limit.value.to_string());
    let time = |limit: &Option<belljar_policy::Setting<Duration>>| {
        limit.as_ref().map(|limit| format!("{:?}", limit.value))
    };
    let rows = [
        (LimitKind::Wall, time(&limits.wall), "the supervisor's clock"),
        (
            LimitKind::Cpu,
            time(&limits.cpu),
            "the supervisor's watch of the tree and RLIMIT_CPU of each process",
        ),
        (LimitKind::Memory, bytes(&limits.memory), "the supervisor's watch and RLIMIT_DATA of each process"),
        (LimitKind::Pids, count(&limits.pids), by_namespace(running.plan.engine)),
        (LimitKind::Files, count(&limits.files), "RLIMIT_NOFILE of each process"),
        (LimitKind::Fsize, bytes(&limits.fsize), "RLIMIT_FSIZE of each process"),
        (LimitKind::Data, bytes(&limits.data), "RLIMIT_DATA of each process"),
        (LimitKind::Output, bytes(&limits.output), "the supervisor's pipes and terminal"),
        (LimitKind::Tmp, own_tmp(&running.plan), "size of its file system in memory"),
    ];
    let groups = running.group.as_ref().map(Group::held).unwrap_or_default();
    rows.into_iter()
        .filter_map(|(limit, value, by)| {
            let group = groups.iter().find(|held| held.limit == limit);
            let by = group.map_or(by, |held| held.by).to_owned();
            let hit = group.is_some_and(|held| held.hit) || hit_by(verdict, limit);
            Some(LimitHeld { limit, value: value?, by, hit })
        })
        .collect()
}

fn by_namespace(engine: Engine) -> &'static str {
    match engine {
        Engine::Namespaces => "RLIMIT_NPROC of the jar's user namespace",
        Engine::Landlock | Engine::Broker => "nothing, as --allow-weaker pids permits",
    }
}

/// Size of the jar's own `/tmp`.
fn own_tmp(plan: &Plan) -> Option<String> {
    plan.init.iter().find_map(|step| match step {
        Step::Place(Place { what: Placed::Tmpfs(size), .. }) if plan.engine == Engine::Namespaces => {
            Some(format!("{size} bytes"))
        }
        _ => None,
    })
}

fn hit_by(verdict: Verdict, limit: LimitKind) -> bool {
    match verdict {
        Verdict::TimedOut => limit == LimitKind::Wall,
        Verdict::LimitHit { limit: hit } => limit == hit,
        _ => false,
    }
}

impl Report {
    /// The report of a run that did not start.
    #[must_use]
    pub fn failed(error: &StartError, facts: &HostFacts) -> Self {
        let verdict = match error {
            StartError::NotFound { .. } => Verdict::NotFound,
            StartError::NotRunnable { .. }
            | StartError::NoInterpreter { .. }
            | StartError::Program32 { .. } => Verdict::NotRunnable,
            StartError::Supervisor { .. } => Verdict::Internal,
            _ => Verdict::SetupFailed,
        };
        let mut report = Self::new(verdict);
        report.reason = error.to_string();
        report.hint = error.hint(facts);
        report
    }
}

/// What helps where a program was found and cannot be run.
fn about_program(program: &str, source: &io::Error) -> &'static str {
    const NO_FORMAT: i32 = 8;
    match source.kind() {
        _ if source.raw_os_error() == Some(NO_FORMAT) => {
            "a script needs a first line such as #!/bin/sh, a program has to be built for x86_64"
        }
        io::ErrorKind::PermissionDenied if Path::new(program).is_dir() => "it is a folder: name a program",
        io::ErrorKind::PermissionDenied => {
            "it must be executable, and granted with -r or -w: --read-noexec and /etc forbid execution"
        }
        _ => "",
    }
}

/// Where a program is outside the jar: at the path that it was named by, or in the caller's search path.
fn outside(program: &str) -> Option<PathBuf> {
    let there = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|file| !file.is_dir());
    match program.as_bytes() {
        // Without the dot of `./program`.
        [b'/', ..] => Some(Path::new(program).components().collect()).filter(there),
        name if name.contains(&b'/') => None,
        _ => {
            let search = std::env::var_os("PATH")?;
            candidates(OsStr::new(program), &search, Path::new("/")).into_iter().find(there)
        }
    }
}

/// What helps where a program was not found.
fn about_absence(program: &str) -> String {
    match outside(program).map(|path| crate::error::shown(&path)) {
        Some(path) if program.starts_with('/') => {
            format!("it is there outside the jar: grant it with -r {path}")
        }
        Some(path) => format!("outside the jar it is {path}: grant that with -r, and name it by that path"),
        None => "the search path is the jar's PATH; grant the program's folder with -r".to_owned(),
    }
}

/// What helps where a path of the policy could not be looked up.
fn about_path(path: &Path, source: &io::Error) -> String {
    const NO_SUCH_CALL: i32 = 38;
    let name = crate::error::shown(path);
    match source.kind() {
        _ if source.raw_os_error() == Some(NO_SUCH_CALL) => {
            "a filter around belljar refuses openat2, which looks paths up: start it outside of that sandbox"
                .to_owned()
        }
        io::ErrorKind::NotFound => format!("create it first or, if it may be absent, write \"?{name}\""),
        _ => format!("look at it outside the jar: ls -ld {name}"),
    }
}

/// The table's words for a step that failed.
fn looked_up(step: &str, source: &io::Error, facts: &HostFacts) -> String {
    let row = hints::lookup(step, source.raw_os_error().unwrap_or(0), facts);
    row.map(|hint| [hint.say, hint.fix].join(". ").trim_end_matches(". ").to_owned()).unwrap_or_default()
}

impl StartError {
    /// What the user can do about it, on this host; empty when nothing.
    ///
    /// ```no_run
    /// # let mut command = belljar::Command::new("true");
    /// if let Err(error) = command.spawn() {
    ///     eprintln!("{error}\n{}", error.hint(&belljar::probe::probe()));
    /// }
    /// ```
    #[must_use]
    pub fn hint(&self, facts: &HostFacts) -> String {
        match self {
            StartError::Plan(plan) => plan.hint(),
            StartError::Ask { source } => source.hint().to_owned(),
            StartError::Log { remedy, .. } => (*remedy).to_owned(),
            StartError::Step { step, source, .. } => looked_up(step, source, facts),
            StartError::Supervisor { source, .. } => looked_up("supervisor", source, facts),
            StartError::NotConfined => looked_up("self-probe", &io::Error::other(""), facts),
            StartError::TooMany(_) => "grant a folder above them instead".to_owned(),
            StartError::Limit(_) => "belljar doctor tells which control group there is for limits".to_owned(),
            StartError::Path { origin, .. } if origin.starts_with("--root") => {
                "name a folder that is there".to_owned()
            }
            // What is wrong in general is not wrong with the path.
            StartError::Path { path, source, .. } => match looked_up(hints::ANY_STEP, source, facts) {
                general if general.is_empty() => about_path(path, source),
                general => general,
            },
            StartError::Dangerous { path, .. } => {
                format!(
                    "if that is meant, name what {} leads to, with --dangerously-grant",
                    crate::error::shown(path)
                )
            }
            StartError::Planted { to, .. } => {
                format!("if that is meant, name what it leads to: {}", crate::error::shown(to))
            }
            StartError::NoMountPoint { at, .. } => {
                format!("create {} on the host first: belljar never does", crate::error::shown(at))
            }
            StartError::PortOfHost { .. } => {
                "choose another port of the host: --publish PORT:HOSTPORT".to_owned()
            }
            StartError::PortInUse { .. } => {
                "let the jar's server wait at another port: --publish PORT:HOSTPORT".to_owned()
            }
            StartError::NotAFolder { .. } => "name the folder that holds it".to_owned(),
            StartError::NoInterpreter { interpreter, .. } => {
                format!("grant it with -r {interpreter}, if it exists")
            }
            StartError::Program32 { .. } => "build it for x86_64".to_owned(),
            StartError::NoService { .. } => "start it first, or name its path: --socket PATH".to_owned(),
            StartError::Service { .. } => {
                "services look names up here, before the start: this must succeed outside the jar".to_owned()
            }
            StartError::Descriptor { fd, why: passed::NOT_OPEN, .. } => {
                format!("open it in the calling shell: {fd}< FILE")
            }
            StartError::NotRunnable { program, source } => about_program(program, source).to_owned(),
            StartError::NotFound { program } => about_absence(program),
            _ => String::new(),
        }
    }
}
