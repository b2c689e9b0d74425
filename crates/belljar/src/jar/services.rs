//! Services of the host behind unix sockets: from names to paths, and opened once, so that nothing that comes to stand at a path
//! later is taken for them.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use belljar_policy::{NetPolicy, Policy, Setting, UnixService, UnixSocket};
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

use crate::error::StartError;
use crate::prepare;

/// Variable that names the agent of SSH.
pub(crate) const SSH_AGENT: &str = "SSH_AUTH_SOCK";
/// Variable that moves GnuPG's folder.
const GPG_HOME: &str = "GNUPGHOME";
const GPG_SOCKET: &str = "S.gpg-agent";
/// The same agent for clients that are not trusted: it signs and decrypts, and neither exports keys nor changes them.
const GPG_RESTRICTED: &str = "S.gpg-agent.extra";

/// What the caller's surroundings say about services.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around<'a> {
    pub(crate) env: &'a [(OsString, OsString)],
    pub(crate) home: Option<&'a Path>,
}

impl Around<'_> {
    fn variable(&self, name: &str) -> Option<PathBuf> {
        let found = self.env.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| PathBuf::from(value)).filter(|path| path.is_absolute())
    }

    /// Where GnuPG's agent listens: in the user's folder of services, else in its own folder.
    fn gpg_agent(&self) -> Option<PathBuf> {
        let user = rustix::process::getuid().as_raw();
        self.gpg_agent_in(Path::new(&format!("/run/user/{user}/gnupg")))
    }

    fn gpg_agent_in(&self, services: &Path) -> Option<PathBuf> {
        let usual = self.home.map(|home| home.join(".gnupg"));
        let own = self.variable(GPG_HOME).or_else(|| usual.clone())?;
        let service = match usual.is_some_and(|usual| usual == own) {
            true => services.join(GPG_SOCKET),
            false => services.join(gpg_folder(&own)).join(GPG_SOCKET),
        };
        Some(if service.symlink_metadata().is_ok() { service } else { own.join(GPG_SOCKET) })
    }
}

/// GnuPG's name for the folder of sockets of a home folder that is not the usual one: `d.` and 120 bits of the SHA-1 of its path,
/// as it is written but for slashes at its end, in the alphabet of z-base-32.
fn gpg_folder(home: &Path) -> String {
    const ALPHABET: &[u8; 32] = b"ybndrfg8ejkmcpqxot1uwisza345h769";
    let mut path = home.as_os_str().as_bytes();
    while let Some(rest) = path.strip_suffix(b"/") {
        path = rest;
    }
    let hash = sha1_smol::Sha1::from(path).digest().bytes();
    let bits = hash.iter().take(15).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    let letter = |shift: u32| {
        let value = usize::try_from(bits >> shift & 31).ok();
        value.and_then(|value| ALPHABET.get(value)).map(|letter| char::from(*letter))
    };
    "d.".chars().chain((0..120).step_by(5).rev().filter_map(letter)).collect()
}

/// Where a service of the host listens, as a start would find it with these variables and this home folder; none when nothing
/// says so.
///
/// ```
/// use belljar::policy::UnixService;
/// let env = [("SSH_AUTH_SOCK".into(), "/run/agent".into())];
/// assert_eq!(belljar::socket_of(&UnixService::SshAgent, &env, None), Some("/run/agent".into()));
/// assert_eq!(belljar::socket_of(&UnixService::SshAgent, &[], None), None);
/// ```
#[must_use]
pub fn socket_of(
    service: &UnixService,
    env: &[(OsString, OsString)],
    home: Option<&Path>,
) -> Option<PathBuf> {
    let around = Around { env, home };
    match service {
        UnixService::SshAgent => around.variable(SSH_AGENT),
        UnixService::GpgAgent => around.gpg_agent(),
        UnixService::Path(path) => Some(path.clone()),
        _ => None,
    }
}

