//! Names, numbers and argument widths of system calls.

use crate::arch::{Arch, Row};
use crate::suggest;

/// How much of an argument register the kernel looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// All 64 bits: a comparison must look at both halves.
    Full,
    /// The lower 32 bits; the upper half is the caller's noise and must not influence a verdict.
    Low32,
    /// The lower 16 bits (`umode_t`).
    Low16,
}

impl Width {
    /// The bits the kernel looks at.
    #[must_use]
    pub const fn mask(self) -> u64 {
        match self {
            Width::Full => u64::MAX,
            Width::Low32 => 0xFFFF_FFFF,
            Width::Low16 => 0xFFFF,
        }
    }

    /// Number of bits the kernel looks at.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.mask().count_ones()
    }
}

const ARCH: Arch = Arch::X86_64;

/// The number of the call `name`, or `None` for a name this kernel table lacks.
///
/// ```
/// assert_eq!(belljar_bpf::syscall_number("openat"), Some(257));
/// assert_eq!(belljar_bpf::syscall_number("opennat"), None);
/// ```
#[must_use]
pub fn syscall_number(name: &str) -> Option<u32> {
    let index = ARCH.by_name();
    let found = index.binary_search_by(|&at| name_at(at).cmp(name)).ok()?;
    index.get(found).and_then(|&at| ARCH.calls().get(usize::from(at))).map(|row| row.nr)
}

/// The name of call `nr`, or `None` for a number this kernel table lacks.
#[must_use]
pub fn syscall_name(nr: u32) -> Option<&'static str> {
    row(nr).map(|row| row.name)
}

/// The width the kernel gives to argument `arg` (0 to 5) of call `nr`; full when not known.
#[must_use]
pub fn argument_width(nr: u32, arg: u8) -> Width {
    let bits = row(nr).map_or(0, |row| row.widths);
    match (bits >> (2 * u16::from(arg.min(7)))) & 3 {
        1 => Width::Low32,
        2 => Width::Low16,
        _ => Width::Full,
    }
}

/// How many calls the table has.
#[must_use]
pub fn syscall_count() -> usize {
    ARCH.calls().len()
}

/// All names and numbers, by number.
pub fn syscalls() -> impl Iterator<Item = (&'static str, u32)> {
    ARCH.calls().iter().map(|row| (row.name, row.nr))
}

/// The name nearest to a mistyped one.
pub(crate) fn nearest_name(name: &str) -> Option<&'static str> {
    suggest::nearest(name, ARCH.calls().iter().map(|row| row.name))
}

fn row(nr: u32) -> Option<&'static Row> {
    let calls = ARCH.calls();
    calls.binary_search_by_key(&nr, |row| row.nr).ok().and_then(|at| calls.get(at))
}

fn name_at(at: u16) -> &'static str {
    ARCH.calls().get(usize::from(at)).map_or("", |row| row.name)
}
