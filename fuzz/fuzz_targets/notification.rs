//! Whatever stands in a record of a call, it is a call of the broker's table with its objects where the kernel takes them, or
//! none.
#![no_main]

use belljar::broker::Reading;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: [u8; 80]| {
    let Some(read) = Reading::of(&bytes) else { return };
    assert_eq!(read.descriptor.is_none(), read.path.is_some(), "{read:?}");
    let address = |at: usize| u64::from_ne_bytes(bytes[32 + 8 * at..][..8].try_into().unwrap());
    for (_, path) in [read.path, read.second].into_iter().flatten() {
        assert!((0..6).any(|at| address(at) == path), "{read:?}");
    }
});
