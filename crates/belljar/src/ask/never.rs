//! What no answer to a prompt can grant. A tired person says yes; these need a rule that was written on purpose.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use belljar_policy::{
    DAEMON_SOCKETS, HOME_SOCKETS, NetTarget, USER_FOLDERS, net_target, special_address, special_name,
};

use super::prompt::Want;
use super::real::names;

/// Which wishes a row refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    /// Any.
    Touch,
    /// Changing only.
    Write,
}
use To::{Touch, Write};

const SOCKET: &str = "a daemon that starts programs outside the jar";
const KEYS: &str = "keys and passwords";
const BROWSER: &str = "a browser's or mail program's passwords and sessions";
const WALLET: &str = "a wallet";
const STARTED: &str = "it is run outside the jar later";
const TYPED: &str = "what you typed, passwords among it";
const SYSTEM: &str = "the system's own passwords and rights";

/// Places on every host, each with all below it.
const FIXED: &[(&str, To, &str)] = &[
    ("/proc", Touch, "processes of the host and the kernel's settings"),
    ("/sys", Touch, "the kernel's settings"),
    ("/dev", Touch, "the host's devices"),
    ("/boot", Write, "what the machine starts"),
    ("/etc", Write, "the system's settings"),
    ("/usr", Write, "programs of the whole system"),
    ("/lib", Write, "libraries of the whole system"),
    ("/lib64", Write, "libraries of the whole system"),
    ("/bin", Write, "programs of the whole system"),
    ("/sbin", Write, "programs of the whole system"),
    ("/etc/shadow", Touch, SYSTEM),
    ("/etc/gshadow", Touch, SYSTEM),
    ("/etc/sudoers", Touch, SYSTEM),
    ("/etc/sudoers.d", Touch, SYSTEM),
    ("/etc/ssh", Touch, KEYS),
    ("/etc/ssl/private", Touch, KEYS),
    ("/etc/krb5.keytab", Touch, KEYS),
    ("/run/secrets", Touch, KEYS),
    ("/run/dbus", Touch, SOCKET),
    ("/var/run/dbus", Touch, SOCKET),
    ("/var/lib/docker", Touch, "files of all containers"),
    ("/var/lib/containers", Touch, "files of all containers"),
    ("/var/spool/cron", Touch, STARTED),
];

