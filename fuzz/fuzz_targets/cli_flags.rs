//! Any words on the command line are read or refused; reading them does nothing, so it can be repeated.
#![no_main]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let words: Vec<OsString> =
        bytes.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec())).collect();
    assert_eq!(belljar_cli::understands(&words), belljar_cli::understands(&words));
});
