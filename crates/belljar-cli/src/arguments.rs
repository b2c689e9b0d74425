//! The clap tree, made from the tables of [`crate::front`] and of the policy crate, and what was typed as data.

use std::ffi::{OsStr, OsString};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::front::{Operand, SUBCOMMANDS, SWITCHES, Sub};
use crate::request;
use crate::usage::Usage;

/// Id of what follows the options.
const REST: &str = "rest";

/// The whole tree, for help, man page and completions.
#[must_use]
pub fn tree() -> Command {
    let root = Command::new("belljar")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Run code you do not trust with practically no privileges")
        .subcommand_required(true)
        .disable_help_subcommand(true)
        .after_help(
            "Exit status: the command's own; 124 time limit; 125 belljar failed; 126 not runnable; 127 not found; \
             128+n signal.\nMore: belljar SUBCOMMAND --help, belljar explain KEY",
        );
    SUBCOMMANDS.iter().fold(root, |root, sub| root.subcommand(branch(sub)))
}

/// Reads the arguments after the program's name. Only the tree of the subcommand that was typed is built: its cost is a
/// part of every start.
pub(crate) fn parse(argv: &[OsString]) -> Result<(&'static Sub, Words), Usage> {
    let mut typed = argv;
    let mut path = "belljar".to_owned();
    let mut subs = SUBCOMMANDS;
    let mut found: Option<&'static Sub> = None;
    while let Some((sub, after)) = descend(subs, typed) {
        (found, subs, typed) = (Some(sub), sub.subs, after);
        path = format!("{path} {}", sub.name);
    }
    let Some(sub) = found else { return Err(outside(argv)) };
    let command = branch(sub).bin_name(path).no_binary_name(true);
    match command.try_get_matches_from(typed) {
        Ok(matches) => Ok((sub, Words(matches))),
        Err(error) => Err(Usage::new(Some(sub), &error)),
    }
}

fn descend<'a>(subs: &'static [Sub], typed: &'a [OsString]) -> Option<(&'static Sub, &'a [OsString])> {
    let (first, after) = typed.split_first()?;
    subs.iter().find(|sub| first == sub.name).map(|sub| (sub, after))
}

/// The first word is no subcommand: help, version or a mistake.
fn outside(argv: &[OsString]) -> Usage {
    match tree().no_binary_name(true).bin_name("belljar").try_get_matches_from(argv) {
        Ok(_) => Usage::missing_subcommand(),
        Err(error) => Usage::new(None, &error),
    }
}

/// The tree of one subcommand.
fn branch(sub: &'static Sub) -> Command {
    let mut command =
        Command::new(sub.name).about(sub.about).long_about(sub.long).disable_help_subcommand(true);
    command = sub.subs.iter().fold(command, |command, inner| command.subcommand(branch(inner)));
    command = command.args(request::options(sub.options)).args(own(sub));
    if sub.policy {
        command = command.args(request::flags());
    }
    if !sub.subs.is_empty() {
        return command.subcommand_required(true);
    }
    match rest(sub) {
        Some(argument) => command.arg(argument),
        None => command,
    }
}

/// Switches that no key has.
fn own(sub: &Sub) -> impl Iterator<Item = Arg> {
    let mine = SWITCHES.iter().filter(|(name, _)| sub.options.contains(name));
    mine.map(|(name, about)| {
        Arg::new(name).long(name).help(about).help_heading("Output").action(ArgAction::Count)
    })
}

fn rest(sub: &Sub) -> Option<Arg> {
    let argument = Arg::new(REST).value_parser(value_parser!(OsString));
    match sub.operand {
        Operand::None => None,
        Operand::Command => Some(argument.value_name("COMMAND").last(true).num_args(1..).required(true)),
        Operand::OptionalCommand => Some(argument.value_name("COMMAND").last(true).num_args(1..)),
        Operand::Word => Some(argument.value_name(name_of(sub.rest)).required(true)),
        Operand::OptionalWord => Some(argument.value_name(name_of(sub.rest))),
    }
}

fn name_of(rest: &'static str) -> &'static str {
    rest.trim_matches(['[', ']'])
}

/// What was typed. A name that the subcommand does not have reads as not typed.
#[derive(Debug)]
pub(crate) struct Words(ArgMatches);

impl Words {
    /// A switch was given.
    pub(crate) fn has(&self, name: &str) -> bool {
        matches!(self.0.try_get_one::<u8>(name), Ok(Some(1..)))
    }

    /// The value of an option.
    pub(crate) fn value(&self, name: &str) -> Option<&OsStr> {
        self.0.try_get_one::<OsString>(name).ok().flatten().map(OsString::as_os_str)
    }

    /// All values of an option, in the order typed.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &OsStr> {
        self.0.try_get_many::<OsString>(name).ok().flatten().into_iter().flatten().map(OsString::as_os_str)
    }

    /// What follows the options.
    pub(crate) fn rest(&self) -> impl Iterator<Item = &OsStr> {
        self.values(REST)
    }
}
