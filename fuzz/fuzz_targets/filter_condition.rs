//! Any condition text is parsed or refused with a message.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match belljar_bpf::parse_condition(text) {
        Ok(condition) => assert_eq!(Ok(condition), belljar_bpf::parse_condition(text)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
