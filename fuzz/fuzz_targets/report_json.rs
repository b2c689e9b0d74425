//! Any text is a report or is none; one that is read has an exit status of ours.
#![no_main]

use belljar::report::Report;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(report) = Report::from_json(text) {
        let _: u8 = report.verdict.exit_code();
        assert!(Report::from_json(text).is_ok_and(|again| again.verdict == report.verdict));
    }
});
