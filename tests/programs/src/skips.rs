//! The checked-in list of rows that may be skipped: `NAME WHO` per line, WHO one of `root`, `user`, `any`.

use crate::options::Options;

const EXPECTED: &str = include_str!("../expected-skips.txt");

/// One line per row that was skipped although it must run, or ran although it is listed as skipped.
pub(crate) fn surprises(skipped: &[&str], options: &Options) -> Vec<String> {
    let expected = expected(if rustix::process::geteuid().is_root() { "root" } else { "user" });
    let unlisted = skipped.iter().filter(|name| !expected.contains(*name));
    let stale = expected.iter().filter(|name| options.wants(name) && !skipped.contains(name));
    unlisted
        .map(|name| format!("skipped but not in expected-skips.txt: {name}"))
        .chain(stale.map(|name| format!("listed in expected-skips.txt but not skipped: {name}")))
        .collect()
}

fn expected(who: &str) -> Vec<&'static str> {
    let rows = EXPECTED.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|line| {
        let mut words = line.split_whitespace();
        let (name, whom) = (words.next()?, words.next()?);
        (whom == who || whom == "any").then_some(name)
    })
    .collect()
}
