//! Flags of the policy: clap arguments from the key table, and what was typed as a request to the policy crate.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use belljar::policy::{
    Category, FlagValue, Input, KEYS, Key, Kind, OPTIONS, Policy, PolicyError, Request, printable,
};
use belljar::report::Verdict;
use clap::{Arg, ArgAction, value_parser};

use crate::fault::Fault;
use crate::subcommand::Sub;
use crate::unwritten;
use crate::words::{Given, Words};

/// The rows of the policy crate's tables that a subcommand takes.
pub(crate) fn rows(sub: &'static Sub) -> impl Iterator<Item = &'static Key> {
    let keys = if sub.policy { KEYS } else { &[] };
    keys.iter().chain(OPTIONS.iter().filter(|row| sub.options.contains(&row.name)))
}

/// It belongs to the command line, not to a policy.
pub(crate) fn is_option(key: &Key) -> bool {
    OPTIONS.iter().any(|row| row.name == key.name)
}

/// An argument for each row that has a flag.
pub(crate) fn arguments(sub: &'static Sub) -> impl Iterator<Item = Arg> {
    rows(sub).filter_map(argument)
}

fn argument(key: &'static Key) -> Option<Arg> {
    let mut long = key.flags.iter().filter_map(|flag| flag.strip_prefix("--"));
    let mut short = key.flags.iter().filter_map(|flag| letter(flag));
    let argument = Arg::new(key.name).long(long.next()?).help(key.short.trim_end_matches('.'));
    let argument = long.fold(argument, Arg::visible_alias).help_heading(heading(key));
    let argument = short.next().map_or_else(|| argument.clone(), |letter| argument.clone().short(letter));
    Some(if key.kind == Kind::Switch { switch(argument, key) } else { valued(argument, key) })
}

/// Given again, a switch says nothing new.
fn switch(argument: Arg, key: &'static Key) -> Arg {
    argument.action(ArgAction::SetTrue).overrides_with(key.name)
}

/// A policy value given twice is the policy's business: it names both.
fn valued(argument: Arg, key: &'static Key) -> Arg {
    let action = if is_option(key) { ArgAction::Set } else { ArgAction::Append };
    argument.value_name(key.value).value_parser(value_parser!(OsString)).action(action)
}

/// Headings of the help text.
const HEADINGS: &[(Category, &str)] = &[
    (Category::Source, "Policy"),
    (Category::Files, "Files"),
    (Category::Network, "Network"),
    (Category::Environment, "Environment"),
    (Category::Syscalls, "System calls"),
    (Category::Limits, "Limits"),
    (Category::Guarantees, "Guarantees"),
    (Category::Process, "Process"),
    (Category::Output, "Output"),
];

/// Name of a category in help texts.
pub(crate) fn heading(key: &Key) -> &'static str {
    HEADINGS.iter().find(|(category, _)| *category == key.category).map_or("Other", |(_, name)| name)
}

/// The letter of `-r`.
fn letter(flag: &str) -> Option<char> {
    let mut signs = flag.strip_prefix('-')?.chars();
    let first = signs.next().filter(|sign| *sign != '-')?;
    signs.next().is_none().then_some(first)
}

/// The policy that the flags make, with the presets and files that they name.
pub(crate) fn policy(words: &Words) -> Result<Policy, Fault> {
    policy_at(words, current_folder()?)
}

/// The same for a caller who knows the current folder.
pub(crate) fn policy_at(words: &Words, cwd: PathBuf) -> Result<Policy, Fault> {
    policy_from(words, None, cwd).map(|(policy, _)| policy)
}

/// The same on top of a preset, with the files that were read.
pub(crate) fn policy_from(
    words: &Words,
    preset: Option<&str>,
    cwd: PathBuf,
) -> Result<(Policy, Vec<PathBuf>), Fault> {
    check_choices(words)?;
    let inputs = preset.map(|name| Input::Named(name.into())).into_iter().collect();
    let here = cwd.clone();
    let (mut policy, files) = load(inputs, words.given().iter().filter_map(typed).collect(), cwd)?;
    unwritten::keep(&mut policy, &here, &files);
    Ok((policy, files))
}

