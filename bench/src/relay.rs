//! `bench relay PORT`: passes connections on to a port of the loopback by `splice` in a plain loop, one thread for each direction.
//! Nobody is asked, nothing is counted: what the second hop itself costs.

use std::io::Write as _;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::thread::spawn;

use anyhow::{Context, Result};
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};

/// Size of a pipe and of what one splice is asked for: the most that an ordinary user may have.
const SIZE: usize = 1 << 20;

/// Prints its port, then passes on what comes.
pub(crate) fn run(words: &[String]) -> Result<String> {
    let port: u16 = words.first().context("relay PORT")?.parse()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?.port())?;
    loop {
        let (near, _) = listener.accept()?;
        let far = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        let (near_too, far_too) = (near.try_clone()?, far.try_clone()?);
        // An end that goes away early has what it wanted.
        spawn(move || pass(&near, &far).ok());
        spawn(move || pass(&far_too, &near_too).ok());
    }
}

fn pass(from: &TcpStream, to: &TcpStream) -> Result<()> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    // A host may allow less.
    fcntl_setpipe_size(&write, SIZE).ok();
    loop {
        let mut held = splice(from, None, &write, None, SIZE, SpliceFlags::MOVE)?;
        if held == 0 {
            return Ok(to.shutdown(Shutdown::Write)?);
        }
        while held > 0 {
            held -= splice(&read, None, to, None, held, SpliceFlags::MOVE)?;
        }
    }
}
