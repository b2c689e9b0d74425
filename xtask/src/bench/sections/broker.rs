//! What the broker costs.

use anyhow::Result;

use super::{Bench, OWN};
use crate::bench::figures::named;
use crate::bench::helper::Effort;
use crate::bench::peers::{BELLJAR, BELLJAR_TRACE, PLAIN, Peer};
use crate::bench::report::{Number, Table, ratio};

/// One loop.
struct Loop {
    name: &'static str,
    /// Name of the number, and of the kernel's part of it.
    number: &'static str,
    floor: &'static str,
    /// The loop of the helper, and the same answered by a listener that looks at nothing.
    command: &'static [&'static str],
    bare: &'static [&'static str],
}

const LOOPS: &[Loop] = &[
    Loop {
        name: "open+close",
        number: "brokered open+close",
        floor: "kernel's brokered open+close",
        command: &["{bin}/bench", "open", "10000"],
        bare: &["{bin}/bench", "floor", "opened", "10000"],
    },
    Loop {
        name: "refused",
        number: "brokered refusal",
        floor: "kernel's brokered refusal",
        command: &["{bin}/bench", "refused", "10000", "/etc/there/is/none"],
        bare: &["{bin}/bench", "floor", "refused", "10000"],
    },
];

/// Name of the row for a listener that looks at nothing.
const BARE: &str = "kernel: asking a process";

const PEERS: &[&Peer] = &[PLAIN, BELLJAR, BELLJAR_TRACE];
/// Requests at once.
const CROWD: usize = 1000;

/// Each loop in each box.
pub(super) fn calls(bench: &Bench<'_>) -> Result<Table> {
    let effort = Effort { measure: "printed", rounds: 11, seconds: 20 };
    let peers = bench.usable(PEERS, OWN);
    let mut table = Table::new(&["", "", "ns", "x no box"]);
    for Loop { name, number, floor, command, bare } in LOOPS {
        let boxes = peers.iter().map(|peer| (peer.name, peer.line(command, bench.places)));
        let rows: Vec<_> = boxes.chain([(BARE, PLAIN.line(bare, bench.places))]).collect();
        let series = bench.helper.series(bench.account, &effort, &rows)?;
        let base = named(&series, PLAIN.name);
        for own in &series {
            let times = base.map(|base| own.over(base));
            let shown = times.map_or("-".to_owned(), ratio);
            table.row([(*name).to_owned(), own.name.clone(), format!("{:.0}", own.median()), shown]);
            let named =
                [(BELLJAR_TRACE.name, number), (BARE, floor)].into_iter().find(|(row, _)| own.name == *row);
            table = table.with(named.zip(times).map(|((_, name), value)| Number { name, value }));
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
