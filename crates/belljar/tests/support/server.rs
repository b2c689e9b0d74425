//! A server on the host's loopback.
#![allow(dead_code, reason = "each test program uses a part")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Says its name to whoever comes, over HTTP to who asks so, and how often somebody came.
pub(crate) struct Server {
    pub(crate) port: u16,
    visits: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) fn start(name: &'static str) -> Self {
        Self::at("127.0.0.1", name)
    }

    pub(crate) fn at(host: &str, name: &'static str) -> Self {
        let listener = TcpListener::bind((host, 0)).unwrap();
        let server = Self { port: listener.local_addr().unwrap().port(), visits: Arc::default() };
        let visits = server.visits.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                visits.fetch_add(1, Ordering::SeqCst);
                let mut stream = stream.unwrap();
                let mut request = [0; 4096];
                let read = stream.read(&mut request).unwrap_or(0);
                let answer = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len());
                let answer = if request[..read].starts_with(b"GET") { answer } else { name.to_owned() };
                stream.write_all(answer.as_bytes()).unwrap_or_default();
            }
        });
        server
    }

    pub(crate) fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }
}
