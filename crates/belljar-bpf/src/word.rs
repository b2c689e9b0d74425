//! Words of a call: what one instruction loads and masks.

use crate::cond::Test;
use crate::insn::ARGS;

/// A masked 32-bit word of `struct seccomp_data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Word {
    pub(crate) offset: u32,
    pub(crate) mask: u32,
}

impl Word {
    /// The unmasked word at `offset`.
    pub(crate) const fn whole(offset: u32) -> Word {
        Word { offset, mask: u32::MAX }
    }
}

/// One 32-bit half of a test.
pub(crate) struct Half {
    pub(crate) word: Word,
    pub(crate) value: u32,
}

pub(crate) fn halves(test: &Test) -> [Half; 2] {
    let offset = ARGS + 8 * u32::from(test.arg);
    let half = |shift: u32| Half {
        word: Word { offset: offset + shift / 8, mask: low32(test.mask >> shift) },
        value: low32(test.value >> shift),
    };
    [half(0), half(32)]
}

fn low32(value: u64) -> u32 {
    u32::try_from(value & 0xFFFF_FFFF).unwrap_or(u32::MAX)
}
