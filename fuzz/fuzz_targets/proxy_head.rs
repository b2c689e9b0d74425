//! Any bytes are a head, part of one, or none; no more is taken than there is.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    assert!(belljar_net::hostile::http(bytes) <= bytes.len());
});
