//! What a service costs: its start, and a request beside the same thing done by oneself. Then a start of a program that has answers.

use anyhow::Result;

use super::Bench;
use crate::bench::figures::Series;
use crate::bench::helper::Effort;
use crate::bench::report::{Table, ms, ratio, us};

/// Name of a service, what it is asked, and what is done without it.
const ROWS: &[(&str, &str)] = &[
    ("fileargs", "a file, opened and closed"),
    ("dns", "addresses of localhost, beside getaddrinfo"),
    ("net", "a connection on the own loopback, until the first byte"),
    ("users", "an account by number, beside a look at /etc/passwd"),
    ("log", "a line, beside a write to the file"),
    ("time", "a zone, beside reading its file"),
    ("random", "32 bytes, beside getrandom"),
];

/// Flags that a program which knows nothing of services is started with.
const ANSWERED: &[&[&str]] = &[
    &[],
    &["--service", "fileargs"],
    &["--service", "dns=localhost"],
    &["--service", "users=root"],
    &["--service", "log=fd:2"],
];

/// Services as processes.
pub(super) fn processes(bench: &Bench<'_>) -> Result<Table> {
    let found = bench.helper.services(bench.account, 100, 20)?;
    let series = |key: String| Series::read(&serde_json::json!({"name": &key, "samples": found[&key]}));
    let mut table = Table::new(&[
        "",
        "start, median ms",
        "request, median us",
        "x a bare round trip",
        "by oneself, median us",
    ]);
    for (name, what) in ROWS {
        let keys = [format!("{name} start"), (*name).to_owned(), format!("{name} plain"), "bare".to_owned()];
        let [Some(start), Some(own), Some(plain), Some(bare)] = keys.map(series) else { continue };
        let cells = [ms(start.median()), us(own.median()), ratio(own.over(&bare)), us(plain.median())];
        table.row([format!("`{name}`: {what}")].into_iter().chain(cells));
    }
    Ok(table)
}

/// Starts with answers.
pub(super) fn answered(bench: &Bench<'_>) -> Result<Table> {
    let line = |flags: &&'static [&'static str]| {
        let words = ["{belljar}", "run", "-r", "{bin}", "-w", "{work}"]
            .iter()
            .chain(*flags)
            .chain(&["--", "/bin/true"]);
        (flags.last().copied().unwrap_or("none"), words.map(|word| bench.places.fill(word)).collect())
    };
    let rows: Vec<(&str, Vec<String>)> = ANSWERED.iter().map(line).collect();
    let effort = Effort { measure: "wall", rounds: 100, seconds: 15 };
    let found = bench.helper.series(bench.account, &effort, &rows)?;
    let mut table = Table::new(&["--service", "median ms", "least ms", "x none"]);
    for one in &found {
        let base = found.first().map_or_else(|| "-".to_owned(), |base| ratio(one.over(base)));
        table.row([one.name.clone(), ms(one.median()), ms(one.least()), base]);
    }
    Ok(table)
}
