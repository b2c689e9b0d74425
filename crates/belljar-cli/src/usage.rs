//! Mistakes on the command line, and the two texts that end it early: help and version.

use std::ffi::OsString;

use belljar::report::Verdict;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::ending::Ending;
use crate::fault::Fault;
use crate::subcommand::{BELLJAR_FAILED, Operand, Sub};
use crate::{screen, text};

/// The arguments lead to no run of a subcommand.
#[derive(Debug)]
pub(crate) enum Usage {
    /// A text was asked for.
    Text(String),
    /// A mistake.
    Mistake(Fault),
}

impl Usage {
    pub(crate) fn new(sub: Option<&'static Sub>, error: &clap::Error) -> Self {
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Self::Text(error.to_string()),
            kind => Self::Mistake(mistake(sub, kind, error)),
        }
    }

    pub(crate) fn missing_subcommand() -> Self {
        Self::Mistake(Fault::new(
            Verdict::SetupFailed,
            "no subcommand",
            "belljar run -- COMMAND; belljar --help lists all",
        ))
    }

    /// Says it. A mistake is also reported to the place that the arguments name, as far as they can be read.
    pub(crate) fn end(self, argv: &[OsString]) -> u8 {
        match self {
            Self::Text(text) => {
                if screen::answer(&text) {
                    0
                } else {
                    BELLJAR_FAILED
                }
            }
            Self::Mistake(fault) => Ending::guess(argv).fail(&fault),
        }
    }
}

fn mistake(sub: Option<&'static Sub>, kind: ErrorKind, error: &clap::Error) -> Fault {
    let object = word(error, ContextKind::InvalidArg).unwrap_or_default();
    let value = word(error, ContextKind::InvalidValue);
    let (reason, hint) = match kind {
        ErrorKind::UnknownArgument => unknown(sub, &object, error),
        ErrorKind::InvalidSubcommand => unknown_subcommand(sub, error),
        ErrorKind::MissingRequiredArgument => missing(sub),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return missing_subcommand(sub);
        }
        ErrorKind::ArgumentConflict => (format!("option {} given twice", flag(&object)), help(sub)),
        ErrorKind::TooManyValues => (format!("option {} takes no value", flag(&object)), help(sub)),
        ErrorKind::InvalidValue if value.as_deref().unwrap_or_default().is_empty() => {
            (format!("option {} needs a value", flag(&object)), help(sub))
        }
        _ => (format!("option {} does not take this value", flag(&object)), help(sub)),
    };
    Fault::new(Verdict::SetupFailed, reason, hint)
}

fn missing_subcommand(sub: Option<&'static Sub>) -> Fault {
    let names = |sub: &Sub| sub.subs.iter().map(|sub| sub.name).collect::<Vec<_>>().join(", ");
    match sub {
        None => Fault::new(
            Verdict::SetupFailed,
            "no subcommand",
            "belljar run -- COMMAND; belljar --help lists all",
        ),
        Some(sub) => Fault::new(
            Verdict::SetupFailed,
            format!("{} needs one of: {}", sub.name, names(sub)),
            help(Some(sub)),
        ),
    }
}

/// The name of an option without its placeholder: `--read <PATH>` is `--read`.
fn flag(object: &str) -> &str {
    object.split_once([' ', '=']).map_or(object, |(name, _)| name).trim_end_matches('.')
}

fn unknown(sub: Option<&'static Sub>, object: &str, error: &clap::Error) -> (String, String) {
    if !object.starts_with('-') && sub.is_some_and(|sub| takes_command(sub.operand)) {
        let name = sub.map_or("run", |sub| sub.name);
        return (
            format!("`{object}` stands before --, where only options are read"),
            format!("belljar {name} [options] -- {object} ..."),
        );
    }
    let what = if object.starts_with('-') { "option" } else { "argument" };
    (format!("unknown {what} {object}"), suggestion(sub, error))
}

fn takes_command(operand: Operand) -> bool {
    matches!(operand, Operand::Command | Operand::OptionalCommand)
}

fn unknown_subcommand(sub: Option<&'static Sub>, error: &clap::Error) -> (String, String) {
    let object = word(error, ContextKind::InvalidSubcommand).unwrap_or_default();
    let near = word(error, ContextKind::SuggestedSubcommand).map(|near| format!("did you mean {near}?"));
    let hint = near.unwrap_or_else(|| match sub {
        None => format!("to run a program: belljar run -- {object}; belljar --help lists the subcommands"),
        Some(_) => help(sub),
    });
    (format!("unknown subcommand `{object}`"), hint)
}

fn missing(sub: Option<&'static Sub>) -> (String, String) {
    match sub {
        Some(sub) if takes_command(sub.operand) => {
            ("no command after --".to_owned(), format!("belljar {} [options] -- COMMAND...", sub.name))
        }
        Some(sub) => (format!("{} is missing", sub.rest), format!("for example: {}", sub.example)),
        None => ("an argument is missing".to_owned(), help(None)),
    }
}

fn suggestion(sub: Option<&'static Sub>, error: &clap::Error) -> String {
    word(error, ContextKind::SuggestedArg).map_or_else(|| help(sub), |near| format!("did you mean {near}?"))
}

fn help(sub: Option<&'static Sub>) -> String {
    match sub {
        Some(sub) if sub.subs.is_empty() && !sub.example.starts_with("belljar policy") => {
            format!("belljar {} --help lists the options", sub.name)
        }
        Some(_) => "belljar policy --help".to_owned(),
        None => "belljar --help lists the subcommands".to_owned(),
    }
}

fn word(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(typed) => Some(text::name(typed)),
        ContextValue::Strings(texts) => texts.first().map(|typed| text::name(typed)),
        _ => None,
    }
}
