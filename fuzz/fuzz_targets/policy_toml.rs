//! Any policy text ends in a policy or an error that can be shown; the same text always ends in the same.
#![no_main]

use std::io;

use belljar_policy::{Request, load};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let request = Request { home: Some("/home/someone".into()), ..Request::text("/work/belljar.toml", text) };
    let absent = |_: &std::path::Path| Err(io::ErrorKind::NotFound.into());
    let first = load(&request, &absent);
    if let Err(error) = &first {
        assert!(!error.render().is_empty());
    }
    assert_eq!(first.is_ok(), load(&request, &absent).is_ok());
});
