//! A renderer, after Chromium's: threads paint a picture into shared memory under the table `@renderer`, without a file, a socket or
//! a process to their name.
//!
//! ```console
//! $ cargo run -p belljar --example renderer
//! ```
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it shows what happened; its worker tries what it may not"
)]

use std::error::Error;
use std::fs::File;
use std::net::TcpStream;
use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

use belljar::policy::Policy;
use belljar::worker::{self, Buffer, BufferMut, Entry, WorkerError, Zygote};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
enum Order {
    Paint { width: usize, height: usize },
    ReadFile,
    Connect,
    StartProgram,
}

#[derive(Serialize, Deserialize)]
enum Done {
    Picture { pixels: Buffer, threads: usize },
    Failed(String),
}

static RENDERER: Entry<Order, Done> = Entry::new("renderer", |order, _| {
    let done = match order {
        Order::Paint { width, height } => paint(width, height),
        Order::ReadFile => File::open("/etc/passwd").map(|_| Done::Failed("it could be read".to_owned())),
        Order::Connect => TcpStream::connect("127.0.0.1:80").map(|_| Done::Failed("connected".to_owned())),
        Order::StartProgram => {
            std::process::Command::new("/bin/sh").spawn().map(|_| Done::Failed("it was started".to_owned()))
        }
    };
    done.unwrap_or_else(|error| Done::Failed(error.to_string()))
});

/// Each thread paints its rows; the memory is sealed and handed over as it is.
fn paint(width: usize, height: usize) -> std::io::Result<Done> {
    let threads = thread::available_parallelism().map_or(2, NonZeroUsize::get).clamp(2, height.max(2));
    let mut pixels = BufferMut::new(width * height)?;
    let rows = height.div_ceil(threads);
    thread::scope(|scope| {
        for (part, strip) in pixels.chunks_mut(rows * width).enumerate() {
            scope.spawn(move || {
                for (at, pixel) in strip.iter_mut().enumerate() {
                    let (row, column) = (part * rows + at / width, at % width);
                    *pixel = shade(column as f64 / width as f64, row as f64 / height as f64);
                }
            });
        }
    });
    Ok(Done::Picture { pixels: pixels.seal()?, threads })
}

/// How long a point takes to leave Mandelbrot's set.
fn shade(x: f64, y: f64) -> u8 {
    let (cx, cy) = (x * 3.0 - 2.1, y * 2.4 - 1.2);
    let (mut zx, mut zy) = (0.0_f64, 0.0_f64);
    for step in 0..60 {
        if zx * zx + zy * zy > 4.0 {
            return step;
        }
        (zx, zy) = (zx * zx - zy * zy + cx, 2.0 * zx * zy + cy);
    }
    60
}

const WIDTH: usize = 64;
const HEIGHT: usize = 22;

fn main() -> Result<(), Box<dyn Error>> {
    worker::serve(&[&RENDERER]);
    let zygote = Zygote::builder(&Policy::none(), &RENDERER).under(&Policy::preset("@renderer")?)?.start()?;
    let orders =
        [Order::Paint { width: WIDTH, height: HEIGHT }, Order::ReadFile, Order::Connect, Order::StartProgram];
    for order in orders {
        let reply = zygote.spawn()?.call(&order, Duration::from_secs(10));
        show(&order, reply);
    }
    Ok(())
}

/// A picture is as large as was asked for, whoever made it.
fn show(order: &Order, reply: Result<Done, WorkerError>) {
    match reply {
        Ok(Done::Picture { pixels, threads }) if pixels.len() == WIDTH * HEIGHT => {
            for row in pixels.chunks(WIDTH) {
                let line: String = row.iter().map(|shade| ramp(*shade)).collect();
                println!("{}", line.trim_end());
            }
            println!("painted by more than one thread: {}", threads > 1);
        }
        Ok(Done::Picture { .. }) => println!("{order:?}: another size than was asked for"),
        Ok(Done::Failed(why)) => println!("{order:?}: {why}"),
        Err(error) => println!("{order:?}: {error}"),
    }
}

fn ramp(shade: u8) -> char {
    match shade {
        0..3 => ' ',
        3..6 => '.',
        6..12 => ':',
        12..60 => '+',
        _ => '#',
    }
}
