//! Filters one behind the other in one program, and the ticket by which a child that knows it gets past the first.

use crate::action::Action;
use crate::arch::Arch;
use crate::error::CompileError;
use crate::filter::Filter;
use crate::insn::{ARCH, Insn, JA, JEQ, LD_ABS, MAX_INSNS, NR, RET_K};
use crate::syscalls::syscall_number;

/// Where the arguments of a call start.
const ARGS: u32 = 16;

/// A secret in the upper halves of arguments that the kernel takes as 32-bit, and so does not see: the filter does. Made anew
/// for each run and known to nobody who runs behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Upper half of the first argument.
    pub first: u32,
    /// Upper half of the second such argument.
    pub second: u32,
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Ticket")
    }
}

/// What a ticket opens: a call, its two arguments that the kernel cuts to 32 bits, and the verdict.
pub const TICKETED: &[(&str, [u32; 2], Action)] = &[
    // the start of the program: folder and flags
    ("execveat", [0, 4], Action::Allow),
    // the listener on its way to the supervisor: socket and flags
    ("sendmsg", [0, 2], Action::Allow),
    // a call that no kernel has: this answer shows that the filter is in force
    ("create_module", [0, 1], Action::Errno(ANSWER)),
];

/// What a filter with a ticket answers to the ticketed question.
pub const ANSWER: u16 = 121;

impl Filter {
    /// One filter: what this one allows is left to `next`. The strictest of two loaded filters would win; of these two this one
    /// comes first, so that its refusals are the ones seen.
    ///
    /// # Errors
    /// [`CompileError::TooLarge`].
    ///
    /// ```
    /// use belljar_bpf::{Action, Filter, SeccompData};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let first = Filter::builder().allow("read")?.known_denied(Action::Trap)?.compile()?;
    /// let next = Filter::builder().allow("write")?.compile()?;
    /// let both = first.then(&next)?;
    /// assert_eq!(both.eval(&SeccompData::x86_64(0, [0; 6])), Action::EPERM);
    /// assert_eq!(both.eval(&SeccompData::x86_64(1, [0; 6])), Action::Trap);
    /// # Ok(()) }
    /// ```
    pub fn then(&self, next: &Filter) -> Result<Filter, CompileError> {
        let own = self.insns().len();
        let allowed = Action::Allow.raw();
        let behind = |(at, insn): (usize, &Insn)| match *insn {
            Insn { code: RET_K, k, .. } if k == allowed => jump(own - at - 1),
            other => other,
        };
        let chained = self.insns().iter().enumerate().map(behind);
        sized(chained.chain(next.insns().iter().copied()).collect())
    }

    /// The same filter behind a check of this ticket.
    ///
    /// # Errors
    /// [`CompileError::TooLarge`].
    pub fn ticketed(&self, ticket: Ticket) -> Result<Filter, CompileError> {
        let blocks: Vec<Vec<Insn>> = TICKETED.iter().filter_map(|entry| block(entry, ticket)).collect();
        let mut insns = vec![
            Insn { code: LD_ABS, jt: 0, jf: 0, k: ARCH },
            Insn { code: JEQ, jt: 1, jf: 0, k: Arch::X86_64.audit() },
            jump(blocks.iter().map(Vec::len).sum()),
        ];
        insns.extend(blocks.into_iter().flatten());
        insns.extend(self.insns());
        sized(insns)
    }
}

/// Goes on behind itself unless number and both halves fit.
fn block((call, arguments, verdict): &(&str, [u32; 2], Action), ticket: Ticket) -> Option<Vec<Insn>> {
    let [first, second] = arguments.map(|argument| ARGS + 8 * argument + 4);
    let test = |k, jf| Insn { code: JEQ, jt: 0, jf, k };
    let load = |k| Insn { code: LD_ABS, jt: 0, jf: 0, k };
    Some(vec![
        load(NR),
        test(syscall_number(call)?, 5),
        load(first),
        test(ticket.first, 3),
        load(second),
        test(ticket.second, 1),
        Insn { code: RET_K, jt: 0, jf: 0, k: verdict.raw() },
    ])
}

fn jump(over: usize) -> Insn {
    Insn { code: JA, jt: 0, jf: 0, k: u32::try_from(over).unwrap_or(u32::MAX) }
}

fn sized(insns: Vec<Insn>) -> Result<Filter, CompileError> {
    let instructions = insns.len();
    if instructions > MAX_INSNS {
        return Err(CompileError::TooLarge { instructions });
    }
    Ok(Filter::from_insns(insns))
}
