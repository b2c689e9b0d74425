//! A policy for the process that runs already: what of it Landlock, the filter and limits can hold.

use std::path::Path;

use belljar_policy::{NetMode, Policy};
use belljar_sys::abi::{LandlockPath, LandlockRuleset};
use belljar_sys::{call, violation};

use super::error::{ConfineError, kernel};
use super::{NO_NEW_PRIVS, pledge};
use crate::plan::{self, BIND_TCP, Call, Plan, Step};
use crate::prepare;
use crate::probe::{self, Userns};
use crate::walk::Walker;

/// Puts the calling process, and whatever it starts, under a policy. What this host cannot hold without namespaces is an error,
/// unless the policy accepts it by name (`allow-weaker`); so is what only the start of a program can give: a root, a network or
/// a host name of its own, limits that a supervisor watches. Descriptors and variables stay as they are. Once: [`pledge`] narrows
/// further.
///
/// The process must have one thread and must not be root.
///
/// # Errors
/// As above, or a step that the kernel refuses; then earlier steps hold, and the process should end.
///
/// ```no_run
/// use belljar::policy::Policy;
/// let policy = Policy::preset("@base")?.read("/srv/www")?;
/// belljar::confine(&policy)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn confine(policy: &Policy) -> Result<(), ConfineError> {
    refuse_what_a_start_gives(policy)?;
    let mut state = super::state();
    if state.policy || state.promises.is_some() {
        return Err(ConfineError::Again);
    }
    if !super::is_alone() {
        return Err(ConfineError::Threads { what: "a policy", remedy: "" });
    }
    let plan = plan(policy)?;
    let root_links = probe::probe().root_links;
    let home = std::env::var_os("HOME").map(std::path::PathBuf::from);
    let rules = prepare::rules_for_oneself(&plan, home.as_deref(), &mut Walker::new(&root_links))?;
    call::drop_capabilities().map_err(kernel("dropping capabilities"))?;
    call::prctl(NO_NEW_PRIVS, 1).map_err(kernel("no_new_privs"))?;
    landlock(&plan, &rules)?;
    limits(&plan)?;
    violation::seccomp_all(&plan::sock_filters(&plan.filter)).map_err(kernel("loading the filter"))?;
    state.policy = true;
    // It asks for the state itself.
    drop(state);
    policy.promises.as_ref().map_or(Ok(()), |promises| pledge(&promises.value))
}

/// On the host's own tree, whatever namespaces this host has.
fn plan(policy: &Policy) -> Result<Plan, ConfineError> {
    let mut facts = probe::probe();
    if facts.uid == 0 {
        return Err(ConfineError::NotForOneself { what: "a policy for root".to_owned() });
    }
    facts.userns = Userns::Refused;
    facts.seccomp_notify = false;
    Ok(plan::plan(policy, &facts, Call::default())?)
}

fn refuse_what_a_start_gives(policy: &Policy) -> Result<(), ConfineError> {
    let (limits, fs, net) = (&policy.limits, &policy.fs, &policy.net);
    let given = [
        (fs.root.is_some(), "a root folder"),
        (fs.cwd.is_some(), "a working folder"),
        (fs.throw_away.is_some(), "throwing changes away"),
        (net.mode.value == NetMode::List, "a list of hosts"),
        (!net.sockets.is_empty(), "unix sockets of the host"),
        (!policy.services.is_empty(), "a service"),
        (limits.memory.is_some(), "a limit of memory for a tree of processes"),
        // One process, itself: that is held without a supervisor.
        (limits.pids.as_ref().is_some_and(|pids| pids.value != 1), "a limit of processes"),
        (limits.wall.is_some(), "a limit of time"),
        (limits.output.is_some(), "a limit of output"),
        (policy.hostname.is_some(), "a host name"),
        (!policy.pass_fds.is_empty(), "passing descriptors"),
        (policy.umask.is_some(), "a file mode mask"),
    ];
    match given.iter().find(|(asked, _)| *asked) {
        Some((_, what)) => Err(ConfineError::NotForOneself { what: (*what).to_owned() }),
        None => Ok(()),
    }
}

fn landlock(plan: &Plan, rules: &[prepare::Rule]) -> Result<(), ConfineError> {
    let Some(landlock) = &plan.landlock else {
        return Err(ConfineError::Landlock { what: "a policy", needed: 1, found: 0 });
    };
    enter(&LandlockRuleset { fs: landlock.fs, net: landlock.net, scoped: landlock.scoped }, rules, &[])
}

/// Puts the calling thread into a domain that grants these paths, and to wait at these TCP ports.
pub(crate) fn enter(
    handled: &LandlockRuleset,
    rules: &[prepare::Rule],
    ports: &[u16],
) -> Result<(), ConfineError> {
    let ruleset = call::landlock_create(handled).map_err(kernel("making a Landlock ruleset"))?;
    let done = rules.iter().filter(|rule| rule.allowed != 0).try_for_each(|rule| allow(ruleset, rule));
    let port = |port: &u16| call::landlock_port(ruleset, BIND_TCP, u64::from(*port));
    let done = done.and_then(|()| {
        ports.iter().try_for_each(port).map_err(kernel("adding a port to a Landlock ruleset"))?;
        call::landlock_restrict(ruleset).map_err(kernel("restricting itself by Landlock"))
    });
    call::close(ruleset);
    done
}

fn allow(ruleset: call::Fd, rule: &prepare::Rule) -> Result<(), ConfineError> {
    let failed = |source| ConfineError::Path { path: rule.path.clone(), source };
    let file = match open_path(&rule.path) {
        // ENOENT, EACCES, ENOTDIR, ELOOP: as in the jar.
        Err(error) if rule.optional && matches!(error.raw_os_error(), Some(2 | 13 | 20 | 40)) => {
            return Ok(());
        }
        other => other.map_err(failed)?,
    };
    let parent_fd = std::os::fd::AsRawFd::as_raw_fd(&file);
    let right = LandlockPath { allowed: rule.allowed, parent_fd };
    call::landlock_path(ruleset, &right).map_err(kernel("adding a path to a Landlock ruleset"))
}

/// The paths have no symlinks: one that has come since would lead the right elsewhere.
fn open_path(path: &Path) -> std::io::Result<std::os::fd::OwnedFd> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
    Ok(openat2(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::NO_SYMLINKS)?)
}

fn limits(plan: &Plan) -> Result<(), ConfineError> {
    for step in &plan.program {
        if let Step::Rlimit(kind, soft, hard) = step {
            call::set_rlimit(kind.number(), *soft, *hard).map_err(kernel("setting a limit"))?;
        }
    }
    Ok(())
}
