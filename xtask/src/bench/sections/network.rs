//! What the way through networks by name costs: a server on the host's loopback, reached directly and from a jar by its name.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use super::Bench;
use crate::bench::figures::named;
use crate::bench::helper::Effort;
use crate::bench::report::{Number, Table, ratio};

const PLAIN: &str = "no box";
const NAMED: &str = "belljar --net NAME:PORT";
/// A second hop by `splice` in a plain loop: no jar, nobody who decides.
const HOP: &str = "kernel: a second hop";

/// What is measured, how much of it, and the number that goes with it.
struct Row {
    title: &'static str,
    what: &'static str,
    amount: &'static str,
    number: &'static str,
    /// Name of the kernel's part of it; none = it is not measured.
    floor: Option<&'static str>,
    is_ratio: bool,
}

const ROWS: &[Row] = &[
    Row {
        title: "connect, us",
        what: "connect",
        amount: "300",
        number: "connect by name",
        floor: None,
        is_ratio: false,
    },
    Row {
        title: "connect to first byte, us",
        what: "answer",
        amount: "300",
        number: "first byte by name",
        floor: None,
        is_ratio: false,
    },
    Row {
        title: "1 GiB, GB/s",
        what: "bytes",
        amount: "1073741824",
        number: "bytes by name",
        floor: Some("kernel's bytes by name"),
        is_ratio: true,
    },
];

/// A server that ends with the section.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop((self.0.kill(), self.0.wait()));
    }
}

pub(super) fn run(bench: &Bench<'_>) -> Result<Table> {
    let (server, port) = serve(bench, &["bytes"])?;
    let (relay, hop) = serve(bench, &["relay", &port])?;
    let effort = Effort { measure: "printed", rounds: 11, seconds: 40 };
    let mut table = Table::new(&["", "no box", HOP, NAMED, "difference", "x no box"]);
    for row in ROWS {
        let mut rows = vec![(PLAIN, plain(bench, row, &port)), (NAMED, by_name(bench, row, &port))];
        rows.extend(row.floor.map(|_| (HOP, plain(bench, row, &hop))));
        let series = bench.helper.series(bench.account, &effort, &rows)?;
        let pair = named(&series, PLAIN).zip(named(&series, NAMED));
        let (base, own) = pair.context("two series")?;
        let (above, times) = (own.above(base), own.over(base));
        let floor = row.floor.zip(named(&series, HOP));
        table.row([
            row.title.to_owned(),
            format!("{:.2}", base.median()),
            floor.map_or("-".to_owned(), |(_, hop)| format!("{:.2}", hop.median())),
            format!("{:.2}", own.median()),
            format!("{above:+.2}"),
            ratio(times),
        ]);
        let value = if row.is_ratio { times } else { above };
        let floor = floor.map(|(name, hop)| Number { name, value: hop.over(base) });
        table = table.with([Number { name: row.number, value }].into_iter().chain(floor));
    }
    drop((server, relay));
    Ok(table)
}

/// Starts a server, which prints its port.
fn serve(bench: &Bench<'_>, words: &[&str]) -> Result<(Server, String)> {
    let mut command = Command::new(bench.places.fill("{bin}/bench"));
    let mut child = command.args(words).stdout(Stdio::piped()).spawn().context("the server")?;
    let output = child.stdout.take().context("its output")?;
    let server = Server(child);
    let mut port = String::new();
    BufReader::new(output).read_line(&mut port)?;
    Ok((server, port.trim().to_owned()))
}

fn plain(bench: &Bench<'_>, row: &Row, port: &str) -> Vec<String> {
    filled(bench, &["{bin}/bench", "reach", row.what, "127.0.0.1", port, row.amount])
}

fn by_name(bench: &Bench<'_>, row: &Row, port: &str) -> Vec<String> {
    let grant = format!("bench.test:{port}");
    let head = [
        "{belljar}",
        "run",
        "-n",
        &grant,
        "--host",
        "bench.test=127.0.0.1",
        "-r",
        "{bin}",
        "-w",
        "{work}",
        "--",
    ];
    let command = ["{bin}/bench", "reach", row.what, "bench.test", port, row.amount];
    filled(bench, &[&head[..], &command].concat())
}

fn filled(bench: &Bench<'_>, words: &[&str]) -> Vec<String> {
    words.iter().map(|word| bench.places.fill(word)).collect()
}
