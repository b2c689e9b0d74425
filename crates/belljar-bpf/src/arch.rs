//! The architecture a filter is pinned to.

use crate::generated::x86_64;

/// An architecture whose calls this crate knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Arch {
    /// 64-bit x86, without the x32 and 32-bit tables.
    X86_64,
}

/// One system call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Its number.
    pub(crate) nr: u32,
    /// Its name.
    pub(crate) name: &'static str,
    /// Two bits per argument, first argument lowest: a [`Width`](crate::Width).
    pub(crate) widths: u16,
}

/// What the compiler needs to know of one architecture.
struct Facts {
    audit: u32,
    calls: &'static [Row],
    by_name: &'static [u16],
}

const X86_64: Facts = Facts { audit: 0xC000_003E, calls: x86_64::CALLS, by_name: x86_64::BY_NAME };

/// First number of the x32 table: the same kernel entry, other struct layouts. No filter of ours lets one pass.
pub const X32_FIRST: u32 = 0x4000_0000;
/// First number behind the x32 table. No kernel table has it or any above; a tracer skips a call by setting it
/// to -1, and programs built without a number call -1, so these are unknown and not an attack.
pub const NEGATIVE_FIRST: u32 = 0x8000_0000;

impl Arch {
    const fn facts(self) -> &'static Facts {
        match self {
            Arch::X86_64 => &X86_64,
        }
    }

    /// The `AUDIT_ARCH_*` value the kernel puts into `seccomp_data.arch`.
    #[must_use]
    pub const fn audit(self) -> u32 {
        self.facts().audit
    }

    /// All calls, by number.
    pub(crate) const fn calls(self) -> &'static [Row] {
        self.facts().calls
    }

    /// Positions in [`Arch::calls`], by name.
    pub(crate) const fn by_name(self) -> &'static [u16] {
        self.facts().by_name
    }
}
