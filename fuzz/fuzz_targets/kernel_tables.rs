//! Tables of the kernel hold names that others choose: of programs, of places, of control groups. Any text is read or is none.
#![no_main]

use belljar::probe::Cgroup;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    assert!(
        belljar::learn::hostile::mounts(bytes) <= bytes.iter().filter(|byte| **byte == b'\n').count() + 1
    );
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(mask) = belljar::broker::hostile::process(text) {
        assert!(mask <= 0o777);
    }
    // Nothing of it exists, whatever is named.
    assert!(matches!(belljar::probe::hostile::groups(text), Cgroup::None));
});
