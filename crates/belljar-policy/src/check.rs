//! Checks over the whole policy that need no host: grants that would make the jar pointless, demands that undo each other.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::error::{Fault, PolicyError};
use crate::model::{
    Access, DevView, Dropped, FsRule, FsSubject, Origin, Policy, ProcView, Setting, UnixService, UnixSocket,
};
use crate::text::printable;
use crate::value::path::{Base, below, same, written};
use crate::words::{ACCESS, SUBJECTS, word};

/// Sockets behind which a program can start anything with the rights of a daemon.
pub const DAEMON_SOCKETS: &[&str] = &[
    "/run/docker.sock",
    "/var/run/docker.sock",
    "/run/podman/podman.sock",
    "/var/run/podman/podman.sock",
    "/run/containerd/containerd.sock",
    "/var/run/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/var/run/crio/crio.sock",
    "/run/buildkit/buildkitd.sock",
    "/run/libvirt/libvirt-sock",
    "/var/run/libvirt/libvirt-sock",
    "/var/lib/lxd/unix.socket",
    "/var/snap/lxd/common/lxd/unix.socket",
    "/var/lib/incus/unix.socket",
    "/run/systemd/private",
];

/// The same below the folder of a user's own services, `/run/user/UID`.
pub const USER_SOCKETS: &[&str] =
    &["docker.sock", "podman/podman.sock", "containerd/containerd.sock", "systemd/private", "bus"];

/// Where those folders are.
pub const USER_FOLDERS: &[&str] = &["/run/user", "/var/run/user"];

/// The same below the home folder.
pub const HOME_SOCKETS: &[&str] = &[
    ".docker/run/docker.sock",
    ".docker/desktop/docker.sock",
    ".colima/default/docker.sock",
    ".rd/docker.sock",
];

const SOCKET: &str = "a daemon that starts programs outside the jar";

/// Last stage of loading: every rule of the policy is seen, whoever wrote it.
pub(crate) fn finish(
    mut policy: Policy,
    permitted: &[Setting<PathBuf>],
    base: Base<'_>,
) -> Result<Policy, PolicyError> {
    required_and_weaker(&policy)?;
    let permit = |path: &Path| permitted.iter().any(|word| same(&word.value, path));
    let mut kept = Vec::with_capacity(policy.fs.rules.len());
    for mut rule in std::mem::take(&mut policy.fs.rules) {
        let reason = too_broad(&rule, base.home);
        rule.dangerous = reason.is_some() && (rule.dangerous || rule.outside().is_some_and(permit));
        match reason.filter(|_| !rule.dangerous) {
            None => kept.push(rule),
            Some(gives) if matches!(rule.origin, Origin::Preset { .. }) => {
                policy.dropped.push(spared(&rule, gives))
            }
            Some(gives) => return Err(refused(&rule, gives)),
        }
    }
    policy.fs.rules = kept;
    sockets(&mut policy, &permit, base.home)?;
    kernel_views(&mut policy);
    hide_sockets(&mut policy);
    Ok(policy)
}

/// Whoever speaks to an engine of containers starts programs outside, so that its socket needs the long word, too.
fn sockets(
    policy: &mut Policy,
    permit: &dyn Fn(&Path) -> bool,
    home: Option<&Path>,
) -> Result<(), PolicyError> {
    for socket in &mut policy.net.sockets {
        let UnixService::Path(path) = &socket.service else { continue };
        if !is_daemon(path, home) {
            continue;
        }
        socket.dangerous |= permit(path);
        if !socket.dangerous {
            let remedy = format!(
                "if {} really means it: --dangerously-grant {}",
                socket.origin,
                printable(written(path).as_ref())
            );
            return Err(PolicyError::new(Fault::TooBroad { path: path.clone(), gives: SOCKET }).fix(remedy));
        }
    }
    Ok(())
}

fn is_daemon(path: &Path, home: Option<&Path>) -> bool {
    let fixed = DAEMON_SOCKETS.iter().any(|socket| same(Path::new(socket), path));
    let homes = || home.is_some_and(|home| HOME_SOCKETS.iter().any(|socket| same(&home.join(socket), path)));
    fixed || homes() || user_socket(path)
}

/// Where the host's own `/proc` or `/dev` is granted, the jar's views of them give way.
fn kernel_views(policy: &mut Policy) {
    let host = |place: &str| {
        let here =
            |rule: &&FsRule| rule.dangerous && rule.inside().is_some_and(|path| same(path, Path::new(place)));
        policy.fs.rules.iter().find(here).map(|rule| rule.origin.clone())
    };
    let (proc, dev) = (host("/proc"), host("/dev"));
    if let Some(origin) = proc {
        policy.fs.proc = Setting::new(ProcView::None, origin);
    }
    if let Some(origin) = dev {
        policy.fs.dev = Setting::new(DevView::None, origin);
    }
}

