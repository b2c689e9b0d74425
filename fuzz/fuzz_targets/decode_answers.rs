//! Whatever a worker that decodes pictures answers: pixels of a size that was asked for, or a reason, or a flaw; never a panic.
#![no_main]

use belljar::worker::Buffer;
use belljar::worker::wire::{decode, encode as encoded};
use belljar_decode::{Answer, Limits, Order, encode};
use libfuzzer_sys::fuzz_target;

// The first byte splits the rest into a body and the memory beside it.
fuzz_target!(|input: &[u8]| {
    let Some((split, rest)) = input.split_first() else { return };
    let (body, memory) = rest.split_at(usize::from(*split).min(rest.len()));
    let Ok(buffer) = Buffer::copy_of(memory) else { return };
    let (_, descriptors) = encoded(&buffer).expect("a buffer can be sent");
    let limits = Limits { side: Some(64), pixels: 2048, ..Limits::default() };
    if let Ok(Answer::Picture { width, height, pixels }) = decode::<Answer>(body, descriptors) {
        let fits = u64::from(width) * u64::from(height) * 4 == pixels.len() as u64;
        if encode(width, height, &pixels, limits).is_ok() {
            assert!(fits && width <= 64 && height <= 64, "pixels of {width}x{height}");
        }
    }
    // The other way round: what the worker is asked.
    if let Ok(order) = decode::<Order>(body, Vec::new()) {
        panic!("an order without a file: {order:?}");
    }
});
