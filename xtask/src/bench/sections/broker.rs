//! What the broker costs.

use anyhow::Result;

use super::{Bench, OWN};
use crate::bench::figures::named;
use crate::bench::helper::Effort;
use crate::bench::peers::{BELLJAR, BELLJAR_TRACE, PLAIN, Peer};
use crate::bench::report::{Number, Table, ratio};

/// Name of the loop, of the number, and the loop of the helper.
const LOOPS: &[(&str, &str, &[&str])] = &[
    ("open+close", "brokered open+close", &["{bin}/bench", "open", "10000"]),
    ("refused", "brokered refusal", &["{bin}/bench", "refused", "10000", "/etc/there/is/none"]),
];

const PEERS: &[&Peer] = &[PLAIN, BELLJAR, BELLJAR_TRACE];
/// Requests at once.
const CROWD: usize = 1000;

/// Each loop in each box.
pub(super) fn calls(bench: &Bench<'_>) -> Result<Table> {
    let effort = Effort { measure: "printed", rounds: 11, seconds: 20 };
    let peers = bench.usable(PEERS, OWN);
    let mut table = Table::new(&["", "", "ns", "x no box"]);
    for (name, number, command) in LOOPS {
        let series = bench.series(&peers, command, &effort)?;
        let base = named(&series, PLAIN.name);
        for own in &series {
            let times = base.map(|base| own.over(base));
            let shown = times.map_or("-".to_owned(), ratio);
            table.row([(*name).to_owned(), own.name.clone(), format!("{:.0}", own.median()), shown]);
            if own.name == BELLJAR_TRACE.name {
                table = table.with(times.map(|value| Number { name: number, value }));
            }
        }
    }
    Ok(table)
}

/// Memory with many requests in flight.
pub(super) fn memory(bench: &Bench<'_>) -> Result<Table> {
    let mut table = Table::new(&["", "requests", "supervisor's RSS", "its peak"]);
    for peer in bench.usable(&[BELLJAR, BELLJAR_TRACE], OWN) {
        let command = ["{bin}/bench", "crowd", &CROWD.to_string()];
        let found = bench.helper.crowd(bench.account, &peer.line(&command, bench.places), CROWD)?;
        let cell = |name: &str| found[name].as_u64().map_or("-".to_owned(), |value| value.to_string());
        table.row([peer.name.to_owned(), CROWD.to_string(), cell("supervisor"), cell("supervisor_peak")]);
        if peer.name == BELLJAR_TRACE.name {
            let value = found["supervisor_peak"].as_f64();
            table = table.with(value.map(|value| Number { name: "broker's memory", value }));
        }
    }
    Ok(table)
}
