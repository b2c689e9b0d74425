//! A filter as text.

use std::fmt::Write;

use crate::action::Action;
use crate::filter::Filter;
use crate::insn::{AND_K, ARCH, ARGS, Insn, JA, JEQ, JGE, JGT, JSET, LD_ABS, NR, RET_K};
use crate::syscalls::syscall_name;

/// One line per instruction: position, operation, target positions, and what it is about.
#[must_use]
pub fn disassemble(filter: &Filter) -> String {
    let mut text = String::new();
    let mut loaded = None;
    for (at, insn) in filter.insns().iter().enumerate() {
        if insn.code == LD_ABS {
            loaded = Some(insn.k);
        }
        // Writing to a String cannot fail.
        if writeln!(text, "{at:4}  {}", line(at, insn, loaded)).is_err() {
            break;
        }
    }
    text
}

fn line(at: usize, insn: &Insn, loaded: Option<u32>) -> String {
    let k = insn.k;
    match insn.code {
        LD_ABS => format!("load {}", word(k)),
        AND_K => format!("and  {k:#x}"),
        JA => format!("goto {}", at + 1 + usize::try_from(k).unwrap_or(usize::MAX - at - 1)),
        RET_K => format!("ret  {}", Action::from_raw(k)),
        JEQ => jump(at, insn, "==", loaded),
        JGT => jump(at, insn, ">", loaded),
        JGE => jump(at, insn, ">=", loaded),
        JSET => jump(at, insn, "has", loaded),
        code => format!("unknown {code:#x} {k:#x}"),
    }
}

fn jump(at: usize, insn: &Insn, relation: &str, loaded: Option<u32>) -> String {
    let (yes, no) = (at + 1 + usize::from(insn.jt), at + 1 + usize::from(insn.jf));
    // Where loads meet, the text before decides; only small constants can be call numbers.
    let name = if loaded == Some(NR) { syscall_name(insn.k) } else { None };
    let note = name.map_or_else(String::new, |name| format!("  ; {name}"));
    format!("if {relation} {:#x} goto {yes} else {no}{note}", insn.k)
}

fn word(offset: u32) -> String {
    match offset {
        NR => "nr".to_owned(),
        ARCH => "arch".to_owned(),
        8 | 12 => format!("ip.{}", half(offset)),
        _ => format!("arg{}.{}", offset.saturating_sub(ARGS) / 8, half(offset)),
    }
}

fn half(offset: u32) -> &'static str {
    if offset % 8 == 4 { "high" } else { "low" }
}
