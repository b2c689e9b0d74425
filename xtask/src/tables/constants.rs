//! Named constants of the condition language.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

struct Constant<'t> {
    name: &'t str,
    value: u64,
    header: &'t str,
}

fn parse(data: &str) -> Result<Vec<Constant<'_>>> {
    super::lines(data)
        .map(|line| constant(line).with_context(|| format!("data/constants.txt: {line}")))
        .collect()
}

fn constant(line: &str) -> Result<Constant<'_>> {
    let mut words = line.split_whitespace();
    let mut word = || words.next().context("NAME VALUE HEADER expected");
    let (name, value, header) = (word()?, word()?, word()?);
    let value = match value.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16)?,
        None => value.parse()?,
    };
    Ok(Constant { name, value, header })
}

/// The sorted table.
pub(super) fn table(data: &str) -> Result<String> {
    let mut sorted = BTreeMap::new();
    for Constant { name, value, .. } in parse(data)? {
        ensure!(sorted.insert(name, value).is_none(), "data/constants.txt: {name} twice");
    }
    let mut text = String::from("//! Named constants.\n\n/// Names and values, by name.\n");
    text += "pub(crate) static CONSTANTS: &[(&str, u64)] = &[\n";
    for (name, value) in sorted {
        writeln!(text, "    (\"{name}\", 0x{value:x}),")?;
    }
    Ok(text + "];\n")
}

/// Fails if the C headers give another value to a constant.
pub(super) fn verify(data: &str) -> Result<()> {
    let constants = parse(data)?;
    let mut by_header: BTreeMap<&str, Vec<&Constant<'_>>> = BTreeMap::new();
    for constant in constants.iter().filter(|constant| constant.header != "-") {
        by_header.entry(constant.header).or_default().push(constant);
    }
    by_header.iter().try_for_each(|(header, of_header)| compile(header, of_header))
}

/// Lets the C compiler check the values of one header: a wrong one is a failed assertion.
fn compile(header: &str, constants: &[&Constant<'_>]) -> Result<()> {
    let mut source = String::from("#define _GNU_SOURCE\n#include <stddef.h>\n#include <linux/types.h>\n");
    for name in header.split(',') {
        writeln!(source, "#include <{name}>")?;
    }
    for Constant { name, value, .. } in constants {
        writeln!(source, "_Static_assert((unsigned long long)({name}) == {value}ull, \"{name}\");")?;
    }
    let mut cc = Command::new("cc")
        .args(["-fsyntax-only", "-w", "-x", "c", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .context("cc, which checks data/constants.txt")?;
    cc.stdin.take().context("pipe to cc")?.write_all(source.as_bytes())?;
    ensure!(cc.wait()?.success(), "data/constants.txt disagrees with {header}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_is_found_by_the_compiler() {
        assert!(verify("TCGETS 0x5401 asm/ioctls.h").is_ok());
        assert!(verify("TCGETS 0x5402 asm/ioctls.h").is_err());
    }

    #[test]
    fn lines_with_mistakes_are_refused() {
        assert!(table("TCGETS 0x5401").is_err());
        assert!(table("TCGETS many asm/ioctls.h").is_err());
        assert!(table("A 1 -\nA 2 -").is_err());
        assert!(table("B 2 -\nA 1 -").unwrap().contains("(\"A\", 0x1),\n    (\"B\", 0x2),"));
    }
}
