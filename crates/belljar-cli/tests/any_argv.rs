//! Whatever is typed, reading it ends with an answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use proptest::prelude::*;

/// Words that lead deep into the tree, and any bytes a kernel lets through.
fn word() -> impl Strategy<Value = OsString> {
    let known = prop::sample::select(vec![
        "run",
        "shell",
        "plan",
        "why",
        "explain",
        "doctor",
        "policy",
        "show",
        "check",
        "schema",
        "--",
        "--read",
        "-r",
        "-w",
        "--net",
        "--report",
        "--report=fd:3",
        "-v",
        "-q",
        "-vq",
        "--json",
        "--origin",
        "--help",
        "-h",
        "--version",
        "-",
        "",
        "=",
        "--=",
        "-=x",
        "/usr",
    ]);
    prop_oneof![
        3 => known.prop_map(OsString::from),
        1 => prop::collection::vec(1_u8..=255, 0..40).prop_map(OsString::from_vec),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn reading_never_panics(argv in prop::collection::vec(word(), 0..8)) {
        let again = belljar_cli::understands(&argv);
        prop_assert_eq!(belljar_cli::understands(&argv), again);
    }

    #[test]
    fn nothing_after_the_dashes_is_read(argv in prop::collection::vec(word(), 1..8)) {
        let mut whole: Vec<OsString> = vec!["run".into(), "--".into()];
        whole.extend(argv);
        prop_assert!(belljar_cli::understands(&whole));
    }
}
