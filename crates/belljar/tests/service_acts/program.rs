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

use belljar::service::{Dns, Only, Users, wire};
use belljar::worker::Entry;

/// A worker that has a client and nothing else: the shell of an account, or why not.
pub(crate) static SHELL: Entry<(Users, String), String> = Entry::new("shell", |(mut users, name), _| {
    users.account(&name).map_or_else(|error| error.to_string(), |account| account.shell)
});

fn main() {
    let own = std::env::args_os().next().unwrap();
    let own = Path::new(&own);
    if own.file_name().is_some_and(|name| name.to_string_lossy().starts_with("acts-")) {
        if std::env::args().nth(1).as_deref() == Some("unsealed") {
            return println!("[{}]", acts::all(&acts::Aim::of(own).unwrap()));
        }
        wire::taken_over(|_| {
            let own = std::env::args_os().next().unwrap();
            format!("[{}]", acts::all(&acts::Aim::of(Path::new(&own)).unwrap()))
        });
    }
    belljar::worker::serve(&[&SHELL]);
    if std::env::args().nth(1).as_deref() == Some("cycles") {
        return cycles();
    }
    // Outside of services: a jar's program that was passed a client.
    let mut users = Users::passed("users").unwrap();
    let names = std::env::args().skip(1);
    for name in names {
        let found = users.account(&name);
        println!("{}", found.map_or_else(|error| error.to_string(), |account| account.home));
    }
}

/// Starts and ends services; the descriptors, threads and children that were there before and are there after.
fn cycles() {
    let count = |what: &str| std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
    let children = || std::fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    let once = || {
        let mut users = Users::start(Only::All).unwrap();
        let mut dns = Dns::start(["localhost"]).unwrap();
        let clones: Vec<_> = (0..20).map(|_| users.try_clone().unwrap()).collect();
        assert!(users.account("root").is_ok() && dns.addresses("localhost").is_ok());
        drop((users, clones, dns));
    };
    // A thread that was told to end takes a moment.
    let settled = || {
        let over = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while count("task") > 1 && std::time::Instant::now() < over {
            std::thread::yield_now();
        }
        format!("{} {} {:?}", count("task"), count("fd"), children())
    };
    once();
    println!("{}", settled());
    (0..20).for_each(|_| once());
    println!("{}", settled());
}
