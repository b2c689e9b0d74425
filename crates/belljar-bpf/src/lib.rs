//! System call rules compiled to classic BPF, the language of seccomp filters.
//!
//! ```
//! use belljar_bpf::{Action, Filter, SeccompData};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let filter = Filter::builder()
//!     .allow_group("@default")?
//!     .only_when("ioctl", "arg1 in {TCGETS, TIOCGWINSZ}")?
//!     .compile()?;
//! let tiocsti = SeccompData::x86_64(16, [0, 0x5412, 0, 0, 0, 0]);
//! assert_eq!(filter.eval(&tiocsti), Action::EPERM);
//! # Ok(()) }
//! ```
//!
//! # Verdicts
//!
//! A filter is a list of what is granted; whatever no rule matches is refused.
//!
//! | call | verdict |
//! |---|---|
//! | another architecture than the filter's (`int 0x80`, a far jump to 32-bit code) | the process dies: the arguments mean something else there |
//! | number from 0x40000000 to 0x7fffffff (x32) | the process dies: same entry, other struct layouts |
//! | number that the table lacks (newer kernels, negative) | `ENOSYS`, so that programs take their older way |
//! | call without a matching rule | `EPERM`, or the answer that a group gives for it (`clone3`: `ENOSYS`) |
//! | call with matching rules | the strictest of them, in whatever order they were added: kill, trap, errno, notify, log, allow |
//!
//! Several `allow` with conditions are alternatives. A filter that grants nothing is an error unless asked for
//! by [`FilterBuilder::allow_nothing`].
//!
//! # Conditions
//!
//! ```text
//! condition := all ( "||" all )*
//! all       := not ( "&&" not )*
//! not       := "!" not | "(" condition ")" | test
//! test      := operand ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) value
//!            | operand "in" "{" value ( "," value )* "}"
//! operand   := argN [ "&" value ] | "(" argN [ "&" value ] ")"          N is 0 to 5
//! value     := term ( "|" term )*
//! term      := number | CONSTANT | "~" term | "-" term | "(" value ")"  numbers: 10, 0x1f, 0o17, 0b11, with _
//! ```
//!
//! Unlike in C, `&` binds tighter than the comparison, and a leading zero is an error, never octal. Comparisons
//! are unsigned. A condition is checked against the call it is written on ([`Cond::bind`]): the kernel takes many
//! arguments as 32-bit (`int`, `unsigned int`) or 16-bit (`umode_t`) and drops the upper bits. There only those bits
//! are compared, so a dirty upper half neither hides `TIOCSTI` nor refuses `TCGETS`; all other arguments are
//! compared on both halves. A value that does not fit, or a test that no argument can change, is an error.
//! To refuse one bit of a flag word, compare it under a mask: with `==` any other bit makes another value.
//!
//! # Groups and alias closure
//!
//! Groups are text files (`groups/*.txt`) with a reason for each call, turned into constants by
//! `cargo xtask generate tables`; nothing is parsed at start. [`groups()`] lists them.
//!
//! Calls that do each other's work form families (`data/families.txt`). When the policy refuses or checks one
//! member while another is let through, [`FilterSpec::check_closure`] names both and why, and
//! [`FilterSpec::compile`] fails. It also fails for `openat` allowed without a word on `openat2`, for `clone` allowed
//! with any flags, and for `clone3` beside a checked `clone`.
//!
//! # Layout
//!
//! Architecture, then number: first the checked call that programs make most, then a balanced search over intervals of equal
//! verdicts. At load the kernel runs the filter for every number to fill its bitmap of calls that are always allowed, so depth
//! is load time; a call decided by its number alone never reads an argument and stays in the bitmap. The kernel also compiles
//! each instruction at load, so length is load time too: equal questions with equal outcomes are asked once for all calls, a
//! question whose answer is known on a way is not on that way, values of one word are searched as one list, and a load
//! serves every question that it lies before. At most 4096 instructions, else [`CompileError::TooLarge`].
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod action;
mod arch;
mod asm;
mod builder;
mod chain;
mod closure;
mod compile;
mod cond;
mod constants;
mod disasm;
mod error;
mod facts;
mod filter;
mod generated;
mod graph;
mod groups;
mod insn;
mod leaf;
mod lex;
mod lower;
mod parse;
mod promises;
mod search;
mod show;
mod spec;
mod suggest;
mod syscalls;
mod word;

pub use action::{Action, EACCES, ENOSYS, EPERM, MAX_ERRNO};
pub use arch::{Arch, NEGATIVE_FIRST, X32_FIRST};
pub use builder::FilterBuilder;
pub use chain::{ANSWER, TICKETED, Ticket};
pub use cond::{Cmp, Cond, Test};
pub use constants::{constant_value, constants};
pub use disasm::disassemble;
pub use error::{BindError, ClosureGap, CompileError, ConditionError, GapKind, RuleError};
pub use filter::{Filter, SeccompData};
pub use groups::{Group, Row as GroupRow, find as group, groups, groups_with};
pub use insn::{Insn, MAX_INSNS};
pub use parse::parse_condition;
pub use promises::{
    MEANINGLESS, Meaningless, Promise, PromiseError, Promises, joint_promises, promise_for, promises,
};
pub use spec::{Explanation, FilterSpec, Origin, Rule, Surface};
pub use syscalls::{Width, argument_width, syscall_count, syscall_name, syscall_number, syscalls};
