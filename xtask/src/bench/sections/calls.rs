//! What a system call costs inside a box.

use anyhow::Result;

use super::{Bench, OWN};
use crate::bench::figures::named;
use crate::bench::helper::Effort;
use crate::bench::peers::{BELLJAR, BWRAP, FILTER, FIREJAIL, LANDLOCK, PLAIN, Peer};
use crate::bench::report::{Number, Table, ratio};

/// Name of the number, of the kernel's part of it, and the loop of the helper.
const LOOPS: &[(&str, &str, &[&str])] = &[
    ("getppid", "kernel's getppid", &["{bin}/bench", "getppid", "300000"]),
    ("open+close", "kernel's open+close", &["{bin}/bench", "open", "60000"]),
];

const PEERS: &[&Peer] = &[PLAIN, FILTER, LANDLOCK, BWRAP, BELLJAR, FIREJAIL];

/// Each loop in each box.
pub(super) fn run(bench: &Bench<'_>) -> Result<Table> {
    let effort = Effort { measure: "printed", rounds: 11, seconds: 15 };
    let peers = bench.usable(PEERS, OWN);
    let mut table = Table::new(&["", "", "ns", "x no box"]);
    for (name, floor, command) in LOOPS {
        let series = bench.series(&peers, command, &effort)?;
        let base = named(&series, PLAIN.name);
        for own in &series {
            let times = base.map(|base| own.over(base));
            let shown = times.map_or("-".to_owned(), ratio);
            table.row([(*name).to_owned(), own.name.clone(), format!("{:.0}", own.median()), shown]);
            let number =
                [(BELLJAR, name), (LANDLOCK, floor)].into_iter().find(|(peer, _)| own.name == peer.name);
            table = table.with(number.zip(times).map(|((_, name), value)| Number { name, value }));
        }
    }
    Ok(table)
}
