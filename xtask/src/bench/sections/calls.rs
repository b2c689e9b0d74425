//! What a system call costs inside a box.

use anyhow::Result;

use super::{Bench, OWN};
use crate::bench::figures::named;
use crate::bench::helper::Effort;
use crate::bench::peers::{BELLJAR, BWRAP, FIREJAIL, PLAIN, Peer};
use crate::bench::report::{Number, Table, ratio};

/// Name of the number and the loop of the helper.
const LOOPS: &[(&str, &[&str])] =
    &[("getppid", &["{bin}/bench", "getppid", "300000"]), ("open+close", &["{bin}/bench", "open", "60000"])];

const PEERS: &[&Peer] = &[PLAIN, BWRAP, BELLJAR, FIREJAIL];

/// Each loop in each box.
pub(super) fn run(bench: &Bench<'_>) -> Result<Table> {
    let effort = Effort { measure: "printed", rounds: 11, seconds: 15 };
    let peers = bench.usable(PEERS, OWN);
    let mut table = Table::new(&["", "", "ns", "x no box"]);
    for (name, command) in LOOPS {
        let series = bench.series(&peers, command, &effort)?;
        let base = named(&series, PLAIN.name);
        for own in &series {
            let times = base.map(|base| own.over(base));
            let shown = times.map_or("-".to_owned(), ratio);
            table.row([(*name).to_owned(), own.name.clone(), format!("{:.0}", own.median()), shown]);
            if own.name == BELLJAR.name {
                table = table.with(times.map(|value| Number { name, value }));
            }
        }
    }
    Ok(table)
}