/// The socket for clients that are not trusted, beside the one of GnuPG's agent.
pub(crate) fn restricted(agent: &Path) -> PathBuf {
    agent.with_file_name(GPG_RESTRICTED)
}

/// The policy with paths in place of names, and the variables that go with them. The same one where it has no names.
pub(crate) fn named(mut policy: Arc<Policy>, around: Around<'_>) -> Result<Arc<Policy>, StartError> {
    if policy.net.sockets.iter().all(|socket| matches!(socket.service, UnixService::Path(_))) {
        return Ok(policy);
    }
    let Policy { net, env, .. } = Arc::make_mut(&mut policy);
    for socket in &mut net.sockets {
        let (path, lacking) = match &socket.service {
            UnixService::SshAgent => (around.variable(SSH_AGENT), "SSH_AUTH_SOCK names none"),
            UnixService::GpgAgent => (around.gpg_agent(), "there is no home folder to look in"),
            _ => continue,
        };
        let none = || StartError::NoService { origin: socket.origin.to_string(), lacking };
        let path = path.ok_or_else(none)?;
        let tells = if socket.service == UnixService::SshAgent { SSH_AGENT } else { GPG_HOME };
        if around.variable(tells).is_some() {
            env.pass.push(Setting::new(tells.to_owned(), socket.origin.clone()));
        }
        if socket.service == UnixService::GpgAgent {
            socket.behind = Some(restricted(&path));
        }
        socket.service = UnixService::Path(path);
    }
    Ok(policy)
}

/// A service at its real path, open without rights.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) path: PathBuf,
    pub(super) at: Arc<OwnedFd>,
}

/// Opens what a policy lists.
pub(super) fn open(net: &NetPolicy, home: Option<&Path>) -> Result<Vec<Service>, StartError> {
    net.sockets.iter().map(|socket| one(socket, home)).collect()
}

fn one(socket: &UnixSocket, home: Option<&Path>) -> Result<Service, StartError> {
    let UnixService::Path(from) = &socket.service else {
        return Err(StartError::NoService { origin: socket.origin.to_string(), lacking: "it has no path" });
    };
    let (path, own) = checked(socket, from, home)?;
    let at = match &socket.behind {
        Some(behind) => checked(socket, behind, home)?.1,
        None => own,
    };
    Ok(Service { path, at: Arc::new(at) })
}

/// The socket and the path that it really has, unless it leads to a daemon that starts programs.
fn checked(socket: &UnixSocket, from: &Path, home: Option<&Path>) -> Result<(PathBuf, OwnedFd), StartError> {
    let failed =
        |source| StartError::Path { path: from.to_path_buf(), origin: socket.origin.to_string(), source };
    let (path, at) = open_socket(from).map_err(failed)?;
    match prepare::danger(from, &path, home).filter(|_| !socket.dangerous) {
        Some(what) => {
            Err(StartError::Dangerous { path: from.to_path_buf(), origin: socket.origin.to_string(), what })
        }
        None => Ok((path, at)),
    }
}

