//! A server on the host's loopback.
#![allow(dead_code, reason = "each test file uses a part")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Says one word over HTTP, and how often somebody came.
pub(crate) struct Server {
    pub(crate) port: u16,
    visits: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) fn start(word: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let server = Self { port: listener.local_addr().unwrap().port(), visits: Arc::default() };
        let visits = server.visits.clone();
        let answer = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{word}", word.len());
        thread::spawn(move || {
            for stream in listener.incoming() {
                visits.fetch_add(1, Ordering::SeqCst);
                let mut stream = stream.unwrap();
                let read = stream.read(&mut [0; 4096]);
                let answered = stream.write_all(answer.as_bytes());
                drop((read, answered));
            }
        });
        server
    }

    pub(crate) fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }
}
