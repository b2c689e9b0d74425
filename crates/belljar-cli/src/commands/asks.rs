//! What `--ask` would make of a refusal, and what a path is at this moment: nothing is run, but the host is looked at.

use std::ffi::OsStr;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use belljar::ask::{Never, Want};
use belljar::policy::{Asked, Decision, NetMode, Origin, Policy, UnixService};

use super::why::absolute;
use crate::request;

/// A unix socket of the host: connecting to it is a matter of its own, whatever the rules for files say.
pub(super) fn socket(policy: &Policy, path: &Path, decision: Decision) -> Decision {
    let mut decision = decision;
    let listed =
        policy.net.sockets.iter().find(|one| matches!(&one.service, UnixService::Path(at) if at == path));
    if let Some(socket) = listed {
        decision.allowed = true;
        decision.access = None;
        decision.rule = format!("net.sockets \"{}\"", decision.object);
        decision.origin = socket.origin.clone();
        decision.flag = None;
        decision.note = Some("the jar may connect to it; who listens decides what that gives".to_owned());
    } else if path.symlink_metadata().is_ok_and(|meta| meta.file_type().is_socket()) {
        decision.allowed = false;
        decision.access = None;
        decision.rule = "no unix socket of the host but those that are listed".to_owned();
        decision.origin = Origin::Default;
        decision.flag = Some(format!("--socket {}", decision.object));
        decision.note = Some("it is a unix socket: a rule for the file lets nobody connect to it".to_owned());
    }
    decision
}

/// What would become of a refused object under `--ask`.
pub(super) fn line(policy: &Policy, object: &OsStr, asked: Asked, decision: &Decision) -> String {
    if decision.allowed {
        return String::new();
    }
    let want = match asked {
        Asked::Path => absolute(Path::new(object)).ok().map(Want::Read),
        Asked::Host => Some(Want::Connect(decision.object.clone())),
        _ => None,
    };
    let Some(want) = want else { return String::new() };
    let home = request::home();
    let never = Never::new(home.as_deref(), []).refuses(&want);
    match never.or_else(|| closed(policy, &want, decision)) {
        Some(why) => format!("  with --ask: never asked, {why}\n"),
        None => "  with --ask: asked when the program comes to it\n".to_owned(),
    }
}

/// Why nobody is asked, beside what no answer grants.
fn closed(policy: &Policy, want: &Want, decision: &Decision) -> Option<&'static str> {
    let mode = &policy.net.mode;
    let written = !matches!(mode.origin, Origin::Default | Origin::Preset { .. });
    match want {
        Want::Connect(_) if mode.value == NetMode::Off => Some("there are no sockets"),
        Want::Connect(_) if mode.value == NetMode::None && written => {
            Some("the policy says that there is no network")
        }
        _ if decision.flag.is_none() => Some("the rule says so"),
        Want::Read(path) => match path.symlink_metadata() {
            Ok(meta) if meta.is_file() => None,
            Ok(meta) if meta.is_dir() => Some("a folder needs a rule"),
            Ok(_) => Some("it is no plain file"),
            Err(_) => Some("the host has nothing there"),
        },
        _ => None,
    }
}
