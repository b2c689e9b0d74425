//! Families of calls that do each other's work.

use std::fmt::Write;

use anyhow::{Context, Result};

use super::number;

/// The table of `data/families.txt`.
pub(super) fn table(data: &str) -> Result<String> {
    let mut text =
        String::from("//! Calls that can do each other's work.\n\nuse crate::closure::Family;\n\n");
    text += "/// All families.\npub(crate) static FAMILIES: &[Family] = &[\n";
    for line in super::lines(data) {
        text += &row(line).with_context(|| format!("data/families.txt: {line}"))?;
    }
    Ok(text + "];\n")
}

fn row(line: &str) -> Result<String> {
    let (calls, reason) = line.split_once(" | ").context("calls | reason expected")?;
    let complete = calls.starts_with("+ ");
    let calls = calls.trim_start_matches("+ ");
    let (members, others) = calls.split_once(" > ").unwrap_or((calls, ""));
    let mut text = format!("    // {calls}\n    Family {{\n");
    writeln!(text, "        members: &{:?},", numbers(members)?)?;
    writeln!(text, "        others: &{:?},", numbers(others)?)?;
    writeln!(text, "        complete: {complete},\n        reason: {reason:?},\n    }},")?;
    Ok(text)
}

fn numbers(names: &str) -> Result<Vec<u32>> {
    names.split_whitespace().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_set_members_others_and_completeness() {
        let text = table("+ open openat > creat | each opens").unwrap();
        assert!(text.contains("members: &[2, 257],"), "{text}");
        assert!(text.contains("others: &[85],") && text.contains("complete: true,"), "{text}");
        assert!(table("open opennat | each opens").is_err());
        assert!(table("open openat").is_err());
    }
}
