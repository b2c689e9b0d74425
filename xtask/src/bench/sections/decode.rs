//! Pictures, each in a fresh worker, beside the same decoders without any.

use std::fs;

use anyhow::Result;

use super::Bench;
use crate::bench::figures::named;
use crate::bench::helper::Effort;
use crate::bench::report::{Number, Table, ms, ratio};
use crate::command::must;

const WITHOUT: &str = "in the program itself";
const ARENA: &str = "the same with the workers' allocator";
const WORKERS: &str = "a fresh worker each";

/// One hundred pictures, one after another in either case.
pub(super) fn run(bench: &Bench<'_>) -> Result<Table> {
    let (places, out) = (bench.places, bench.places.work.join("thumbnails"));
    let pictures = places.work.join("pictures");
    let without = places.bin.join("bench-decode");
    must(bench.account.command(&without, 120).arg("make").arg(&pictures))?;
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let (program, from, to) = (without.to_string_lossy(), pictures.to_string_lossy(), out.to_string_lossy());
    let [plain, arena] = ["run", "run-in-arena"].map(|how| words(&[&program, how, &from, &to]));
    let helper = places.bin.join("belljar-decode");
    let mut workers = words(&[&helper.to_string_lossy(), "--image", "--out", &to, "--thumbnail", "256"]);
    workers.extend(words(&["--jobs", "1", "--overwrite", "--quiet", "--"]));
    for entry in fs::read_dir(&pictures)? {
        workers.push(entry?.path().to_string_lossy().into_owned());
    }
    let effort = Effort { measure: "wall", rounds: 11, seconds: 40 };
    let series = bench.helper.series(
        bench.account,
        &effort,
        &[(WITHOUT, plain), (ARENA, arena), (WORKERS, workers)],
    )?;
    let mut table = Table::new(&["", "ms", "x in the program itself"]);
    for own in &series {
        let times = named(&series, WITHOUT).map(|base| own.over(base));
        table.row([own.name.clone(), ms(own.median()), times.map_or("-".to_owned(), ratio)]);
        if own.name == WORKERS {
            table = table.with(times.map(|value| Number { name: "decode", value }));
        }
    }
    Ok(table)
}
