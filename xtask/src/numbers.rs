//! The measured promises of SPECIFICATION.md: the table of BENCHMARKS.md, copied, so that what the last measurement
//! missed is called missed where it is promised.

use anyhow::{Context, Result};

use crate::generate::put;
use crate::tree;

const PAGE: &str = "SPECIFICATION.md";
const HEADING: &str = "\n## Promises\n\n";
const BEGIN: &str = "<!-- copied from BENCHMARKS.md by `cargo xtask generate numbers` -->\n\n";
const END: &str = "\n<!-- end of the copy -->";

/// Writes the table between its marks, or with `check` fails when it differs.
pub(crate) fn generate(check: bool) -> Result<()> {
    let benchmarks = tree::read("BENCHMARKS.md")?;
    let table = promises(&benchmarks).context("BENCHMARKS.md has no table of promises")?;
    let page =
        replaced(&tree::read(PAGE)?, table).with_context(|| format!("{PAGE} has no marks for the table"))?;
    put(PAGE, &page, check)
}

/// The rows below the heading, up to the empty line.
fn promises(benchmarks: &str) -> Option<&str> {
    let (_, rest) = benchmarks.split_once(HEADING)?;
    let end = rest.find("\n\n")?;
    rest.get(..=end)
}

fn replaced(page: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some([before, BEGIN, table, END, after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_replaces_what_stands_between_the_marks() {
        let benchmarks = "x\n\n## Promises\n\n| a |\n| **2** missed |\n\n## Next\n";
        let table = promises(benchmarks).unwrap();
        assert_eq!(table, "| a |\n| **2** missed |\n");
        let page = format!("head\n{BEGIN}| old |\n{END}\ntail\n");
        assert_eq!(replaced(&page, table).unwrap(), format!("head\n{BEGIN}{table}{END}\ntail\n"));
        assert!(replaced("no marks", table).is_none());
    }
}
