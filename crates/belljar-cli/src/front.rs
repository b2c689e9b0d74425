//! What can be typed besides the policy's own flags: subcommands and the options that belong to the command line itself.

use crate::arguments::Words;
use crate::commands;

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
}

/// Switches of the command line that the policy crate's table of options does not have.
pub(crate) const SWITCHES: &[(&str, &str)] = &[("origin", "Say after each rule where it was written")];

/// Every subcommand, in the order of the help text.
pub const SUBCOMMANDS: &[Sub] = &[
    Sub {
        name: "explain",
        about: "explain a policy key, or list all of them",
        long: "KEY is a key of the policy file (fs, net.mode, limits.memory) or its flag (--read).",
        rest: "[KEY]",
        operand: Operand::OptionalWord,
        policy: false,
        options: &["json"],
        subs: &[],
        example: "belljar explain limits.memory",
        run: commands::explain::explain,
    },
    Sub {
        name: "policy",
        about: "check and show policies",
        long: "Works on policy files without running anything.",
        rest: "",
        operand: Operand::None,
        policy: false,
        options: &[],
        subs: POLICY,
        example: "belljar policy check belljar.toml",
        run: commands::policy::list,
    },
];

const POLICY: &[Sub] = &[Sub {
    name: "check",
    about: "read a policy file strictly",
    long: "Exit status 0 when the file is a policy; otherwise 125 with line, place and remedy of the first mistake.",
    rest: "FILE",
    operand: Operand::Word,
    policy: false,
    options: &[],
    subs: &[],
    example: "belljar policy check belljar.toml",
    run: commands::policy::check,
}];