/// Places below the home folder, each with all below it.
const HOME: &[(&str, To, &str)] = &[
    (".ssh", Touch, KEYS),
    (".gnupg", Touch, KEYS),
    (".pki", Touch, KEYS),
    (".password-store", Touch, KEYS),
    (".local/share/keyrings", Touch, KEYS),
    (".local/share/kwalletd", Touch, KEYS),
    (".local/share/gopass", Touch, KEYS),
    (".config/1Password", Touch, KEYS),
    (".config/Bitwarden", Touch, KEYS),
    (".config/keepassxc", Touch, KEYS),
    (".config/op", Touch, KEYS),
    (".aws", Touch, KEYS),
    (".azure", Touch, KEYS),
    (".config/gcloud", Touch, KEYS),
    (".config/doctl", Touch, KEYS),
    (".config/gh", Touch, KEYS),
    (".config/glab-cli", Touch, KEYS),
    (".config/hub", Touch, KEYS),
    (".config/rclone", Touch, KEYS),
    (".kube", Touch, KEYS),
    (".docker", Touch, KEYS),
    (".config/containers/auth.json", Touch, KEYS),
    (".terraform.d", Touch, KEYS),
    (".vault-token", Touch, KEYS),
    (".netrc", Touch, KEYS),
    (".git-credentials", Touch, KEYS),
    (".config/git/credentials", Touch, KEYS),
    (".npmrc", Touch, KEYS),
    (".yarnrc.yml", Touch, KEYS),
    (".pypirc", Touch, KEYS),
    (".gem/credentials", Touch, KEYS),
    (".cargo/credentials", Touch, KEYS),
    (".cargo/credentials.toml", Touch, KEYS),
    (".m2/settings.xml", Touch, KEYS),
    (".gradle/gradle.properties", Touch, KEYS),
    (".pgpass", Touch, KEYS),
    (".my.cnf", Touch, KEYS),
    (".s3cfg", Touch, KEYS),
    (".mozilla", Touch, BROWSER),
    (".librewolf", Touch, BROWSER),
    (".thunderbird", Touch, BROWSER),
    (".config/google-chrome", Touch, BROWSER),
    (".config/google-chrome-beta", Touch, BROWSER),
    (".config/chromium", Touch, BROWSER),
    (".config/BraveSoftware", Touch, BROWSER),
    (".config/microsoft-edge", Touch, BROWSER),
    (".config/vivaldi", Touch, BROWSER),
    (".config/opera", Touch, BROWSER),
    (".config/Signal", Touch, BROWSER),
    (".config/Slack", Touch, BROWSER),
    (".config/discord", Touch, BROWSER),
    (".local/share/evolution", Touch, BROWSER),
    ("snap", Touch, BROWSER),
    (".var/app", Touch, BROWSER),
    (".bitcoin", Touch, WALLET),
    (".ethereum", Touch, WALLET),
    (".electrum", Touch, WALLET),
    (".monero", Touch, WALLET),
    (".config/solana", Touch, WALLET),
    (".bash_history", Touch, TYPED),
    (".zsh_history", Touch, TYPED),
    (".python_history", Touch, TYPED),
    (".psql_history", Touch, TYPED),
    (".local/share/fish/fish_history", Touch, TYPED),
    (".Xauthority", Touch, "the screen and the keyboard"),
    (".ICEauthority", Touch, "the desktop session"),
    (".bashrc", Write, STARTED),
    (".bash_profile", Write, STARTED),
    (".bash_login", Write, STARTED),
    (".bash_logout", Write, STARTED),
    (".bash_aliases", Write, STARTED),
    (".profile", Write, STARTED),
    (".zshrc", Write, STARTED),
    (".zshenv", Write, STARTED),
    (".zprofile", Write, STARTED),
    (".zlogin", Write, STARTED),
    (".xprofile", Write, STARTED),
    (".xsession", Write, STARTED),
    (".xinitrc", Write, STARTED),
    (".inputrc", Write, STARTED),
    (".vimrc", Write, STARTED),
    (".vim", Write, STARTED),
    (".config/nvim", Write, STARTED),
    (".emacs", Write, STARTED),
    (".emacs.d", Write, STARTED),
    (".gitconfig", Write, STARTED),
    (".config/git", Write, STARTED),
    (".config/fish", Write, STARTED),
    (".config/autostart", Write, STARTED),
    (".config/systemd", Write, STARTED),
    (".config/environment.d", Write, STARTED),
    (".config/Code", Write, STARTED),
    (".local/bin", Write, STARTED),
    ("bin", Write, STARTED),
    (".local/share/applications", Write, STARTED),
    (".local/lib", Write, STARTED),
    (".pam_environment", Write, STARTED),
    (".config/pip", Write, STARTED),
    (".cargo/bin", Write, STARTED),
    (".cargo/config.toml", Write, STARTED),
    (".config/belljar", Touch, "belljar's own policy files"),
];

/// Names of files and folders, wherever they are, that tools run or believe outside the jar.
const NAMES: &[&str] = &[".git", ".hg", ".envrc", ".vscode", ".idea", ".husky", ".direnv"];

