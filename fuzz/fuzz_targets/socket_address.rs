//! A socket address is read from memory that a jar can change: whatever it holds, a path in it is one.
#![no_main]

use belljar::broker::hostile::socket_address;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(path) = socket_address(bytes) {
        let path = path.as_os_str().as_encoded_bytes();
        assert!(!path.is_empty() && !path.contains(&0) && path.len() < bytes.len());
    }
});
