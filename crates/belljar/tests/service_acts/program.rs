//! The program whose services `tests/services` starts; by the name `acts-...` one whose services were taken over.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    missing_docs,
    reason = "test program"
)]

mod acts;

use std::path::Path;

use belljar::service::{Users, wire};
use belljar::worker::Entry;

/// A worker that has a client and nothing else: the shell of an account, or why not.
pub(crate) static SHELL: Entry<(Users, String), String> = Entry::new("shell", |(mut users, name), _| {
    users.account(&name).map_or_else(|error| error.to_string(), |account| account.shell)
});

fn main() {
    let own = std::env::args_os().next().unwrap();
    let own = Path::new(&own);
    if own.file_name().is_some_and(|name| name.to_string_lossy().starts_with("acts-")) {
        wire::taken_over(|_| {
            let own = std::env::args_os().next().unwrap();
            format!("[{}]", acts::all(&acts::Aim::of(Path::new(&own)).unwrap()))
        });
    }
    belljar::worker::serve(&[&SHELL]);
    // Outside of services: a jar's program that was passed a client.
    let mut users = Users::passed("users").unwrap();
    let names = std::env::args().skip(1);
    for name in names {
        let found = users.account(&name);
        println!("{}", found.map_or_else(|error| error.to_string(), |account| account.home));
    }
}
