//! Names, numbers and argument widths of system calls.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result, bail, ensure};
use syscalls::Sysno;

/// The kernel's own list, as installed with the C compiler.
const KERNEL_HEADER: &str = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h";

/// All calls by number. `Sysno::iter` leaves out the last one, so the numbers are asked one by one.
fn calls() -> Result<BTreeMap<u32, &'static str>> {
    let last = usize::try_from(Sysno::last().id())?;
    let known = (0..=last).filter_map(|nr| Some((nr, Sysno::new(nr)?)));
    known.map(|(nr, call)| Ok((u32::try_from(nr)?, call.name()))).collect()
}

/// Fails if the kernel header names a call that the table lacks or numbers differently.
pub(super) fn verify() -> Result<()> {
    let calls = calls()?;
    let header = fs::read_to_string(KERNEL_HEADER).context(KERNEL_HEADER)?;
    let mut seen = 0;
    for line in header.lines() {
        let Some((name, number)) = line.strip_prefix("#define __NR_").and_then(|rest| rest.split_once(' '))
        else {
            continue;
        };
        let number: u32 = number.trim().parse().with_context(|| format!("{KERNEL_HEADER}: {line}"))?;
        ensure!(calls.get(&number) == Some(&name), "{name} is {number} in {KERNEL_HEADER}");
        seen += 1;
    }
    ensure!(seen > 300, "{KERNEL_HEADER} names only {seen} calls");
    Ok(())
}

/// The table of calls, with the widths of `data/widths.txt`.
pub(super) fn table(widths: &str) -> Result<String> {
    let calls = calls()?;
    let mut widths: BTreeMap<&str, u16> = super::lines(widths).map(width_line).collect::<Result<_>>()?;
    let mut text = String::from("//! System calls of x86_64.\n\nuse crate::arch::Row;\n\n");
    text += "/// Every call, by number.\npub(crate) static CALLS: &[Row] = &[\n";
    for (nr, name) in &calls {
        let widths = widths.remove(name).unwrap_or(0);
        writeln!(text, "    Row {{ nr: {nr}, name: \"{name}\", widths: 0x{widths:03x} }},")?;
    }
    ensure!(widths.is_empty(), "data/widths.txt names unknown calls: {:?}", widths.keys());
    text += "];\n\n/// Positions in [`CALLS`], by name.\npub(crate) static BY_NAME: &[u16] = &[\n";
    let mut by_name: Vec<(&str, usize)> = calls.values().enumerate().map(|(at, name)| (*name, at)).collect();
    by_name.sort_unstable();
    for (_, at) in by_name {
        writeln!(text, "    {at},")?;
    }
    Ok(text + "];\n")
}

/// `name letters`: two bits per argument.
fn width_line(line: &str) -> Result<(&str, u16)> {
    let (name, letters) = line.split_once(' ').with_context(|| format!("data/widths.txt: {line}"))?;
    ensure!(letters.len() <= 6, "data/widths.txt: {line}: more than six arguments");
    let mut bits = 0;
    for (arg, letter) in letters.chars().enumerate() {
        let code: u16 = match letter {
            'q' => 0,
            'w' => 1,
            'h' => 2,
            _ => bail!("data/widths.txt: {line}: letter {letter:?}"),
        };
        bits |= code << (2 * arg);
    }
    Ok((name, bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_two_bits_each() {
        assert_eq!(width_line("chmod qh").unwrap(), ("chmod", 0b1000));
        assert!(width_line("chmod qx").is_err());
        assert!(width_line("chmod qqqqqqq").is_err());
        assert!(width_line("chmod").is_err());
    }

    #[test]
    fn an_unknown_call_is_refused() {
        assert!(table("open_sesame ww").is_err());
        assert!(table("ioctl www").unwrap().contains("Row { nr: 16, name: \"ioctl\", widths: 0x015 },"));
    }

    #[test]
    fn the_table_agrees_with_the_kernel_header_and_has_the_newest_call() {
        verify().unwrap();
        assert_eq!(calls().unwrap().get(&469), Some(&"file_setattr"));
    }
}
