//! docs/promises.md: what each promise allows, written from its data.

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use belljar_bpf::{MEANINGLESS, Promise, joint_promises, promises, syscall_name};

use crate::generate::put;

const HEAD: &str = include_str!("promises/head.md");
const TAIL: &str = include_str!("promises/tail.md");

/// Writes the page, or with `check` fails when it differs.
pub(crate) fn generate(check: bool) -> Result<()> {
    put("docs/promises.md", &page()?, check)
}

fn page() -> Result<String> {
    let mut text = HEAD.to_owned();
    text += "| promise | allows | paths of its own | not beside |\n|---|---|---|---|\n";
    for promise in promises() {
        let paths: Vec<String> =
            promise.paths().iter().map(|(rights, path)| format!("`{path}` {rights}")).collect();
        let (never, _) = promise.never_with();
        let row = (promise.name(), promise.about(), paths.join(", "), never.join(" "));
        writeln!(text, "| `{}` | {} | {} | {} |", row.0, row.1, row.2, row.3)?;
    }
    text += "\n## Words that are refused\n\n| word | why | instead |\n|---|---|---|\n";
    for word in MEANINGLESS {
        writeln!(text, "| `{}` | {} | {} |", word.name, word.reason, word.remedy)?;
    }
    text += "\n## Promises that cannot be kept together\n\n";
    for promise in promises() {
        let (never, why) = promise.never_with();
        if !never.is_empty() {
            writeln!(text, "- `{}` beside `{}`: {why}.", promise.name(), never.join("`, `"))?;
        }
    }
    text += "\n## Calls\n\nConditions compare arguments; everything else about a call is free.\n\n";
    for promise in promises().chain(joint_promises()).filter(|promise| !promise.rows().is_empty()) {
        calls(promise, &mut text)?;
    }
    Ok(text + TAIL)
}

fn calls(promise: &Promise, text: &mut String) -> Result<()> {
    writeln!(text, "### {}\n\n{}.\n", promise.name().replace('+', " + "), promise.about())?;
    text.push_str("| call | when | why |\n|---|---|---|\n");
    for row in promise.rows() {
        let name = syscall_name(row.syscall()).unwrap_or("?");
        ensure!(!row.reason().contains('|'), "{name}: a bar in a reason breaks the table");
        let when = match row.answer() {
            Some(errno) => format!("never: fails with error {errno}"),
            None if row.condition_text().is_empty() => String::new(),
            None => format!("`{}`", row.condition_text().replace('|', "\\|")),
        };
        writeln!(text, "| `{name}` | {when} | {} |", row.reason())?;
    }
    text.push('\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_promise_and_every_refused_word_is_on_the_page() {
        let page = super::page().unwrap();
        for promise in belljar_bpf::promises() {
            assert!(page.contains(&format!("| `{}` |", promise.name())), "{}", promise.name());
        }
        for word in belljar_bpf::MEANINGLESS {
            assert!(page.contains(word.remedy), "{}", word.name);
        }
    }
}
