//! Bytes on the socket between supervisor and init are a message, which says the same when it is written again, or none.
#![no_main]

use belljar_sys::wire::{Command, Event};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(event) = Event::decode(bytes) {
        assert_eq!(Event::decode(&event.encode()), Some(event));
    }
    if let Some(command) = bytes.try_into().ok().and_then(Command::decode) {
        assert_eq!(command.encode(), bytes);
    }
});
