//! Thumbnails of pictures that nobody trusts, in a few lines: each is decoded in a worker of its own under `@decoder`.
//!
//! ```console
//! $ cargo run -p belljar-decode --example decoder -- PICTURE...
//! ```
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it made")]

use std::error::Error;
use std::fs::File;
use std::time::Duration;

use belljar::policy::Policy;
use belljar::worker::{self, Buffer, Descriptor, Entry, Pool, Seal};
use belljar_decode::{Limits, Order, encode};

// What needs no trust: a picture's bytes in; width, height and pixels out.
static DECODER: Entry<Descriptor, Result<(u32, u32, Buffer), String>> =
    Entry::new("decoder", |file, _| match (Order { file, length: 0, limits: limits() }).carry_out() {
        belljar_decode::Answer::Picture { width, height, pixels, .. } => Ok((width, height, pixels)),
        belljar_decode::Answer::Refused(reason) => Err(reason.to_string()),
    });

fn limits() -> Limits {
    Limits { side: Some(128), ..Limits::default() }
}

fn main() -> Result<(), Box<dyn Error>> {
    worker::serve(&[&DECODER]);
    let policy = Policy::preset("@decoder")?;
    let pool = Pool::builder(&Policy::none(), &DECODER)
        .seal(Seal::of(&policy)?)
        .limits(worker::Limits::of(&policy))
        .start()?;
    for name in std::env::args().skip(1) {
        match pool.call(&File::open(&name)?.into(), Duration::from_secs(10)) {
            // The parent makes PNG from plain pixels; a size that was not asked for is an error.
            Ok(Ok((width, height, pixels))) => {
                println!(
                    "{name}: {width}x{height}, {} bytes of PNG",
                    encode(width, height, &pixels, limits())?.len()
                );
            }
            Ok(Err(reason)) => println!("{name}: {reason}"),
            Err(error) => println!("{name}: {error}"),
        }
    }
    println!("{}", pool.stats());
    Ok(())
}
