//! Whatever a program file says that it needs, reading it ends: with a short list, or with the answer that it is none.
#![no_main]

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::sync::Mutex;

use libfuzzer_sys::fuzz_target;

/// One file for all runs: making one takes longer than reading it.
static FILE: Mutex<Option<File>> = Mutex::new(None);

fuzz_target!(|bytes: &[u8]| {
    let mut kept = FILE.lock().unwrap();
    let file = kept.get_or_insert_with(|| tempfile::tempfile().unwrap());
    file.set_len(0).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.write_all(bytes).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    if let Some(needs) = belljar::programs::needs(file.try_clone().unwrap()) {
        assert!(needs <= 513);
    }
});
