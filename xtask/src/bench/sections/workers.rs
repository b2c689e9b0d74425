//! What a worker of the library costs: its start, a call, a large buffer, its memory.

use anyhow::Result;

use super::Bench;
use crate::bench::figures::Series;
use crate::bench::peers::BWRAP;
use crate::bench::report::{Number, Table, ms, ratio};

/// Key of the helper's answer, what it is, and the key that it is compared with.
const ROWS: &[(&str, &str, &str)] = &[
    ("worker", "worker of a warm zygote: sealed off and waiting", "spawn"),
    ("forked", "the same with none forked beforehand", "spawn"),
    ("spawn", "posix_spawn to end of /bin/true", "spawn"),
    ("boxed", "/bin/true in bwrap", "spawn"),
    ("call", "call, 1 KiB each way", "bare"),
    ("bare", "round trip of 1 KiB over a pair of sockets", "bare"),
    ("handed", "64 MiB to a worker that reads each page", "copied"),
    ("copied", "64 MiB copied and read in one process", "copied"),
];

/// Workers beside what they replace.
pub(super) fn run(bench: &Bench<'_>) -> Result<Table> {
    let boxed = BWRAP.line(&["/bin/true"], bench.places);
    let found = bench.helper.workers(bench.account, 300, 15, &boxed)?;
    let series = |key: &str| Series::read(&serde_json::json!({"name": key, "samples": found[key]}));
    let mut table = Table::new(&["", "median ms", "least ms", "x"]);
    for (key, what, base) in ROWS {
        let Some((own, base)) = series(key).zip(series(base)) else { continue };
        let cells = [(*what).to_owned(), ms(own.median()), ms(own.least()), ratio(own.over(&base))];
        table.row(cells);
    }
    let start = series("worker").map(|own| Number { name: "worker start", value: own.median() / 1000.0 });
    let call = series("call").zip(series("bare"));
    let call = call.map(|(own, base)| Number { name: "worker call", value: own.over(&base) });
    let memory = found["private"].as_f64();
    if let Some(kib) = memory {
        table.row([
            "a waiting worker's own memory, KiB".to_owned(),
            format!("{kib:.0}"),
            "-".to_owned(),
            "-".to_owned(),
        ]);
    }
    let memory = memory.map(|value| Number { name: "worker's memory", value });
    Ok(table.with(start.into_iter().chain(call).chain(memory)))
}
