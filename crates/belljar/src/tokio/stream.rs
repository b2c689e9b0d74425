//! The caller's ends of pipes, as tokio reads and writes them.

use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::process;
use std::task::{Context, Poll};

use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ::tokio::net::unix::pipe::{Receiver, Sender};

/// Write end of a program's standard input. The program reads its end when this is dropped.
#[derive(Debug)]
pub struct ChildStdin(Sender);

/// Read end of a program's standard output.
#[derive(Debug)]
pub struct ChildStdout(Receiver);

/// Read end of a program's standard error.
#[derive(Debug)]
pub struct ChildStderr(Receiver);

impl ChildStdin {
    pub(super) fn new(pipe: process::ChildStdin) -> io::Result<Self> {
        Sender::from_owned_fd(OwnedFd::from(pipe)).map(Self)
    }
}

impl AsyncWrite for ChildStdin {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

macro_rules! readers {
    ($($reader:ident),*) => {
        $(impl $reader {
            pub(super) fn new(pipe: process::$reader) -> io::Result<Self> {
                Receiver::from_owned_fd(OwnedFd::from(pipe)).map(Self)
            }
        }

        impl AsyncRead for $reader {
            fn poll_read(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                into: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                Pin::new(&mut self.0).poll_read(cx, into)
            }
        })*
    };
}

readers!(ChildStdout, ChildStderr);
