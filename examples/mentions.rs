//! Finds names of hosts in a text that nobody trusts, and looks up those that were named beforehand: `docs/services.md`.
//!
//! ```console
//! $ cargo run -p belljar --example mentions -- README.md localhost example.org
//! ```
//!
//! The worker that reads the text has three descriptors: its channel, a client of the name service, a client of the log. It has no network
//! and no file; the process that talks to resolvers never sees the text.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it found")]

use std::error::Error;
use std::fs::File;
use std::time::Duration;

use belljar::policy::Policy;
use belljar::service::{Dns, Level, Log, LogLimit, Only};
use belljar::worker::{self, Buffer, Entry, Worker};

type Found = Vec<(String, Vec<std::net::IpAddr>)>;

// What needs no trust: a text and two clients in, addresses out.
static MENTIONS: Entry<(Buffer, Dns, Log), Found> =
    Entry::new("mentions", |(text, dns, log), _| find(&text, dns, log));

fn find(text: &[u8], mut dns: Dns, mut log: Log) -> Found {
    let text = String::from_utf8_lossy(text);
    let is_name = |one: char| one.is_ascii_alphanumeric() || matches!(one, '.' | '-');
    let mut names: Vec<_> = text.split(|one| !is_name(one)).map(|word| word.trim_matches('.')).collect();
    names.sort_unstable();
    names.dedup();
    let mut found = Found::new();
    for name in names.into_iter().filter(|name| name.len() > 3) {
        match dns.addresses(name) {
            Ok(addresses) => found.push((name.to_owned(), addresses)),
            Err(belljar::service::ServiceError::Beyond) => {}
            Err(error) => drop(log.line(Level::Warning, &format!("{name}: {error}"))),
        }
    }
    // A worker that was taken over can log what it likes, up to its amount.
    drop(log.line(Level::Info, &format!("{} names", found.len())));
    found
}

fn main() -> Result<(), Box<dyn Error>> {
    worker::serve(&[&MENTIONS]);
    let mut arguments = std::env::args().skip(1);
    let text = arguments.next().ok_or("a file, then names")?;
    let names: Vec<_> = arguments.collect();
    let file = File::options().append(true).create(true).open("mentions.log")?;
    let mut log = Log::start("mentions", file, LogLimit::upto(Level::Info))?;
    let mut dns = Dns::start(&names)?;
    let text = Buffer::read_from(&mut File::open(text)?)?;
    let mut worker = Worker::spawn(&Policy::none(), &MENTIONS)?;
    let clients =
        (dns.narrowed(&Only::these(names))?, log.narrowed(&LogLimit::upto(Level::Info).bytes(10_000))?);
    for (name, addresses) in worker.call(&(text, clients.0, clients.1), Duration::from_secs(30))? {
        println!("{name} {addresses:?}");
    }
    Ok(())
}
