//! What `--ask` would make of a refusal, and what a path is at this moment: nothing is run, but the host is looked at.

use std::ffi::OsStr;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use belljar::ask::{Never, Want};
use belljar::policy::{
    Asked, Decision, NetMode, Origin, Policy, UnixService, UnixSocket, fs_decision, printable,
};

use crate::request;

/// Services that a policy names by a word.
const SERVICES: &[(&str, UnixService, &str)] = &[
    ("ssh-agent", UnixService::SshAgent, "it signs with every key that it holds"),
    ("gpg-agent", UnixService::GpgAgent, "its restricted socket: it signs and decrypts, and exports no key"),
];
const CONNECTS: &str = "the jar may connect to it; who listens decides what that gives";
const NO_OTHER: &str = "no unix socket of the host but those that are listed";

fn at(service: &UnixService) -> Option<PathBuf> {
    let env: Vec<_> = std::env::vars_os().collect();
    belljar::socket_of(service, &env, request::home().as_deref())
}

/// A service of the host by its word; none for every other word.
pub(super) fn service(policy: &Policy, word: &OsStr) -> Option<Decision> {
    let (word, service, gives) = SERVICES.iter().find(|(known, ..)| *known == word)?;
    let at = at(service);
    let same = |one: &&UnixSocket| {
        one.service == *service || at.as_ref().is_some_and(|at| one.service == UnixService::Path(at.clone()))
    };
    let listed = policy.net.sockets.iter().find(same);
    let mut decision = fs_decision(policy, at.as_deref().unwrap_or(Path::new("/")));
    (*word).clone_into(&mut decision.object);
    let place = at.map_or_else(
        || "nothing says where it listens: a start with it is refused".to_owned(),
        |at| format!("it listens at {}", printable(at.as_os_str())),
    );
    Some(connecting(decision, listed, &format!("--socket {word}"), format!("{place}; {gives}")))
}

/// Where programs log, whatever the host has there; none for every other path.
fn log(policy: &Policy, path: &Path, decision: &Decision) -> Option<Decision> {
    if path != Path::new("/dev/log") {
        return None;
    }
    let kept = policy.services.iter().find_map(|rule| Some((rule, rule.log()?)));
    let note = "programs log there, by syslog(3); belljar writes it down, and the host's log is not reached";
    let mut decision = connecting(decision.clone(), None, "--service log=FILE", note.to_owned());
    if let Some((rule, _)) = kept {
        decision.allowed = true;
        decision.rule = format!("services log={}", rule.names.join(","));
        decision.origin = rule.origin.clone();
        decision.flag = None;
    }
    Some(decision)
}

/// A unix socket of the host: connecting to it is a matter of its own, whatever the rules for files say.
pub(super) fn socket(policy: &Policy, path: &Path, decision: Decision) -> Decision {
    if let Some(log) = log(policy, path, &decision) {
        return log;
    }
    let leads = |service: &UnixService| at(service).as_deref() == Some(path);
    let listed = policy.net.sockets.iter().find(|one| leads(&one.service));
    let is_socket = path.symlink_metadata().is_ok_and(|meta| meta.file_type().is_socket());
    match (listed, is_socket) {
        (None, false) => decision,
        (Some(_), _) => connecting(decision, listed, "", CONNECTS.to_owned()),
        (None, true) => {
            let word = SERVICES.iter().find(|(_, service, _)| leads(service)).map(|(word, ..)| *word);
            let flag = format!("--socket {}", word.unwrap_or(&decision.object));
            let note = "it is a unix socket: a rule for the file lets nobody connect to it".to_owned();
            connecting(decision, None, &flag, note)
        }
    }
}

/// The decision about connecting, in place of one about a file.
fn connecting(mut decision: Decision, listed: Option<&UnixSocket>, flag: &str, note: String) -> Decision {
    decision.allowed = listed.is_some();
    decision.access = None;
    decision.rule =
        listed.map_or_else(|| NO_OTHER.to_owned(), |_| format!("net.sockets \"{}\"", decision.object));
    decision.origin = listed.map_or(Origin::Default, |socket| socket.origin.clone());
    decision.flag = listed.is_none().then(|| flag.to_owned());
    decision.note = Some(note);
    decision
}

/// What would become of a refused object under `--ask`.
pub(super) fn line(policy: &Policy, object: &OsStr, asked: Asked, decision: &Decision) -> String {
    if decision.allowed {
        return String::new();
    }
    let want = match asked {
        Asked::Path => request::absolute(Path::new(object)).ok().map(Want::Read),
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
