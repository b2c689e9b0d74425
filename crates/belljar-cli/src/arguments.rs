//! The clap tree, made from the tables of [`crate::front`] and of the policy crate, and what was typed as data.

use std::ffi::{OsStr, OsString};

use belljar::policy::{Key, Kind};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::front::{SUBCOMMANDS, SWITCHES};
use crate::subcommand::{Operand, Sub};
use crate::usage::Usage;
use crate::words::Words;
use crate::{quick, request};

/// Id of what follows the options.
const REST: &str = "rest";

/// The whole tree, for help, man page and completions.
#[must_use]
pub fn tree() -> Command {
    let root = Command::new("belljar")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Run code you do not trust with practically no privileges")
        .subcommand_required(true)
        .after_help(
            "Exit status: the command's own; 124 time limit; 125 belljar failed; 126 not runnable; 127 not found; \
             128+n signal.\nMore: belljar SUBCOMMAND --help, belljar explain KEY",
        );
    SUBCOMMANDS.iter().fold(root, |root, sub| root.subcommand(branch(sub)))
}

/// Reads the arguments after the program's name. Only the tree of the subcommand that was typed is built, and none for a
/// plain command.
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
    match quick::read(sub, typed) {
        Some(words) => Ok((sub, words)),
        None => slow(sub, path, typed).map(|words| (sub, words)),
    }
}

fn slow(sub: &'static Sub, path: String, typed: &[OsString]) -> Result<Words, Usage> {
    let command = branch(sub).bin_name(path).no_binary_name(true);
    let matches = command.try_get_matches_from(typed).map_err(|error| Usage::new(Some(sub), &error))?;
    Ok(words(sub, &matches, typed))
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
        Command::new(sub.name).about(sub.about).after_help(sub.long).disable_help_subcommand(true);
    command = sub.subs.iter().fold(command, |command, inner| command.subcommand(branch(inner)));
    command = command.args(request::arguments(sub)).args(own(sub));
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
        Arg::new(name)
            .long(name)
            .help(about)
            .help_heading("Output")
            .action(ArgAction::SetTrue)
            .overrides_with(name)
    })
}

fn rest(sub: &Sub) -> Option<Arg> {
    let argument = Arg::new(REST).value_parser(value_parser!(OsString));
    match sub.operand {
        Operand::None => None,
        Operand::Command => Some(argument.value_name("COMMAND").last(true).num_args(1..).required(true)),
        Operand::OptionalCommand => Some(argument.value_name("COMMAND").last(true).num_args(1..)),
        Operand::Word => Some(argument.value_name(name_of(sub.rest)).required(true)),
        // A flag may be the word that is asked about.
        Operand::OptionalWord => {
            Some(argument.value_name(name_of(sub.rest)).allow_hyphen_values(!sub.policy))
        }
        Operand::Words => Some(argument.value_name(name_of(sub.rest)).num_args(1..).required(true)),
    }
}

fn name_of(rest: &'static str) -> &'static str {
    rest.trim_matches(['[', ']', '.'])
}

/// What clap read, as data.
fn words(sub: &'static Sub, matches: &ArgMatches, typed: &[OsString]) -> Words {
    let mut words = Words::default();
    for key in request::rows(sub) {
        let mut flags = spellings(key, typed);
        match key.kind {
            Kind::Switch if is_set(matches, key.name) => {
                words.give(key.name, flags.next().unwrap_or(""), None)
            }
            _ => values(matches, key.name)
                .zip(flags)
                .for_each(|(value, flag)| words.give(key.name, flag, Some(value))),
        }
    }
    let own = SWITCHES.iter().filter(|(name, _)| is_set(matches, name));
    own.for_each(|(name, _)| words.give(name, name, None));
    words.set_rest(values(matches, REST).map(OsString::from).collect());
    words
}

/// The flags of a key in the order typed, for messages; its first flag once they are used up.
fn spellings<'a>(key: &'static Key, typed: &'a [OsString]) -> impl Iterator<Item = &'static str> + 'a {
    let options = typed.iter().map_while(|word| word.to_str().filter(|word| *word != "--"));
    let found = options.filter_map(|word| key.flags.iter().copied().find(|flag| is_spelled(flag, word)));
    found.chain(std::iter::repeat(key.flags.first().copied().unwrap_or("")))
}

/// `--read`, `--read=/usr`, `-r` or `-r/usr`.
fn is_spelled(flag: &str, word: &str) -> bool {
    let rest = word.strip_prefix(flag);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('=') || !flag.starts_with("--"))
}

fn is_set(matches: &ArgMatches, name: &str) -> bool {
    matches!(matches.try_get_one::<bool>(name), Ok(Some(true)))
}

/// Values of an argument; none where the subcommand does not have it.
fn values<'a>(matches: &'a ArgMatches, name: &str) -> impl Iterator<Item = &'a OsStr> {
    matches.try_get_many::<OsString>(name).ok().flatten().into_iter().flatten().map(OsString::as_os_str)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed() -> impl Strategy<Value = Vec<OsString>> {
        let word = prop::sample::select(vec![
            "--read",
            "-r",
            "-w",
            "--write=x",
            "--write=",
            "-r/usr",
            "-m",
            "2G",
            "-v",
            "-q",
            "-vq",
            "--",
            "--report",
            "--report=r",
            "--timeout",
            "-t",
            "3s",
            "--debug",
            "--debug=1",
            "--net",
            "/usr",
            "a",
            "",
            "-",
            "--help",
            "--engine",
            "=",
            "-e",
            "A=b",
            "--policy",
            "@dev",
            "--no-such",
        ]);
        prop::collection::vec(word.prop_map(OsString::from), 0..9)
    }

    /// What the words mean, in an order of its own: clap tells neither spelling nor number of switches.
    fn meaning(words: &Words) -> String {
        let mut given: Vec<_> =
            words.given().iter().map(|given| (given.name, given.value.as_deref())).collect();
        given.sort_by_key(|(name, _)| *name);
        given.dedup_by(|a, b| a.0 == b.0 && a.1.is_none() && b.1.is_none());
        format!("{given:?} {:?}", words.rest().collect::<Vec<_>>())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn the_quick_reader_and_clap_read_the_same(typed in typed()) {
            let Some(sub) = SUBCOMMANDS.iter().find(|sub| sub.operand == Operand::Command) else { return Ok(()) };
            if let Some(quick) = quick::read(sub, &typed) {
                let slow = slow(sub, "belljar run".to_owned(), &typed);
                prop_assert_eq!(slow.ok().map(|slow| meaning(&slow)), Some(meaning(&quick)));
            }
        }
    }
}