/// The places, for one user.
#[derive(Clone, Debug)]
pub struct Never {
    rows: Vec<(PathBuf, To, &'static str)>,
    /// Under each name that it has.
    homes: Vec<PathBuf>,
}

impl Never {
    /// The table for a user with this home folder, and with these files that make up the run's own policy. The host is looked at:
    /// what a place leads to by symlinks is refused like the place.
    #[must_use]
    pub fn new<'p>(home: Option<&Path>, policies: impl IntoIterator<Item = &'p Path>) -> Self {
        let mut rows: Vec<_> = FIXED.iter().map(|(path, to, why)| (PathBuf::from(path), *to, *why)).collect();
        let sockets = DAEMON_SOCKETS.iter().chain(USER_FOLDERS);
        rows.extend(sockets.map(|path| (PathBuf::from(path), Touch, SOCKET)));
        if let Some(home) = home {
            rows.extend(HOME.iter().map(|(path, to, why)| (home.join(path), *to, *why)));
            rows.extend(HOME_SOCKETS.iter().map(|path| (home.join(path), Touch, SOCKET)));
        }
        rows.extend(policies.into_iter().map(|path| (path.to_owned(), Touch, "this run's own policy")));
        let under_each_name =
            |(path, to, why): (PathBuf, To, _)| names(&path).map(move |path| (path, to, why));
        let rows = rows.into_iter().flat_map(under_each_name).collect();
        Self { rows, homes: home.into_iter().flat_map(names).collect() }
    }

    /// Why a wish cannot be granted by a prompt; none when it can be asked. A folder that holds such a place is refused like
    /// the place, and so is a place of the same name in another home folder. The path is one without symlinks.
    ///
    /// ```
    /// use belljar::ask::{Never, Want};
    /// let never = Never::new(Some("/home/u".as_ref()), []);
    /// assert_eq!(never.refuses(&Want::Read("/home/u/.ssh/config".into())), Some("keys and passwords"));
    /// assert_eq!(never.refuses(&Want::Read("/home/u/notes".into())), None);
    /// ```
    #[must_use]
    pub fn refuses(&self, want: &Want) -> Option<&'static str> {
        if let Want::Connect(object) = want {
            return near(object);
        }
        let path = want.path()?;
        if !path.is_absolute() || path.components().any(|part| part.as_os_str() == "..") {
            return Some("it is no plain path");
        }
        if path.parent().is_none() {
            return Some("the whole file system");
        }
        if self.homes.iter().any(|home| home.starts_with(path)) {
            return Some("the home folder");
        }
        let writes = matches!(want, Want::Write(_) | Want::Create(_) | Want::Unnamed(_));
        if writes && path.iter().any(|part| NAMES.iter().any(|name| part == *name)) {
            return Some(STARTED);
        }
        let meant = |place: &Path| path.starts_with(place) || place.starts_with(path);
        let row = self.rows.iter().find(|(place, to, _)| (*to == Touch || writes) && meant(place));
        row.map(|(_, _, why)| *why).or_else(|| elsewhere(path, writes))
    }
}

/// A row of the home folder in another one, or in this one under a name that nobody gave: mounted twice, of another user.
fn elsewhere(path: &Path, writes: bool) -> Option<&'static str> {
    let parts: Vec<&OsStr> = path.iter().collect();
    let lies_in = |row: &str| {
        let names: Vec<&OsStr> = Path::new(row).iter().collect();
        parts.windows(names.len()).any(|part| part == names)
    };
    let dotted = HOME.iter().filter(|(row, ..)| row.starts_with('.'));
    let mut meant = dotted.filter(|(row, to, _)| (*to == Touch || writes) && lies_in(row));
    meant.next().map(|(.., why)| *why)
}

