//! The box around the inside run: belljar, or bubblewrap, or nothing (the latter two prove the scenarios themselves).

use anyhow::{Result, bail};

use crate::options::Options;
use crate::run::Command;

/// Which box the inside run uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `belljar run`.
    Belljar,
    /// bubblewrap with roughly the strict default.
    Bwrap,
    /// No box: every negative scenario must then fail.
    None,
}

const KINDS: &[(&str, Kind)] = &[("belljar", Kind::Belljar), ("bwrap", Kind::Bwrap), ("none", Kind::None)];

const BWRAP: &str = "--unshare-all --die-with-parent --ro-bind /usr /usr --ro-bind /etc /etc --symlink usr/bin /bin \
    --symlink usr/sbin /sbin --symlink usr/lib /lib --symlink usr/lib64 /lib64 --symlink /run /var/run \
    --proc /proc --dev /dev --tmpfs /tmp --tmpfs /run";

/// Flags of belljar that take a value and bwrap's word for it.
const TRANSLATED: &[(&str, Option<&str>)] = &[
    ("-w", Some("--bind")),
    ("-r", Some("--ro-bind")),
    ("-p", None),
    ("-e", None),
    ("-t", None),
    ("-n", None),
];

impl Kind {
    /// The kind with this name.
    pub(crate) fn named(name: &str) -> Result<Self> {
        match KINDS.iter().find(|(known, _)| *known == name) {
            Some((_, kind)) => Ok(*kind),
            None => bail!("--box takes belljar, bwrap or none, not {name}"),
        }
    }
}

/// The same command inside the chosen box.
pub(crate) fn inside(options: &Options, flags: &[String], plain: &Command) -> Command {
    let mut argv = prefix(options, flags, &plain.cwd.to_string_lossy());
    argv.extend(plain.argv.iter().cloned());
    Command { argv, ..plain.clone() }
}

fn prefix(options: &Options, flags: &[String], cwd: &str) -> Vec<String> {
    match options.kind {
        Kind::None => Vec::new(),
        Kind::Bwrap => bwrap(flags, cwd),
        Kind::Belljar => {
            let mut argv = vec![options.belljar.to_string_lossy().into_owned(), "run".to_owned()];
            argv.extend(flags.iter().cloned());
            argv.push("--".to_owned());
            argv
        }
    }
}

fn bwrap(flags: &[String], cwd: &str) -> Vec<String> {
    let mut argv: Vec<String> =
        std::iter::once("bwrap").chain(BWRAP.split_whitespace()).map(str::to_owned).collect();
    argv.extend(["--ro-bind", cwd, cwd].map(str::to_owned));
    let mut left = flags.iter();
    while let Some(flag) = left.next() {
        let Some((_, word)) = TRANSLATED.iter().find(|(known, _)| known == flag) else { continue };
        let value = left.next().cloned().unwrap_or_default();
        if let Some(word) = word {
            argv.extend([(*word).to_owned(), value.clone(), value]);
        }
    }
    argv.extend(["--chdir", cwd, "--"].map(str::to_owned));
    argv
}
