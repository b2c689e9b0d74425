//! How each box is told to run a command: system read-only, one folder writable, no network.

use std::path::{Path, PathBuf};

/// One box.
#[derive(Debug)]
pub(super) struct Peer {
    /// Name in tables.
    pub(super) name: &'static str,
    /// Words before the command, in groups; `{belljar}`, `{bin}` and `{work}` are filled in.
    words: &'static [&'static [&'static str]],
}

/// No box at all: what everything is compared with.
pub(super) const PLAIN: &Peer = &Peer { name: "no box", words: &[] };

/// Bubblewrap with the namespaces and mounts of belljar's strict default.
pub(super) const BWRAP: &Peer = &Peer { name: "bwrap", words: &[BWRAP_HEAD, &["--unshare-net"], BWRAP_TAIL] };

/// The same without a net namespace: the host's network is open to it.
pub(super) const BWRAP_HOST_NET: &Peer =
    &Peer { name: "bwrap, host network", words: &[BWRAP_HEAD, BWRAP_TAIL] };

const BWRAP_HEAD: &[&str] =
    &["bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup"];

#[rustfmt::skip]
const BWRAP_TAIL: &[&str] = &[
    "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
    "--symlink", "usr/lib64", "/lib64", "--ro-bind", "/etc", "/etc", "--proc", "/proc", "--dev", "/dev",
    "--tmpfs", "/tmp", "--ro-bind", "{bin}", "{bin}", "--bind", "{work}", "{work}", "--chdir", "{work}",
    "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--",
];

/// Every box of the page.
pub(super) const ALL: &[&Peer] = &[
    PLAIN,
    FILTER,
    LANDLOCK,
    BARE,
    BWRAP,
    BWRAP_HOST_NET,
    BELLJAR,
    BELLJAR_NET_OFF,
    BELLJAR_TRACE,
    FIREJAIL,
    RUNSC,
];

/// What any filter costs: one instruction that allows everything.
pub(super) const FILTER: &Peer =
    &Peer { name: "kernel: a filter", words: &[&["{bin}/bench", "floor", "filter"]] };

/// What any Landlock domain with a filter costs: one rule for every file below `/`.
pub(super) const LANDLOCK: &Peer =
    &Peer { name: "kernel: Landlock and a filter", words: &[&["{bin}/bench", "floor", "landlock"]] };

/// What any start with these layers costs: the kernel's steps of it, and nothing else.
pub(super) const BARE: &Peer =
    &Peer { name: "kernel: the same layers", words: &[&["{bin}/bench", "floor", "start"]] };

pub(super) const FIREJAIL: &Peer = &Peer {
    name: "firejail",
    words: &[&[
        "firejail",
        "--quiet",
        "--noprofile",
        "--net=none",
        "--ipc-namespace",
        "--private-tmp",
        "--keep-var-tmp",
        "--read-write={work}",
        "--private-dev",
        "--read-only=/usr",
        "--noroot",
        "--caps.drop=all",
        "--nonewprivs",
        "--seccomp",
        "--",
    ]],
};

pub(super) const RUNSC: &Peer = &Peer {
    name: "runsc",
    words: &[&["runsc", "--rootless", "--network=none", "--ignore-cgroups", "do", "--"]],
};

/// All layers and an own net namespace.
pub(super) const BELLJAR: &Peer =
    &Peer { name: "belljar", words: &[&["{belljar}", "run", "-r", "{bin}", "-w", "{work}", "--"]] };

/// All layers, no sockets at all, and so no net namespace.
pub(super) const BELLJAR_NET_OFF: &Peer = &Peer {
    name: "belljar --net off",
    words: &[&["{belljar}", "run", "--net", "off", "-r", "{bin}", "-w", "{work}", "--"]],
};

/// All path calls through the broker.
pub(super) const BELLJAR_TRACE: &Peer = &Peer {
    name: "belljar --trace",
    words: &[&["{belljar}", "run", "--trace", "-q", "-r", "{bin}", "-w", "{work}", "--"]],
};

/// What the placeholders stand for.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) belljar: PathBuf,
    pub(super) bin: PathBuf,
    pub(super) work: PathBuf,
}

impl Places {
    /// Fills the placeholders of one word.
    pub(super) fn fill(&self, word: &str) -> String {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let word = word.replace("{belljar}", &text(&self.belljar));
        word.replace("{bin}", &text(&self.bin)).replace("{work}", &text(&self.work))
    }
}

impl Peer {
    /// The whole command line. `{box}` is a word for this box.
    pub(super) fn line(&self, command: &[&str], places: &Places) -> Vec<String> {
        let fill = |word: &&str| places.fill(word).replace("{box}", &self.word());
        self.words.concat().iter().chain(command).map(fill).collect()
    }

    /// The name as a part of a file's.
    pub(super) fn word(&self) -> String {
        self.name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-")
    }

    /// The command line as the page shows it.
    pub(super) fn shown(&self) -> String {
        if self.words.is_empty() {
            "{cmd}".to_owned()
        } else {
            format!("{} {{cmd}}", self.words.concat().join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_the_box_and_the_command_with_places_filled() {
        let places = Places { belljar: "/b".into(), bin: "/p".into(), work: "/w".into() };
        let line = BELLJAR.line(&["{bin}/bench", "exit"], &places);
        assert_eq!(line, ["/b", "run", "-r", "/p", "-w", "/w", "--", "/p/bench", "exit"]);
        assert_eq!(BELLJAR_NET_OFF.line(&["-C", "{box}"], &places).last().unwrap(), "belljar---net-off");
        for row in ALL {
            assert!(row.line(&["true"], &places).iter().all(|word| !word.contains('{')), "{}", row.name);
        }
    }
}
