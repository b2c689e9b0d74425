//! What it costs to start something.

use anyhow::{Context, Result};

use super::{Bench, OWN, SYSTEM};
use crate::bench::figures::{Series, named};
use crate::bench::helper::Effort;
use crate::bench::peers::{
    BARE, BELLJAR, BELLJAR_NET_OFF, BWRAP, BWRAP_HOST_NET, FIREJAIL, PLAIN, Peer, RUNSC,
};
use crate::bench::report::{Number, Table, ms, ratio};
use crate::command::output;

const QUICK: &[&Peer] = &[PLAIN, BARE, BWRAP, BWRAP_HOST_NET, BELLJAR, BELLJAR_NET_OFF];
const SLOW: &[&Peer] = &[PLAIN, BWRAP, BELLJAR, FIREJAIL, RUNSC];
const TRUE: &[&str] = &["/bin/true"];

/// Start to exit of a dynamic program in each quick box.
pub(super) fn dynamic(bench: &Bench<'_>) -> Result<Table> {
    let effort = Effort { measure: "wall", rounds: 300, seconds: 12 };
    let series = bench.series(&bench.usable(QUICK, SYSTEM), TRUE, &effort)?;
    let numbers = [
        ("start", BELLJAR, BWRAP),
        ("kernel's start", BARE, BWRAP),
        ("start --net off", BELLJAR_NET_OFF, BWRAP),
        ("start --net off, host network", BELLJAR_NET_OFF, BWRAP_HOST_NET),
    ];
    Ok(table(&series)
        .with(numbers.into_iter().filter_map(|(name, own, base)| over(&series, name, own, base))))
}

/// The same with a program that only exits.
pub(super) fn small(bench: &Bench<'_>) -> Result<Table> {
    let effort = Effort { measure: "wall", rounds: 300, seconds: 12 };
    let series = bench.series(&bench.usable(QUICK, OWN), &["{bin}/bench", "exit"], &effort)?;
    let number = over(&series, "start of a static program", BELLJAR, BWRAP);
    Ok(table(&series).with(number))
}

/// Boxes that need tens of milliseconds.
pub(super) fn slow(bench: &Bench<'_>) -> Result<Table> {
    let effort = Effort { measure: "wall", rounds: 25, seconds: 15 };
    Ok(table(&bench.series(&bench.usable(SLOW, SYSTEM), TRUE, &effort)?))
}

/// From the library, over a plain spawn of the same program.
pub(super) fn library(bench: &Bench<'_>) -> Result<Table> {
    let effort = Effort { measure: "wall", rounds: 300, seconds: 10 };
    let series = bench.helper.library(bench.account, &effort, TRUE)?;
    let mut table = Table::new(&["", "median", "least", "over a plain spawn"]);
    let base = named(&series, "plain spawn").context("a plain spawn")?;
    for own in &series {
        table.row([own.name.clone(), ms(own.median()), ms(own.least()), ms(own.above(base))]);
    }
    let numbers = [("library", "library"), ("kernel's library", BARE.name)];
    let added = numbers.into_iter().filter_map(|(name, row)| {
        let value = named(&series, row)?.above(base) / 1000.0;
        Some(Number { name, value })
    });
    Ok(table.with(added))
}

fn over(series: &[Series], name: &'static str, own: &Peer, base: &Peer) -> Option<Number> {
    let value = named(series, own.name)?.over(named(series, base.name)?);
    Some(Number { name, value })
}

fn table(series: &[Series]) -> Table {
    let mut table = Table::new(&["", "median", "least", "x no box", "x bwrap"]);
    for own in series {
        let times =
            |base: &Peer| named(series, base.name).map_or("-".to_owned(), |base| ratio(own.over(base)));
        table.row([own.name.clone(), ms(own.median()), ms(own.least()), times(PLAIN), times(BWRAP)]);
    }
    table
}

/// Runs a second, each box for itself.
pub(super) fn rate(bench: &Bench<'_>) -> Result<Table> {
    let effort = Effort { measure: "wall", rounds: 2000, seconds: 3 };
    let mut table = Table::new(&["", "starts a second"]);
    for peer in bench.usable(QUICK, SYSTEM) {
        let series = bench.series(&[peer], TRUE, &effort)?;
        let rate = series.first().context("one series")?.per_second();
        table.row([peer.name.to_owned(), format!("{rate:.0}")]);
        let numbers = [(BELLJAR, "starts a second"), (BARE, "kernel's starts a second")];
        let number = numbers.into_iter().find(|(of, _)| of.name == peer.name);
        table = table.with(number.map(|(_, name)| Number { name, value: rate }));
    }
    Ok(table)
}

/// System calls made by all processes of a start.
pub(super) fn calls(bench: &Bench<'_>) -> Result<Table> {
    let bare = counted(bench, PLAIN)?;
    let mut table = Table::new(&["", "system calls"]);
    for peer in bench.usable(&[BWRAP, BELLJAR, BELLJAR_NET_OFF], SYSTEM) {
        let own = counted(bench, peer)? - bare;
        table.row([peer.name.to_owned(), format!("{own}")]);
        if peer.name == BELLJAR.name {
            table = table.with([Number { name: "system calls of a start", value: own }]);
        }
    }
    Ok(table)
}

fn counted(bench: &Bench<'_>, peer: &Peer) -> Result<f64> {
    let file = bench.places.work.join("strace");
    let mut command = bench.account.command("strace".as_ref(), 60);
    command.args(["-f", "-c", "-o"]).arg(&file).args(peer.line(TRUE, bench.places));
    output(command.current_dir(&bench.places.work))?;
    total(&std::fs::read_to_string(file)?).context("strace printed no total")
}

/// The count in the line that `strace -c` ends with: `100.00 SECONDS USECS CALLS [ERRORS] total`.
fn total(text: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.trim_end().ends_with(" total"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_total_of_strace_is_its_fourth_word() {
        let text = "  0.00    0.000000           0         1           brk\n\
                    100.00    0.000812           2       312        17 total\n";
        assert_eq!(super::total(text), Some(312.0));
        assert_eq!(super::total("nothing"), None);
    }
}
