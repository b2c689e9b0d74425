//! What was measured, copied to where it is told: the promises of BENCHMARKS.md into SPECIFICATION.md, so that what the last
//! measurement missed is called missed where it is promised; start times and attacks beside other boxes into README.md.

use anyhow::{Context, Result};

use crate::generate::put;
use crate::tree;

const BENCHMARKS: &str = "BENCHMARKS.md";
const SECURITY: &str = "SECURITY.md";
const END: &str = "\n<!-- end of the copy -->";

/// A page that holds a copy: the sources that its first mark names, and what is copied.
struct Copied {
    page: &'static str,
    from: &'static str,
    text: fn(benchmarks: &str, security: &str) -> Option<String>,
}

const COPIES: &[Copied] = &[
    Copied { page: "SPECIFICATION.md", from: BENCHMARKS, text: |benchmarks, _| promises(benchmarks) },
    Copied { page: "README.md", from: "BENCHMARKS.md and SECURITY.md", text: comparison },
];

/// Writes each copy between its marks, or with `check` fails when one differs.
pub(crate) fn generate(check: bool) -> Result<()> {
    let (benchmarks, security) = (tree::read(BENCHMARKS)?, tree::read(SECURITY)?);
    for Copied { page, from, text } in COPIES {
        let text = text(&benchmarks, &security).with_context(|| format!("{from}: no table for {page}"))?;
        let new = replaced(&tree::read(page)?, from, &text)
            .with_context(|| format!("{page} has no marks for what is copied from {from}"))?;
        put(page, &new, check)?;
    }
    Ok(())
}

/// The rows below the heading, up to the empty line.
fn promises(benchmarks: &str) -> Option<String> {
    let (_, rest) = benchmarks.split_once("\n## Promises\n\n")?;
    rest.get(..=rest.find("\n\n")?).map(str::to_owned)
}

/// Boxes as the columns of the copy, and as the benchmark calls them.
const BOXES: &[(&str, &str)] = &[
    ("no box", "no box"),
    ("belljar", "belljar"),
    ("bubblewrap", "bwrap"),
    ("firejail", "firejail"),
    ("gVisor (runsc)", "runsc"),
];

/// Start times of an ordinary user and attacks that got out, for each box.
fn comparison(benchmarks: &str, security: &str) -> Option<String> {
    let (_, user) = benchmarks.split_once("\n## As user ")?;
    let (_, slow) = user.split_once("\n### Slow starters\n")?;
    let slow = slow.split("\n### ").next()?;
    let median = |name: &str| row(slow, name)?.get(1).copied();
    let attacks: [&str; 3] = row(security, "**all**")?.get(1..)?.try_into().ok()?;
    let names: Vec<&str> = BOXES.iter().map(|(title, _)| *title).collect();
    let times = BOXES.iter().map(|(_, name)| median(name)).collect::<Option<Vec<_>>>()?;
    let [bubblewrap, firejail, belljar] = attacks.map(|cell| cell.trim_matches('*'));
    let escaped = ["all", belljar, bubblewrap, firejail, "not tried"];
    Some(format!(
        "| measured | {} |\n|{}\n| start to exit of `/bin/true`, ms | {} |\n| attacks that got out, of those that could be tried | {} |\n",
        names.join(" | "),
        "---|".repeat(names.len() + 1),
        times.join(" | "),
        escaped.join(" | ")
    ))
}

/// The cells of the table's row that begins with this one.
fn row<'t>(text: &'t str, first: &str) -> Option<Vec<&'t str>> {
    let rows = text.lines().filter(|line| line.starts_with('|'));
    let cells = rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    cells.into_iter().find(|cells| cells.first() == Some(&first))
}

fn replaced(page: &str, from: &str, text: &str) -> Option<String> {
    let begin = format!("<!-- copied from {from} by `cargo xtask generate numbers` -->\n\n");
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(END)?;
    Some([before, &begin, text, END, after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_replaces_what_stands_between_the_marks() {
        let benchmarks = "x\n\n## Promises\n\n| a |\n| **2** missed |\n\n## Next\n";
        let table = promises(benchmarks).unwrap();
        assert_eq!(table, "| a |\n| **2** missed |\n");
        let begin = "<!-- copied from B by `cargo xtask generate numbers` -->\n\n";
        let page = format!("head\n{begin}| old |\n{END}\ntail\n");
        assert_eq!(replaced(&page, "B", &table).unwrap(), format!("head\n{begin}{table}{END}\ntail\n"));
        assert!(replaced("no marks", "B", &table).is_none());
    }

    #[test]
    fn boxes_are_compared_by_the_ordinary_users_start_and_by_all_attacks() {
        let rows = |least: u32| {
            let row = |(at, (_, name)): (usize, &(&str, &str))| format!("| {name} | {at}.{least} | 0 |\n");
            BOXES.iter().enumerate().map(row).collect::<String>()
        };
        let section =
            |least| format!("### Slow starters\n\n| | median |\n|---|---|\n{}\n### Next\n", rows(least));
        let benchmarks = format!("\n## As root\n\n{}\n## As user 1000\n\n{}", section(1), section(2));
        let told = comparison(&benchmarks, "| **all** | **9 of 9** | **5 of 8** | **0 of 7** |\n").unwrap();
        assert!(told.contains("| 0.2 | 1.2 | 2.2 | 3.2 | 4.2 |"), "{told}");
        assert!(told.contains("| all | 0 of 7 | 9 of 9 | 5 of 8 | not tried |"), "{told}");
    }
}
