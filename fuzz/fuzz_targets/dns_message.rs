//! Any bytes get a short reply with their own number, or none.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(reply) = belljar_net::hostile::dns(bytes) {
        assert!(reply.len() <= 512 && reply.get(..2) == bytes.get(..2));
    }
});