fn required_and_weaker(policy: &Policy) -> Result<(), PolicyError> {
    let both = policy.require.iter().find_map(|demand| {
        policy.weaker.iter().find(|weaker| weaker.value == demand.subject).map(|weaker| (demand, weaker))
    });
    let Some((demand, weaker)) = both else { return Ok(()) };
    let subject = word(SUBJECTS, &demand.subject);
    Err(PolicyError::new(Fault::RequiredAndWeaker(subject))
        .fix(format!("remove one: required by {}, weaker by {}", demand.origin, weaker.origin)))
}

/// A preset speaks of the current folder without knowing it: where that is the home folder or `/`, nothing is granted.
fn spared(rule: &FsRule, gives: &str) -> Dropped {
    let text = format!("\"{}\" = \"{}\"", rule.written(), word(ACCESS, &rule.access));
    Dropped { rule: text, origin: rule.origin.clone(), because: format!("it would give away {gives}") }
}

fn refused(rule: &FsRule, gives: &'static str) -> PolicyError {
    let path = rule.outside().unwrap_or(Path::new("/")).to_owned();
    let remedy = format!(
        "name a smaller folder; or, if {} really means it: --dangerously-grant {}",
        rule.origin,
        printable(written(&path).as_ref())
    );
    PolicyError::new(Fault::TooBroad { path, gives }).fix(remedy)
}

/// What a rule would give away, if it is more than any jar should have.
fn too_broad(rule: &FsRule, home: Option<&Path>) -> Option<&'static str> {
    let path = rule.outside()?;
    // Only a folder that is read at its own place can have its sockets hidden.
    let whole = matches!(rule.access, Access::Write | Access::Cow) || rule.dest.is_some();
    if rule.access == Access::Hide {
        return None;
    }
    if same(path, Path::new("/")) {
        return Some("the whole file system");
    }
    // A home that is a system folder (daemons have /usr/sbin or /bin) holds no person's files.
    if home.is_some_and(|home| below(home, path) && !is_system(home)) {
        return Some("the home folder");
    }
    if let Some(gives) = kernel_folder(path, whole) {
        return Some(gives);
    }
    let holds = |socket: &Path| same(socket, path) || whole && below(socket, path);
    let fixed = DAEMON_SOCKETS.iter().any(|socket| holds(Path::new(socket)));
    let homes = home
        .is_some_and(|home| below(path, home) && HOME_SOCKETS.iter().any(|socket| holds(&home.join(socket))));
    (fixed || homes || user_socket(path)).then_some(SOCKET)
}

/// The kernel's own trees: the jar gets views of its own instead.
fn kernel_folder(path: &Path, whole: bool) -> Option<&'static str> {
    if same(path, Path::new("/dev")) {
        return Some("the host's devices");
    }
    if whole && ["/sys", "/proc"].iter().any(|tree| below(path, Path::new(tree))) {
        return Some("the kernel's settings");
    }
    let rest = path.strip_prefix("/proc").ok()?;
    let process = |name: &OsStr| {
        let digits = name.as_bytes().iter().all(u8::is_ascii_digit);
        digits || name == "self" || name == "thread-self"
    };
    rest.iter().next().is_none_or(process).then_some("the processes of the host")
}

fn is_system(home: &Path) -> bool {
    ["/usr", "/bin", "/sbin", "/dev", "/proc", "/nonexistent"]
        .iter()
        .any(|system| below(home, Path::new(system)))
}

/// `/run/user/UID/...` for any UID: the folders that hold such sockets, and the sockets.
fn user_socket(path: &Path) -> bool {
    let user = ["/run/user", "/var/run/user"].map(Path::new).into_iter().find(|user| below(path, user));
    let Some(rest) = user.and_then(|user| path.strip_prefix(user).ok()) else { return false };
    let mut parts = rest.components();
    parts.next();
    let rest = parts.as_path();
    USER_SOCKETS.iter().any(|socket| Path::new(socket).starts_with(rest))
}

/// A folder that is granted for reading may hold such a socket, and connecting to one needs no write mount: each is hidden.
fn hide_sockets(policy: &mut Policy) {
    let named = |socket: &Path| {
        let same = |one: &UnixSocket| matches!(&one.service, UnixService::Path(path) if same(path, socket));
        policy.net.sockets.iter().any(same)
    };
    let rules = &mut policy.fs.rules;
    for socket in DAEMON_SOCKETS.iter().chain(USER_FOLDERS).map(Path::new) {
        let inside = |rule: &FsRule| rule.outside().is_some_and(|path| below(socket, path));
        let gives = |rule: &FsRule| rule.access != Access::Hide && !rule.dangerous && rule.dest.is_none();
        let holds = rules.iter().any(|rule| gives(rule) && inside(rule));
        let spoken = |rule: &FsRule| rule.inside().is_some_and(|path| same(path, socket));
        if holds && !rules.iter().any(spoken) && !named(socket) {
            rules.push(hidden(socket));
        }
    }
}

fn hidden(socket: &Path) -> FsRule {
    FsRule {
        subject: FsSubject::Path(socket.to_owned()),
        dest: None,
        access: Access::Hide,
        optional: true,
        dangerous: false,
        origin: Origin::Default,
    }
}
