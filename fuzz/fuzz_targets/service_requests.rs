//! Whatever a client sends to a service, and whatever a name service answers.
#![no_main]

use belljar::service::wire::exercise;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| exercise(bytes));
