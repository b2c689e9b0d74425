//! A difference as a policy file and as flags.

use std::path::{Path, PathBuf};

use belljar_policy::{Access, Addition, FsRule, FsSubject, Origin, PolicyError, amend};

use super::{PolicyDifference, Proposal};

/// From where the paths of a text count.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "callers name both")]
pub struct Frame<'a> {
    /// Folder of the policy file.
    pub folder: Option<&'a Path>,
    /// What `~` stands for.
    pub home: Option<&'a Path>,
}

impl Frame<'_> {
    /// The shortest form that reads back to this path: from the folder, from `~`, or whole.
    fn form(&self, path: &Path) -> PathBuf {
        let below = |base: Option<&Path>| path.strip_prefix(base?).ok().map(Path::to_path_buf);
        match (below(self.folder), below(self.home)) {
            (Some(rest), _) if rest.as_os_str().is_empty() => PathBuf::from("."),
            (Some(rest), _) => Path::new(".").join(rest),
            (None, Some(rest)) => Path::new("~").join(rest),
            _ => path.to_path_buf(),
        }
    }
}

impl PolicyDifference {
    /// A policy file with these rules on top of `bases` (presets and files, as `extends` names them).
    ///
    /// ```
    /// use belljar::learn::{Frame, Ground, Observation, generalise};
    /// # use belljar::{ask::Never, policy::Policy};
    /// # let (policy, never) = (Policy::none(), Never::new(None, []));
    /// let seen = [Observation::entry("/src/app", "app.o")];
    /// # let ground = Ground { policy: &policy, never: &never, here: "/src/app".as_ref(), home: None };
    /// let frame = Frame { folder: Some("/src/app".as_ref()), home: None };
    /// let text = generalise(&seen, ground).to_toml(&["@strict".to_owned()], frame)?;
    /// assert_eq!(text, "belljar = 1\nextends = [\"@strict\"]\n\n[fs]\n# changed: app.o\n\".\" = \"write\"\n");
    /// # Ok::<(), belljar::policy::PolicyError>(())
    /// ```
    ///
    /// # Errors
    /// A path that no policy file can hold.
    pub fn to_toml(&self, bases: &[String], frame: Frame<'_>) -> Result<String, PolicyError> {
        let text = self.rules.iter().try_fold(String::new(), |text, rule| {
            let path = &frame.form(&rule.path);
            amend(&text, &Addition::Path { path, access: rule.access }, &rule.reason, bases)
        })?;
        let text = self.hosts.iter().try_fold(text, |text, proposal| {
            amend(&text, &Addition::Host(&proposal.host), &proposal.reason, bases)
        })?;
        let text = self.sockets.iter().try_fold(text, |text, proposal| {
            amend(&text, &Addition::Socket(&proposal.socket), &proposal.reason, bases)
        })?;
        self.syscalls.iter().try_fold(text, |text, proposal| {
            amend(&text, &Addition::Syscall(&proposal.name), &proposal.reason, bases)
        })
    }

    /// The same as flags for a shell, one for each rule.
    #[must_use]
    pub fn flags(&self, frame: Frame<'_>) -> Vec<String> {
        let rules = self.rules.iter().map(|rule| flag(rule, frame));
        let hosts = self.hosts.iter().map(|proposal| format!("--net {}", for_shell(&proposal.host)));
        let sockets = self.sockets.iter().map(|proposal| format!("--socket {}", for_shell(&proposal.socket)));
        let calls =
            self.syscalls.iter().map(|proposal| format!("--allow-syscall {}", for_shell(&proposal.name)));
        rules.chain(hosts).chain(sockets).chain(calls).collect()
    }
}

fn flag(rule: &Proposal, frame: Frame<'_>) -> String {
    let flag = match rule.access {
        Access::Write => "-w",
        Access::ReadNoexec => "--read-noexec",
        Access::Hide => "--hide",
        _ => "-r",
    };
    let rule = FsRule {
        subject: FsSubject::Path(frame.form(&rule.path)),
        dest: None,
        access: rule.access,
        optional: false,
        dangerous: false,
        origin: Origin::Default,
    };
    format!("{flag} {}", for_shell(&rule.written()))
}

/// One word for a shell; belljar knows `~` itself.
fn for_shell(word: &str) -> String {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "/._-+=@%,~:".contains(sign);
    match word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_from_where_they_are_read() {
        let frame = Frame { folder: Some(Path::new("/home/u/app")), home: Some(Path::new("/home/u")) };
        for (path, form) in [
            ("/home/u/app", "."),
            ("/home/u/app/src", "./src"),
            ("/home/u/.npm", "~/.npm"),
            ("/home/u/application", "~/application"),
            ("/srv/data", "/srv/data"),
        ] {
            assert_eq!(frame.form(Path::new(path)), Path::new(form));
        }
    }

    #[test]
    fn a_shell_reads_the_words_as_they_are() {
        assert_eq!(for_shell("./a-b"), "./a-b");
        assert_eq!(for_shell("a b'c$(d)"), "'a b'\\''c$(d)'");
    }
}
