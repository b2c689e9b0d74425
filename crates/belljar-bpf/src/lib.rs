//! System call rules compiled to classic BPF.
#![forbid(unsafe_code)]

mod action;
mod arch;
mod asm;
mod builder;
mod closure;
mod compile;
mod cond;
mod constants;
mod disasm;
mod error;
mod filter;
mod generated;
mod groups;
mod lex;
mod lower;
mod parse;
mod spec;
mod suggest;
mod syscalls;

pub use action::{Action, EACCES, ENOSYS, EPERM, MAX_ERRNO};
pub use arch::{Arch, X32_FIRST};
pub use builder::FilterBuilder;
pub use closure::{ClosureGap, GapKind};
pub use cond::{Cmp, Cond, Test};
pub use constants::{constant_value, constants};
pub use disasm::disassemble;
pub use error::{BindError, CompileError, ConditionError, RuleError};
pub use filter::{Filter, Insn, MAX_INSNS, SeccompData};
pub use groups::{Group, Row as GroupRow, find as group, groups};
pub use parse::parse_condition;
pub use spec::{FilterSpec, Origin, Rule, Surface};
pub use syscalls::{Width, argument_width, syscall_count, syscall_name, syscall_number, syscalls};
