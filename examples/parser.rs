//! Counts the words of files in confined workers: `docs/workers.md` explains each line.
//!
//! ```console
//! $ cargo run -p belljar --example parser -- README.md
//! ```
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it counted")]

use std::error::Error;
use std::fs::File;
use std::time::Duration;

use belljar::policy::Policy;
use belljar::worker::{self, Buffer, Entry, Zygote};

// What needs no trust: a file's bytes in, a number out.
static WORDS: Entry<Buffer, usize> = Entry::new("words", |text, _| words(&text));

fn words(text: &[u8]) -> usize {
    text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count()
}

fn main() -> Result<(), Box<dyn Error>> {
    worker::serve(&[&WORDS]);
    let zygote = Zygote::start(&Policy::none(), &WORDS)?;
    for name in std::env::args().skip(1) {
        let text = Buffer::read_from(&mut File::open(&name)?)?;
        match zygote.spawn()?.call(&text, Duration::from_secs(1)) {
            Ok(words) => println!("{words} {name}"),
            Err(error) => println!("{name}: {error}"),
        }
    }
    Ok(())
}
