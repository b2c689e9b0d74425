//! Services of the host behind unix sockets that a run wanted to reach.

use std::ffi::OsString;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use belljar_policy::{Access, UnixService, fs_decision, printable};

use super::beyond::{Found, LeftOut};
use super::generalise::want;
use super::witness::Sought;
use super::{Ground, Need};
use crate::jar::{Around, restricted, socket_of};
use crate::prepare::danger;

/// Most sockets that are proposed. A program that wants more is looking for something.
const MOST: usize = 32;

/// A socket to add to `net.sockets`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct SocketProposal {
    /// `ssh-agent`, `gpg-agent`, or a path.
    pub socket: String,
    /// What was seen and whom it reaches, one line, printable.
    pub reason: String,
}

/// Services with a name of their own, and what they do for whoever reaches them.
const NAMED: &[(UnixService, &str, &str)] = &[
    (UnixService::SshAgent, "ssh-agent", "it signs with every key that it holds"),
    (UnixService::GpgAgent, "gpg-agent", "it signs and decrypts, behind its restricted socket"),
];

/// Where the C library looks for users and hosts before it does so itself.
const LIBC: &[&str] = &["/run/nscd", "/var/run/nscd", "/run/systemd/userdb", "/run/systemd/resolve"];

/// What the caller's surroundings say.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) ground: Ground<'a>,
    pub(super) env: &'a [(OsString, OsString)],
}

/// The sockets among the paths at which a run looked in vain.
pub(super) fn sockets(sought: &[Sought], place: Place<'_>) -> Found<SocketProposal> {
    let (mut proposed, mut left) = (Vec::<SocketProposal>::new(), Vec::new());
    for Sought { path, looked } in sought {
        let Some((name, opens)) = place.service(path) else { continue };
        let shown = printable(path.as_os_str());
        match place.why_not(path, &name) {
            Some(why) => left.push(LeftOut::new(format!("connect {shown}"), why)),
            None if *looked => {
                let why = format!("it was only looked for: --socket {name} would show it");
                left.push(LeftOut::new(format!("look {shown}"), why));
            }
            None if proposed.iter().any(|known| known.socket == name) => {}
            None if proposed.len() >= MOST => {
                left.push(LeftOut::new("further sockets", format!("only {MOST} are proposed at once")));
            }
            None => {
                let reason = format!("review: wanted to connect to {shown}, and was refused; {opens}");
                proposed.push(SocketProposal { socket: name, reason });
            }
        }
    }
    left.dedup();
    (proposed, left)
}

impl Place<'_> {
    /// What a policy calls the service behind a path, and what it does; none where the host has no socket.
    fn service(&self, path: &Path) -> Option<(String, &'static str)> {
        let around = Around { env: self.env, home: self.ground.home };
        let same = |found: &PathBuf| found == path && is_socket(found);
        let named = NAMED
            .iter()
            .find(|(service, ..)| socket_of(service, around.env, around.home).as_ref().is_some_and(same));
        if let Some((_, name, opens)) = named {
            return Some(((*name).to_owned(), opens));
        }
        let text = path.to_str().filter(|text| printable(text.as_ref()) == *text)?;
        is_socket(path).then(|| (text.to_owned(), "whoever listens there takes belljar for its client"))
    }

    /// Why a service is not proposed.
    fn why_not(&self, path: &Path, name: &str) -> Option<String> {
        let gpg = name == "gpg-agent";
        if NAMED.iter().any(|(_, named, _)| *named == name) {
            let lacks = gpg && !is_socket(&restricted(path));
            return lacks.then(|| "its restricted socket is not there".to_owned());
        }
        if LIBC.iter().any(|of| path.starts_with(of)) {
            return Some(format!("the C library tries it: --socket {name} would allow it"));
        }
        let real = std::fs::canonicalize(path).ok();
        let never = |path: &Path| self.ground.never.refuses(&want(path, Need::Read)).map(str::to_owned);
        let leads = || danger(path, real.as_deref()?, self.ground.home).map(|to| format!("it leads to {to}"));
        let hidden = || {
            let decision = fs_decision(self.ground.policy, path);
            (decision.access == Some(Access::Hide))
                .then(|| format!("hidden by {} ({})", decision.rule, decision.origin))
        };
        never(path).or_else(|| never(real.as_deref()?)).or_else(leads).or_else(hidden)
    }
}

fn is_socket(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.file_type().is_socket())
}
