//! What waiting boxes occupy.

use anyhow::Result;
use serde_json::Value;

use super::{Bench, SYSTEM};
use crate::bench::peers::{BELLJAR, BELLJAR_NET_OFF, BWRAP, FIREJAIL, PLAIN, Peer};
use crate::bench::report::{Number, Table};

const PEERS: &[&Peer] = &[PLAIN, BWRAP, BELLJAR, BELLJAR_NET_OFF, FIREJAIL];
const SLEEP: &[&str] = &["/bin/sleep", "1000"];
/// How many boxes must be able to wait beside each other.
const MANY: usize = 500;

/// Twenty of each box.
pub(super) fn few(bench: &Bench<'_>) -> Result<Table> {
    let mut table = Table::new(&[
        "",
        "processes beside the program",
        "supervisor's RSS",
        "its peak",
        "PSS of each of 20",
    ]);
    for peer in bench.usable(PEERS, SYSTEM) {
        let found = bench.helper.idle(bench.account, &peer.line(SLEEP, bench.places), 20)?;
        let cell = |name: &str| found[name].as_u64().filter(|value| *value > 0 || name == "processes");
        let cell = |name: &str| cell(name).map_or("-".to_owned(), |value| value.to_string());
        let cells = ["processes", "supervisor", "supervisor_peak", "proportional"].map(cell);
        table.row([peer.name.to_owned()].into_iter().chain(cells));
        if peer.name == BELLJAR.name {
            let numbers =
                [("supervisor's memory", "supervisor_peak"), ("processes beside the program", "processes")];
            table = table.with(numbers.into_iter().filter_map(|(name, key)| number(name, &found[key])));
        }
    }
    Ok(table)
}

/// Five hundred jars.
pub(super) fn many(bench: &Bench<'_>) -> Result<Table> {
    let mut table = Table::new(&["", "asked for", "waiting at once", "seconds to get there", "PSS of each"]);
    for peer in bench.usable(&[BELLJAR, BWRAP], SYSTEM) {
        let found = bench.helper.idle(bench.account, &peer.line(SLEEP, bench.places), MANY)?;
        let seconds = format!("{:.1}", found["seconds"].as_f64().unwrap_or(f64::NAN));
        let cells = [peer.name.to_owned(), MANY.to_string(), found["ready"].to_string(), seconds];
        table.row(cells.into_iter().chain([found["proportional"].to_string()]));
        if peer.name == BELLJAR.name {
            table = table.with(number("jars at once", &found["ready"]));
        }
    }
    Ok(table)
}

fn number(name: &'static str, value: &Value) -> Option<Number> {
    value.as_f64().map(|value| Number { name, value })
}