/// What a host is that only a rule can grant: addresses and names of machines that trust their neighbours.
fn near(object: &str) -> Option<&'static str> {
    match net_target(object) {
        Ok((NetTarget::Name(name), Some(_))) => special_name(&name),
        Ok((NetTarget::Range { addr, .. }, Some(_))) => special_address(addr),
        _ => Some("it is no single host with a port"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never() -> Never {
        Never::new(Some(Path::new("/home/u")), [Path::new("/src/my.toml")])
    }

    #[test]
    fn every_row_refuses_its_place_what_is_below_and_what_holds_it() {
        let never = never();
        for (place, to, why) in &never.rows {
            assert!(place.is_absolute() && !why.is_empty());
            for path in [place.clone(), place.join("x/y"), place.parent().unwrap().to_owned()] {
                assert!(never.refuses(&Want::Write(path.clone())).is_some(), "{}", path.display());
                assert!(never.refuses(&Want::Create(path.clone())).is_some(), "{}", path.display());
                assert!(never.refuses(&Want::Unnamed(path.clone())).is_some(), "{}", path.display());
                let read = never.refuses(&Want::Read(path.clone()));
                assert!(*to == Write || read.is_some(), "{}", path.display());
            }
        }
    }

    #[test]
    fn the_roots_are_refused_and_neighbours_are_not() {
        let never = never();
        for path in ["/", "/home", "/home/u", "/home/u/.ssh/../x", "relative", "/src/my.toml"] {
            assert!(never.refuses(&Want::Read(path.into())).is_some(), "{path}");
        }
        for path in ["/home/u/.sshx", "/home/u/project/a", "/etc/hosts", "/srv/data", "/home/u/.bashrc"] {
            assert_eq!(never.refuses(&Want::Read(path.into())), None, "{path}");
        }
        for path in ["/srv/p/.git/hooks/pre-commit", "/srv/p/.envrc"] {
            assert!(never.refuses(&Want::Create(path.into())).is_some(), "{path}");
        }
        assert!(never.refuses(&Want::Execute("/home/u/.mozilla/x".into())).is_some());
    }

    #[test]
    fn places_are_refused_under_the_names_that_symlinks_give_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = super::super::real::real(folder.path());
        let link = |to: &str, at: &str| std::os::unix::fs::symlink(root.join(to), root.join(at)).unwrap();
        std::fs::create_dir_all(root.join("data/keys")).unwrap();
        link("data", "home");
        link("data/keys", "data/.ssh");
        std::fs::write(root.join("data/p.toml"), "").unwrap();
        link("data/p.toml", "p.toml");
        let policies = [root.join("p.toml"), root.join("none/../q.toml")];
        let never = Never::new(Some(&root.join("home")), policies.iter().map(PathBuf::as_path));
        for path in ["data", "data/.netrc", "data/keys/id", "data/bin/x", "data/p.toml", "q.toml"] {
            assert!(never.refuses(&Want::Write(root.join(path))).is_some(), "{path}");
        }
        assert_eq!(never.refuses(&Want::Write(root.join("data/notes"))), None);
    }

    #[test]
    fn the_dotted_places_of_other_homes_are_refused_too() {
        for path in ["/mnt/home/u/.ssh/id", "/root/.config/gh/hosts.yml", "/home/other/.netrc"] {
            assert!(never().refuses(&Want::Read(path.into())).is_some(), "{path}");
        }
        assert!(never().refuses(&Want::Write("/root/.bashrc".into())).is_some());
        for path in ["/srv/ssh/id", "/srv/.config/ghost", "/srv/snap/x", "/root/.bashrc"] {
            assert_eq!(never().refuses(&Want::Read(path.into())), None, "{path}");
        }
    }

    #[test]
    fn hosts_near_this_machine_need_a_rule() {
        let refuses = |host: &str| never().refuses(&Want::Connect(host.into())).is_some();
        for host in [
            "169.254.169.254:80",
            "[::ffff:169.254.169.254]:80",
            "metadata.google.internal:80",
            "a.metadata.google.internal:80",
            "10.0.0.1:443",
            "192.168.1.1:80",
            "127.0.0.1:80",
            "198.18.0.7:80",
            "[fd00::1]:80",
            "printer:631",
            "nas.local:445",
            "*.example.org:443",
            "0.0.0.0/0:443",
            "example.org",
            "example.org:0",
            "ex\u{202e}ample.org:443",
            "a b:80",
        ] {
            assert!(refuses(host), "{host}");
        }
        assert!(!refuses("example.org:443") && !refuses("93.184.216.34:22"));
    }
}
