//! What can be wrong with a condition, a rule or a filter.

use std::error::Error;
use std::fmt;

use crate::syscalls::Width;

/// A condition text that is not in the language. `at` is the byte where the trouble starts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConditionError {
    /// Something else was expected here.
    Unexpected {
        /// Byte position.
        at: usize,
        /// What stands there.
        found: String,
        /// What could stand there.
        expected: &'static str,
    },
    /// A constant this crate does not know.
    UnknownName {
        /// Byte position.
        at: usize,
        /// The name.
        name: String,
        /// The nearest known name.
        suggestion: Option<&'static str>,
    },
    /// A number that is no number or needs more than 64 bits.
    BadNumber {
        /// Byte position.
        at: usize,
        /// The digits.
        text: String,
    },
    /// Parentheses and `!` nested deeper than 32.
    TooDeep {
        /// Byte position.
        at: usize,
    },
    /// Longer than 16 KiB.
    TooLong {
        /// Length in bytes.
        bytes: usize,
    },
}

impl ConditionError {
    /// The byte position of the trouble, for a caret below the text.
    #[must_use]
    pub fn position(&self) -> usize {
        match self {
            Self::Unexpected { at, .. }
            | Self::UnknownName { at, .. }
            | Self::BadNumber { at, .. }
            | Self::TooDeep { at } => *at,
            Self::TooLong { .. } => 0,
        }
    }
}

impl fmt::Display for ConditionError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected { at, found, expected } => {
                write!(out, "byte {at}: expected {expected}, found {found}")
            }
            Self::UnknownName { at, name, suggestion } => {
                write!(out, "byte {at}: unknown constant {name:?}")?;
                write_suggestion(out, *suggestion)
            }
            Self::BadNumber { at, text } => {
                write!(out, "byte {at}: {text:?} is not a number of at most 64 bits")
            }
            Self::TooDeep { at } => write!(out, "byte {at}: nested deeper than 32"),
            Self::TooLong { bytes } => write!(out, "{bytes} bytes of condition, at most 16384 are read"),
        }
    }
}

impl Error for ConditionError {}

fn write_suggestion(out: &mut fmt::Formatter<'_>, suggestion: Option<&str>) -> fmt::Result {
    suggestion.map_or(Ok(()), |name| write!(out, ", did you mean {name:?}?"))
}

/// A condition that makes no sense for the call it is written on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindError {
    /// Calls have arguments 0 to 5.
    NoSuchArgument {
        /// The argument.
        arg: u8,
    },
    /// The kernel drops the upper bits of this argument, so the value can never be seen.
    TooWide {
        /// The argument.
        arg: u8,
        /// The value or mask.
        value: u64,
        /// What the kernel looks at.
        width: Width,
    },
    /// No argument can change the result of this test.
    Constant {
        /// The argument.
        arg: u8,
    },
}

impl fmt::Display for BindError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchArgument { arg } => write!(out, "there is no arg{arg}, a call has arg0 to arg5"),
            Self::TooWide { arg, value, width } => {
                write!(out, "the kernel takes {} bits of arg{arg}, {value:#x} does not fit", width.bits())
            }
            Self::Constant { arg } => {
                write!(out, "a test on arg{arg} has the same result for every argument")
            }
        }
    }
}

impl Error for BindError {}

/// A rule that cannot be taken into a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleError {
    /// No call of that name.
    UnknownSyscall {
        /// The name.
        name: String,
        /// The nearest known name.
        suggestion: Option<&'static str>,
    },
    /// No group of that name.
    UnknownGroup {
        /// The name.
        name: String,
        /// The nearest known name.
        suggestion: Option<&'static str>,
    },
    /// A call that is never granted.
    NeverGranted {
        /// The call or group.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// The condition text is not in the language.
    Condition {
        /// The call.
        syscall: String,
        /// Where and what.
        source: ConditionError,
    },
    /// The condition makes no sense for this call.
    Bind {
        /// The call.
        syscall: String,
        /// Why.
        source: BindError,
    },
    /// `Errno(0)` would report success without doing anything; above 4095 the kernel reports another number.
    BadErrno {
        /// The call, or the default it stands for.
        syscall: String,
        /// The number.
        errno: u16,
    },
}

impl fmt::Display for RuleError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownSyscall { name, suggestion } => {
                write!(out, "unknown system call {name:?}")?;
                write_suggestion(out, *suggestion)
            }
            Self::UnknownGroup { name, suggestion } => {
                write!(out, "unknown group {name:?}")?;
                write_suggestion(out, *suggestion)
            }
            Self::NeverGranted { name, reason } => write!(out, "{name} is never granted: {reason}"),
            Self::Condition { syscall, .. } => write!(out, "condition on {syscall}"),
            Self::Bind { syscall, .. } => write!(out, "condition on {syscall}"),
            Self::BadErrno { syscall, errno } => {
                write!(out, "{syscall}: error number {errno} is not within 1 to 4095")
            }
        }
    }
}

impl Error for RuleError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Condition { source, .. } => Some(source),
            Self::Bind { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Rules that do not make a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompileError {
    /// Nothing is allowed and nobody asked for that.
    Empty,
    /// More instructions than the kernel loads.
    TooLarge {
        /// Instructions needed.
        instructions: usize,
    },
    /// A rule that another call gets around.
    NotClosed {
        /// Every gap found; at least one.
        gaps: Vec<ClosureGap>,
    },
    /// A verdict the kernel cannot carry out as written.
    Rule(RuleError),
}

impl fmt::Display for CompileError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => out.write_str("the filter allows no call at all"),
            Self::TooLarge { instructions } => {
                write!(out, "the filter needs {instructions} instructions, the kernel loads at most 4096")
            }
            Self::NotClosed { gaps } => {
                let lines: Vec<String> = gaps.iter().map(ClosureGap::to_string).collect();
                out.write_str(&lines.join("; "))
            }
            Self::Rule(_) => out.write_str("a rule cannot be compiled"),
        }
    }
}

impl Error for CompileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        if let Self::Rule(source) = self { Some(source) } else { None }
    }
}

impl From<RuleError> for CompileError {
    fn from(error: RuleError) -> Self {
        Self::Rule(error)
    }
}

/// A rule that a second call gets around, or a call that only half of its family is decided for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosureGap {
    /// What is wrong.
    pub kind: GapKind,
    /// The call that has a rule.
    pub ruled: &'static str,
    /// The call that the rule forgets.
    pub forgotten: &'static str,
    /// What the two calls have in common.
    pub reason: &'static str,
}

/// The kinds of gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GapKind {
    /// `ruled` is refused or checked while `forgotten` is let through and does the same.
    Bypass,
    /// `ruled` is allowed and nothing says what becomes of `forgotten`.
    Undecided,
    /// `clone3` is allowed by itself: its flags are in memory, where no filter can check them.
    FlagsInMemory,
    /// `clone` is allowed with any flags, new namespaces included.
    ArbitraryFlags,
}

impl fmt::Display for ClosureGap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ClosureGap { ruled, forgotten, reason, .. } = self;
        match self.kind {
            GapKind::Bypass => write!(out, "the rule on {ruled} is bypassed by {forgotten}: {reason}"),
            GapKind::Undecided => write!(out, "{ruled} is allowed but {forgotten} has no rule: {reason}"),
            GapKind::FlagsInMemory | GapKind::ArbitraryFlags => write!(out, "{forgotten}: {reason}"),
        }
    }
}
