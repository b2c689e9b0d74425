//! How each sandbox is told to run one command. A row is a template; nothing here knows an attack.

use std::ffi::OsString;
use std::path::Path;

/// One sandbox and its command line.
pub(crate) struct Sandbox {
    /// Name on the command line and in tables.
    pub(crate) name: &'static str,
    /// Words before the command; `{bin}` and `{work}` are folders, `{flags}` the extra flags of the
    /// attack, `{grant}` how the work folder is granted.
    words: &'static [&'static str],
}

/// Every box the runner knows. Each gets: the system read-only, the folder of the attack program read-only, one
/// work folder writable, no network.
pub(crate) const BOXES: &[Sandbox] = &[
    Sandbox { name: "none", words: &[] },
    Sandbox {
        name: "bwrap",
        words: &[
            "/usr/bin/bwrap",
            "--unshare-all",
            "--ro-bind",
            "/usr",
            "/usr",
            "--symlink",
            "usr/bin",
            "/bin",
            "--symlink",
            "usr/lib",
            "/lib",
            "--symlink",
            "usr/lib64",
            "/lib64",
            "--ro-bind",
            "/etc",
            "/etc",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
            "--tmpfs",
            "/tmp",
            "--ro-bind",
            "{bin}",
            "{bin}",
            "--bind",
            "{work}",
            "{work}",
            "--chdir",
            "{work}",
            "--die-with-parent",
            "--new-session",
            "--cap-drop",
            "ALL",
            "--",
        ],
    },
    Sandbox {
        name: "firejail",
        words: &[
            "/usr/bin/firejail",
            "--quiet",
            "--noprofile",
            "--net=none",
            "--ipc-namespace",
            "--private-tmp",
            "--keep-var-tmp",
            "--whitelist={work}",
            "--whitelist={bin}",
            "--read-only={bin}",
            "--read-write={work}",
            "--private-dev",
            "--read-only=/usr",
            "--noroot",
            "--caps.drop=all",
            "--nonewprivs",
            "--seccomp",
            "--",
        ],
    },
    Sandbox {
        name: "belljar",
        words: &["{belljar}", "run", "-r", "{bin}", "{grant}", "{work}", "{flags}", "--"],
    },
];

/// What the placeholders stand for.
pub(crate) struct Places<'a> {
    pub(crate) belljar: &'a Path,
    pub(crate) bin: &'a Path,
    pub(crate) work: &'a Path,
    pub(crate) flags: &'a [String],
    pub(crate) grant: &'a str,
}

/// The row of a name.
pub(crate) fn by_name(name: &str) -> Option<&'static Sandbox> {
    BOXES.iter().find(|sandbox| sandbox.name == name)
}

impl Sandbox {
    /// The words that come before the command.
    pub(crate) fn line(&self, places: &Places<'_>) -> Vec<OsString> {
        self.words.iter().flat_map(|word| fill(word, places)).collect()
    }
}

fn fill(word: &str, places: &Places<'_>) -> Vec<OsString> {
    if word == "{flags}" {
        return places.flags.iter().map(OsString::from).collect();
    }
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let word = word.replace("{belljar}", &path(places.belljar)).replace("{grant}", places.grant);
    vec![word.replace("{bin}", &path(places.bin)).replace("{work}", &path(places.work)).into()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_flags_spread() {
        let flags = ["-n".to_owned(), "none".to_owned()];
        let places = Places {
            belljar: Path::new("/b"),
            bin: Path::new("/x"),
            work: Path::new("/w"),
            flags: &flags,
            grant: "-w",
        };
        let line = by_name("belljar").unwrap().line(&places);
        assert_eq!(line, ["/b", "run", "-r", "/x", "-w", "/w", "-n", "none", "--"].map(OsString::from));
    }

    #[test]
    fn no_template_leaves_a_placeholder() {
        let places = Places {
            belljar: Path::new("b"),
            bin: Path::new("x"),
            work: Path::new("w"),
            flags: &[],
            grant: "-w",
        };
        for sandbox in BOXES {
            assert!(sandbox.line(&places).iter().all(|word| !word.to_string_lossy().contains('{')));
        }
    }
}
