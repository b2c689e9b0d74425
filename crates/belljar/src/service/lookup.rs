//! Answers for programs that know nothing of services: looked up at the start, then files of the jar like any other.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::ToSocketAddrs as _;
use std::path::{Path, PathBuf};

use belljar_policy::{Access, Answered, FsRule, FsSubject, Policy, Service, ServiceRule, Setting};

use crate::error::StartError;

/// Most names of one answer, and most addresses of one name.
const ADDRESSES: usize = 16;
/// Longest file of accounts that is read.
const LONGEST: u64 = 4 << 20;

const LOCAL: &str = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n";

/// Adds to the policy what its services find. `words` are the arguments of the program, which starts in `folder`.
pub(crate) fn answer(policy: &mut Policy, words: &[OsString], folder: &Path) -> Result<(), StartError> {
    for rule in policy.services.clone() {
        match rule.service {
            Service::FileArgs => files(policy, words, folder, &rule),
            Service::Dns => addresses(policy, &rule)?,
            Service::Users => accounts(policy, &rule)?,
            _ => {}
        }
    }
    Ok(())
}

/// The plain files among the words. What they are is looked at here once; the jar has them, not their names.
fn files(policy: &mut Policy, words: &[OsString], folder: &Path, rule: &ServiceRule) {
    let named = words.iter().map(|word| folder.join(word));
    let plain = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.is_file());
    let mut found: Vec<PathBuf> = named.filter(plain).map(|path| belljar_policy::fold(&path)).collect();
    found.dedup();
    // Words that are relative count from here.
    if policy.fs.cwd.is_none() && found.iter().any(|path| path.starts_with(folder)) {
        policy.fs.cwd = Some(Setting::new(folder.to_path_buf(), rule.origin.clone()));
    }
    let known = |path: &Path| policy.fs.rules.iter().any(|rule| rule.inside() == Some(path));
    found.retain(|path| !known(path));
    policy.fs.rules.extend(found.into_iter().map(|path| FsRule {
        subject: FsSubject::Path(path),
        dest: None,
        access: Access::ReadNoexec,
        optional: false,
        dangerous: false,
        origin: rule.origin.clone(),
    }));
}

fn addresses(policy: &mut Policy, rule: &ServiceRule) -> Result<(), StartError> {
    let mut text = String::from(LOCAL);
    for name in &rule.names {
        let found = (name.as_str(), 0).to_socket_addrs();
        let found = found.map_err(|source| nothing(format!("the address of {name}"), rule, source))?;
        for address in found.take(ADDRESSES) {
            text.push_str(&format!("{} {name}\n", address.ip()));
        }
    }
    put(policy, "/etc/hosts", text, rule);
    Ok(())
}

/// Where accounts have their names too: copies of the two files, and who has which ids of others.
const ALSO: &[&str] =
    &["/etc/passwd-", "/etc/group-", "/etc/subuid", "/etc/subgid", "/etc/subuid-", "/etc/subgid-"];

fn accounts(policy: &mut Policy, rule: &ServiceRule) -> Result<(), StartError> {
    if !rule.names.is_empty() {
        hide(policy, ALSO, rule);
    }
    let mut answers = String::new();
    for path in ["/etc/passwd", "/etc/group"] {
        let text = read(path).map_err(|source| nothing(path.to_owned(), rule, source))?;
        let answer = lines(&text, &rule.names);
        answers.push_str(&answer);
        put(policy, path, answer, rule);
    }
    let is_absent = |name: &&String| lines(&answers, std::slice::from_ref(*name)).is_empty();
    rule.names.iter().find(is_absent).map_or(Ok(()), |name| {
        let source = io::Error::other("neither /etc/passwd nor /etc/group has it");
        Err(nothing(format!("the account {name}"), rule, source))
    })
}

fn nothing(what: String, rule: &ServiceRule, source: io::Error) -> StartError {
    StartError::Service { what, origin: rule.origin.to_string(), source }
}

/// Takes away what a grant of a folder has beside the answer. What a rule names is the caller's wish.
fn hide(policy: &mut Policy, paths: &[&str], rule: &ServiceRule) {
    for path in paths.iter().map(Path::new) {
        let named = policy.fs.rules.iter().any(|rule| rule.inside() == Some(path));
        if !named && belljar_policy::fs_decision(policy, path).allowed {
            policy.fs.rules.push(FsRule {
                subject: FsSubject::Path(path.to_path_buf()),
                dest: None,
                access: Access::Hide,
                optional: true,
                dangerous: false,
                origin: rule.origin.clone(),
            });
        }
    }
}

/// Lines of these names, or all; secrets, members and remarks of others do not stand in them.
fn lines(text: &str, names: &[String]) -> String {
    let wanted = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default();
        names.is_empty() || names.iter().any(|wanted| wanted == name)
    };
    text.lines().filter(wanted).map(|line| format!("{line}\n")).collect()
}

fn read(path: &str) -> io::Result<String> {
    use io::Read as _;
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Entries for the same file join.
fn put(policy: &mut Policy, path: &str, text: String, rule: &ServiceRule) {
    let path = PathBuf::from(path);
    match policy.answers.iter_mut().find(|answered| answered.path == path) {
        Some(answered) => answered
            .text
            .extend(text.lines().filter(|line| !LOCAL.contains(line)).map(|line| format!("{line}\n"))),
        None => policy.answers.push(Answered { path, text, origin: rule.origin.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_of_the_named_accounts_are_answered() {
        let text = "root:x:0:0::/root:/bin/sh\nroots:x:9:9::/:/bin/sh\nme:x:7:7::/home/me:/bin/sh\n";
        assert_eq!(lines(text, &["root".to_owned()]), "root:x:0:0::/root:/bin/sh\n");
        assert_eq!(lines(text, &[]), text);
        assert_eq!(lines(text, &["nobody".to_owned()]), "");
    }

    #[test]
    fn an_account_that_is_not_there_is_named() {
        let answer_of = |names: &str| {
            let mut policy = Policy::none().set("services", &format!("users={names}")).unwrap();
            answer(&mut policy, &[], Path::new("/"))
        };
        assert!(answer_of("root").is_ok());
        let error = answer_of("root,nobody-has-this").unwrap_err().to_string();
        assert!(error.contains("the account nobody-has-this") && error.contains("/etc/passwd"), "{error}");
    }

    #[test]
    fn plain_files_are_granted_and_words_are_not() {
        let at = tempfile::tempdir().unwrap();
        fs::write(at.path().join("a"), "").unwrap();
        fs::create_dir(at.path().join("folder")).unwrap();
        let mut policy = Policy::none().set("services", "fileargs").unwrap();
        let words = ["-l", "a", "folder", "absent", "../no"].map(OsString::from);
        answer(&mut policy, &words, at.path()).unwrap();
        let granted: Vec<_> = policy.fs.rules.iter().filter_map(FsRule::inside).collect();
        assert_eq!(granted, [at.path().join("a")]);
        assert_eq!(policy.fs.cwd.map(|cwd| cwd.value).as_deref(), Some(at.path()));
    }
}
