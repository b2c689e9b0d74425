//! What a grant must not lead to without the long word.

use std::path::Path;

use belljar_policy::DAEMON_SOCKETS;

use crate::walk::Walker;

/// Folders of the system, which hold no home that a symlink leads to.
const SYSTEM: &[&str] = &["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/dev", "/proc", "/sys"];

/// The home folder where `HOME` names it through a symlink, which the current folder, for one, never does.
pub(super) fn holds_real_home(real: &Path, home: Option<&Path>, walker: &mut Walker<'_>) -> bool {
    // What is below the name itself shows that there is no symlink in it.
    let Some(home) = home.filter(|home| !real.starts_with(home)) else { return false };
    let of_system = SYSTEM.iter().any(|system| real.starts_with(system));
    !of_system && walker.path(home).is_some_and(|home| home.starts_with(real))
}

/// What a real path must not be without the long word. The policy has judged the path as it was written; symlinks can lead
/// it to more.
pub(crate) fn danger(from: &Path, real: &Path, home: Option<&Path>) -> Option<&'static str> {
    if real == Path::new("/") {
        return Some("the root of the host");
    }
    if real.starts_with("/proc") {
        return Some("the host's processes");
    }
    if home.is_some_and(|home| home == real || home.starts_with(real)) {
        return Some("the home folder");
    }
    // The policy knows both names of /run.
    let from =
        from.strip_prefix("/var/run").map_or_else(|_| from.to_owned(), |rest| Path::new("/run").join(rest));
    let socket = |socket: &&str| {
        let socket = Path::new(socket);
        let held = || from != real && socket.starts_with(real) && std::fs::symlink_metadata(socket).is_ok();
        real == socket || held()
    };
    let users = from != real && real.starts_with("/run/user");
    // Whoever speaks to an engine is root on the host.
    (users || DAEMON_SOCKETS.iter().any(socket)).then_some("a daemon's socket")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_known_by_the_name_that_a_symlink_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let mut walker = Walker::new(&[]);
        let root = walker.path(folder.path()).unwrap();
        std::fs::create_dir_all(root.join("data/ann/project")).unwrap();
        std::os::unix::fs::symlink("data", root.join("home")).unwrap();
        let home = root.join("home/ann");
        let mut holds = |real: &str| holds_real_home(&root.join(real), Some(&home), &mut walker);
        assert!(holds("data/ann") && holds("data") && holds(""));
        assert!(!holds("data/ann/project") && !holds("data/bob") && !holds("home/ann/project"));
    }

    #[test]
    fn symlinks_to_what_needs_the_long_word_are_seen_through() {
        let home = Some(Path::new("/home/ann"));
        let link = |real: &str| danger(Path::new("/srv/link"), Path::new(real), home);
        for real in
            ["/", "/proc/1", "/home/ann", "/home", "/run/docker.sock", "/run/user/1000", "/run/user/1000/bus"]
        {
            assert!(link(real).is_some(), "{real}");
        }
        for real in ["/usr", "/home/ann/project", "/home/bob", "/srv/data", "/run/no-daemon"] {
            assert_eq!(link(real), None, "{real}");
        }
        assert_eq!(danger(Path::new("/var/run/user/7/app"), Path::new("/run/user/7/app"), home), None);
    }
}
