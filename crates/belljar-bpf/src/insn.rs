//! The kernel's machine: its instructions, and where what it loads from lies.

/// The most instructions the kernel loads.
pub const MAX_INSNS: usize = 4096;

/// One instruction: the layout of the kernel's `struct sock_filter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Insn {
    /// Operation.
    pub code: u16,
    /// Instructions to skip if a jump's test is true.
    pub jt: u8,
    /// Instructions to skip if it is false.
    pub jf: u8,
    /// Constant.
    pub k: u32,
}

pub(crate) const LD_ABS: u16 = 0x20;
pub(crate) const AND_K: u16 = 0x54;
pub(crate) const JA: u16 = 0x05;
pub(crate) const JEQ: u16 = 0x15;
pub(crate) const JGT: u16 = 0x25;
pub(crate) const JGE: u16 = 0x35;
pub(crate) const JSET: u16 = 0x45;
pub(crate) const RET_K: u16 = 0x06;

/// Offset of the call number in `struct seccomp_data`.
pub(crate) const NR: u32 = 0;
/// Offset of the architecture.
pub(crate) const ARCH: u32 = 4;
/// Offset of the first argument; each has 8 bytes, lower half first.
pub(crate) const ARGS: u32 = 16;
