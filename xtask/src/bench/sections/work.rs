//! Commands as people run them.

use std::fmt::Write;
use std::fs;

use anyhow::Result;

use super::{Bench, SYSTEM};
use crate::bench::figures::named;
use crate::bench::helper::Effort;
use crate::bench::peers::{BELLJAR, BELLJAR_NET_OFF, BWRAP, LANDLOCK, PLAIN, Peer};
use crate::bench::report::{Number, Table, ms, ratio};
use crate::command::must;

/// Name of the number, of the kernel's part of it where commands open so much that it counts, and the command, run in the work
/// folder.
const COMMANDS: &[(&str, Option<&str>, &[&str])] = &[
    ("compile", None, &["gcc", "-O1", "-c", "program.c", "-o", "program.o"]),
    ("tar and gzip", None, &["tar", "-czf", "archive.tgz", "-C", "/usr/include", "linux", "c++"]),
    (
        "grep -r",
        Some("kernel's grep -r"),
        &["sh", "-c", "cd /usr/include && grep -r no_such_word . . . . || true"],
    ),
    ("git status", Some("kernel's git status"), &["git", "-C", "repository-{box}", "status", "--short"]),
];

const PEERS: &[&Peer] = &[PLAIN, BWRAP, BELLJAR, BELLJAR_NET_OFF];

/// Each command in each box.
pub(super) fn run(bench: &Bench<'_>) -> Result<Table> {
    let effort = Effort { measure: "wall", rounds: 31, seconds: 12 };
    let peers = bench.usable(PEERS, SYSTEM);
    prepare(bench, &peers)?;
    let names = peers.iter().map(|peer| peer.name);
    let head: Vec<&str> = [""].into_iter().chain(names).chain([LANDLOCK.name]).collect();
    let mut table = Table::new(&head);
    for (name, floor, command) in COMMANDS {
        let mut rows: Vec<_> =
            peers.iter().map(|peer| (peer.name, peer.line(command, bench.places))).collect();
        // In no box, so that it uses what belongs to none.
        let plain = PLAIN.line(command, bench.places);
        rows.extend(floor.map(|_| (LANDLOCK.name, [LANDLOCK.line(&[], bench.places), plain].concat())));
        let series = bench.helper.series(bench.account, &effort, &rows)?;
        let Some(base) = named(&series, PLAIN.name) else { continue };
        let times = |name: &str| named(&series, name).map(|own| own.over(base));
        let columns = head.iter().skip(2);
        let cells = columns.map(|name| times(name).map_or("-".to_owned(), ratio));
        table.row([(*name).to_owned(), ms(base.median())].into_iter().chain(cells));
        let own = times(BELLJAR.name).map(|value| Number { name, value });
        let alone = floor.zip(times(LANDLOCK.name)).map(|(name, value)| Number { name, value });
        table = table.with(own.into_iter().chain(alone));
    }
    Ok(table)
}

/// A C program of some size, and a repository with as many files as the kernel's: work that outweighs the start, which
/// has numbers of its own. Each box has a repository of its own: a jar of root runs as nobody, and git reads every file again
/// that belongs to somebody else than when it wrote its index. The rounds before the measured ones write it inside the box.
fn prepare(bench: &Bench<'_>, peers: &[&Peer]) -> Result<()> {
    let mut program = String::from("#include <stdio.h>\n#include <stdlib.h>\n");
    for number in 0..150 {
        writeln!(
            program,
            "int f{number}(int a, int b) {{ for (int i = 0; i < b; i++) a += i * {number} % (a + 7); return a; }}"
        )?;
    }
    fs::write(bench.places.work.join("program.c"), program)?;
    let copies: Vec<String> =
        peers.iter().map(|peer| format!("cp -a repository repository-{}", peer.word())).collect();
    let script = format!("{REPOSITORY} && {}", copies.join(" && "));
    let mut command = bench.account.command("sh".as_ref(), 600);
    must(command.args(["-c", &script]).current_dir(&bench.places.work))
}

/// The threshold puts all files into one pack: git would pack loose ones by itself, beside everything that comes after.
const REPOSITORY: &str = "git init -q repository && cd repository && for i in $(seq 400); do mkdir d$i; \
    for j in $(seq 200); do echo $i $j >d$i/f$j; done; done && git -c core.bigFileThreshold=1 add . && \
    git -c user.name=bench -c user.email=bench@localhost commit -qm all && echo new >d1/f1 && cd ..";