/// The socket, and the path that it really has.
fn open_socket(path: &Path) -> io::Result<(PathBuf, OwnedFd)> {
    let at = openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    if FileType::from_raw_mode(fstat(&at)?.st_mode) != FileType::Socket {
        return Err(Errno::NOTSOCK.into());
    }
    let own = format!("/proc/self/fd/{}", at.as_raw_fd());
    let path = rustix::fs::readlinkat(CWD, own, Vec::new())?;
    Ok((PathBuf::from(OsString::from_vec(path.into_bytes())), at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(words: &[&str]) -> Arc<Policy> {
        let start = Policy::preset("@strict").unwrap();
        Arc::new(words.iter().fold(start, |policy, word| policy.set("net.sockets", word).unwrap()))
    }

    fn paths(policy: &Policy) -> Vec<&UnixService> {
        policy.net.sockets.iter().map(|socket| &socket.service).collect()
    }

    #[test]
    fn names_become_paths_and_their_variables_pass() {
        let env = [(SSH_AGENT.into(), "/tmp/ssh/agent.1".into()), (GPG_HOME.into(), "/g".into())];
        let around = Around { env: &env, home: None };
        let named = named(policy(&["ssh-agent", "gpg-agent", "/run/x"]), around).unwrap();
        let expected = ["/tmp/ssh/agent.1", "/g/S.gpg-agent", "/run/x"];
        let expected: Vec<_> = expected.map(|path| UnixService::Path(path.into())).to_vec();
        assert_eq!(paths(&named), expected.iter().collect::<Vec<_>>());
        assert!(named.env.pass.iter().any(|pass| pass.value == SSH_AGENT));
    }

    #[test]
    fn behind_the_name_of_gnupgs_agent_stands_its_restricted_socket() {
        use std::os::unix::net::UnixListener;
        let home = tempfile::tempdir().unwrap();
        let env = [(GPG_HOME.into(), home.path().into())];
        let around = Around { env: &env, home: None };
        let opened = |policy| open(&named(policy, around).unwrap().net, None);
        let _whole = UnixListener::bind(home.path().join(GPG_SOCKET)).unwrap();
        let error = opened(policy(&["gpg-agent"])).unwrap_err();
        assert!(error.to_string().contains(GPG_RESTRICTED), "{error}");
        let restricted = home.path().join(GPG_RESTRICTED);
        let _restricted = UnixListener::bind(&restricted).unwrap();
        let services = opened(policy(&["gpg-agent"])).unwrap();
        let real = std::fs::canonicalize(home.path()).unwrap();
        assert_eq!(services[0].path, real.join(GPG_SOCKET), "where programs look");
        let answers = std::fs::read_link(format!("/proc/self/fd/{}", services[0].at.as_raw_fd())).unwrap();
        assert_eq!(answers, real.join(GPG_RESTRICTED));
    }

    #[test]
    fn a_name_that_leads_nowhere_is_told() {
        let env = [(SSH_AGENT.into(), "relative".into())];
        let error = named(policy(&["ssh-agent"]), Around { env: &env, home: None }).unwrap_err();
        assert!(error.to_string().contains(SSH_AGENT), "{error}");
    }

    #[test]
    fn what_is_no_socket_or_leads_to_a_daemon_is_no_service() {
        assert!(open(&policy(&["/etc/passwd"]).net, None).is_err());
        assert!(open(&policy(&["/nonexistent/x"]).net, None).is_err());
    }

    #[test]
    fn another_folder_of_gnupg_has_its_sockets_below_a_name_of_its_path() {
        // What `gpgconf --list-dirs agent-extra-socket` of GnuPG 2.2.40 says.
        for (home, folder) in
            [("/tmp/gh1", "d.ftacegjuwrto6c98adm9ay63"), ("/tmp/./gh1/", "d.1oukjmji51mcrd7a489fpcjg")]
        {
            assert_eq!(gpg_folder(Path::new(home)), folder);
        }
        let place = tempfile::tempdir().unwrap();
        let (home, services) = (place.path().join("home"), place.path().join("services"));
        let env = [(GPG_HOME.into(), home.clone().into())];
        let found = |home: Option<&Path>| Around { env: &env, home }.gpg_agent_in(&services).unwrap();
        assert_eq!(found(None), home.join(GPG_SOCKET), "where there is no folder of services");
        let folder = services.join(gpg_folder(&home));
        for folder in [&folder, &services] {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(folder.join(GPG_SOCKET), "").unwrap();
        }
        assert_eq!(found(None), folder.join(GPG_SOCKET));
        let named = named(policy(&["gpg-agent"]), Around { env: &env, home: None }).unwrap();
        assert!(named.env.pass.iter().any(|pass| pass.value == GPG_HOME));
        let usual = Around { env: &[], home: Some(place.path()) };
        assert_eq!(usual.gpg_agent_in(&services), Some(services.join(GPG_SOCKET)));
    }
}
