//! What a subcommand is; the table of them is [`crate::front`].

use crate::words::Words;

/// Exit status when belljar itself failed or a requirement is unmet.
pub const BELLJAR_FAILED: u8 = 125;

/// A subcommand.
#[derive(Debug)]
pub struct Sub {
    /// What is typed.
    pub name: &'static str,
    /// One line.
    pub about: &'static str,
    /// A few sentences for `--help` and the man page.
    pub long: &'static str,
    /// What follows the options, as shown in the usage line; empty = nothing.
    pub rest: &'static str,
    /// How the rest is read.
    pub operand: Operand,
    /// It takes the policy's flags.
    pub policy: bool,
    /// Names of its other options: rows of `belljar_policy::OPTIONS`, or switches of its own.
    pub options: &'static [&'static str],
    /// Subcommands of its own.
    pub subs: &'static [Sub],
    /// An example that works.
    pub example: &'static str,
    pub(crate) run: fn(&Words) -> u8,
}

/// What stands after the options of a subcommand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Nothing.
    None,
    /// A command after `--`.
    Command,
    /// A command after `--`, or nothing.
    OptionalCommand,
    /// Exactly one word.
    Word,
    /// One word or nothing.
    OptionalWord,
    /// One word or more.
    Words,
}