/// Options that are no policy take the words of their row only.
fn check_choices(words: &Words) -> Result<(), Fault> {
    for row in OPTIONS {
        let Kind::Choice(choices) = row.kind else { continue };
        if let Some(value) =
            words.value(row.name).filter(|value| !choices.iter().any(|choice| value == choice))
        {
            let reason = format!("unknown {} `{}`", row.name, printable(value));
            return Err(Fault::new(Verdict::SetupFailed, reason, format!("one of: {}", choices.join(", "))));
        }
    }
    Ok(())
}

/// The policy of one file alone.
pub(crate) fn file(path: OsString) -> Result<Policy, Fault> {
    load(vec![Input::Named(path)], Vec::new(), current_folder()?).map(|(policy, _)| policy)
}

fn load(inputs: Vec<Input>, flags: Vec<FlagValue>, cwd: PathBuf) -> Result<(Policy, Vec<PathBuf>), Fault> {
    let request = Request { inputs, flags, cwd, home: home() };
    let files = RefCell::new(Vec::new());
    let reader = |path: &Path| {
        files.borrow_mut().push(path.to_owned());
        read(path)
    };
    let policy = belljar::policy::load(&request, &reader).map_err(|error| fault(&error))?;
    Ok((policy, files.into_inner()))
}

/// The folder that relative paths count from.
pub(crate) fn current_folder() -> Result<PathBuf, Fault> {
    std::env::current_dir().map_err(|error| {
        let reason = format!("the current folder cannot be named: {error}");
        Fault::new(Verdict::SetupFailed, reason, "change to a folder that exists")
    })
}

/// What `~` stands for.
pub(crate) fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute())
}

/// The path from the root, `~` and the current folder put in front.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Fault> {
    match path.strip_prefix("~") {
        Ok(rest) => home().map(|home| home.join(rest)).ok_or_else(|| {
            Fault::new(
                Verdict::SetupFailed,
                "`~` needs a home folder and HOME is not set",
                "write the whole path",
            )
        }),
        Err(_) => Ok(current_folder()?.join(path)),
    }
}

/// A flag of the policy; none for the command line's own options.
fn typed(given: &Given) -> Option<FlagValue> {
    belljar::policy::flag(given.flag)?;
    Some(FlagValue { flag: given.flag.to_owned(), value: given.value.clone() })
}

/// The message shows place, suggestion and remedy itself; the report has the remedy apart.
pub(crate) fn fault(error: &PolicyError) -> Fault {
    let meant = error.suggestion().map(|word| format!("did you mean {word}?"));
    let hint = error.remedy().map(str::to_owned).or(meant).unwrap_or_default();
    Fault::new(Verdict::SetupFailed, error.to_string(), hint).rendered(error.render())
}

/// Longest text that is read: the policy crate refuses what is longer than a MiB, and no report is.
const MAX_TEXT: u64 = (1 << 20) + 1;

/// `O_NONBLOCK`: a FIFO that a policy extends must be refused, not waited for.
const NONBLOCK: i32 = 0o4000;

/// The caller's own descriptor: what was read from it is not there again.
pub(crate) fn is_descriptor(path: &Path) -> bool {
    path.starts_with("/dev/fd") || path == Path::new("/dev/stdin")
}

/// Reads a policy file or a report. Other things than files only where the caller's own descriptors are named: `-p <(make-policy)`.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    let own = is_descriptor(path);
    let file = if own {
        File::open(path)?
    } else {
        OpenOptions::new().read(true).custom_flags(NONBLOCK).open(path)?
    };
    if !own && !file.metadata()?.is_file() {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    let mut text = String::new();
    file.take(MAX_TEXT).read_to_string(&mut text)?;
    Ok(text)
}
