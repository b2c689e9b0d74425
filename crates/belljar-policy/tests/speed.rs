//! Loading stands on the start path of every run. Run with `--release -- --ignored`.

use std::time::{Duration, Instant};

use belljar_policy::{FlagValue, Request, load};

/// Time to load the default preset with a few flags.
const BUDGET: Duration = Duration::from_micros(60);

#[test]
#[ignore = "a measurement: meaningful in release builds only"]
fn strict_and_flags_load_within_budget() {
    let flags = [
        ("-r", "/opt/tool"),
        ("-w", "out"),
        ("--net", "example.org:443"),
        ("-m", "2G"),
        ("-t", "10m"),
        ("-e", "CI=1"),
    ];
    let request = Request {
        flags: flags.map(|(flag, value)| FlagValue::new(flag, value)).to_vec(),
        cwd: "/home/u/project".into(),
        home: Some("/home/u".into()),
        ..Request::default()
    };
    let none = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
    let mut times: Vec<Duration> = (0..2000)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(load(std::hint::black_box(&request), &none).unwrap());
            start.elapsed()
        })
        .collect();
    let first = times[0];
    times.sort_unstable();
    let median = times[times.len() / 2];
    eprintln!("first {first:?}, median {median:?}, budget {BUDGET:?}");
    assert!(median < BUDGET, "{median:?}");
}
