//! Nothing is left of a service. Alone in its process: it counts threads and descriptors.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io;
use std::net::{IpAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use belljar_net::{Connected, Denial, Failed, Observer, Resolver, Rules, Service, Settings, Sockets};
use belljar_policy::Policy;

/// How long a busy machine may take.
const LONG: Duration = Duration::from_secs(60);

struct Nobody;

impl Observer for Nobody {
    fn denied(&self, _: Denial) {}
    fn connected(&self, _: Connected) {}
    fn failed(&self, _: Failed) {}
}

/// Says that it was asked, and answers when it is let.
struct Slow(Sender<()>, Mutex<Receiver<()>>);

impl Resolver for Slow {
    fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.0.send(()).unwrap();
        self.1.lock().unwrap().recv().ok();
        Ok(Vec::new())
    }
}

fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|name| name.starts_with("belljar-")).collect()
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Starts a service, makes a look-up, and ends the service: after the look-up, or while it lasts, which it does until what is
/// returned is dropped.
fn ended(after: bool) -> Option<Sender<()>> {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = proxy.local_addr().unwrap();
    let sockets = Sockets { http_proxy: vec![proxy.into()], ..Sockets::default() };
    let ((tell, told), (answer, may)) = (channel(), channel());
    let settings = Settings { resolver: Arc::new(Slow(tell, Mutex::new(may))), ..Settings::default() };
    let rules = Rules::new(Policy::none().net("a.test").unwrap().net);
    let service = Service::start_with(sockets, rules, Arc::new(Nobody), settings).unwrap();
    let mut client = TcpStream::connect(addr).unwrap();
    io::Write::write_all(&mut client, b"CONNECT a.test:80 HTTP/1.1\r\n\r\n").unwrap();
    told.recv_timeout(LONG).unwrap();
    assert_eq!(threads().len(), 2);
    let lasts = (!after).then_some(answer);
    service.end().unwrap();
    lasts
}

#[test]
fn no_thread_and_no_descriptor_is_left() {
    let before = descriptors();
    assert!(ended(true).is_none());
    assert_eq!((threads(), descriptors()), (vec![], before));
    // A resolver that hangs holds up the end for a moment only.
    let lasts = ended(false);
    assert_eq!(threads().len(), 1, "the look-up itself cannot be interrupted");
    assert_eq!(descriptors(), before + 1, "it still holds what it would wake");
    drop(lasts);
    let start = Instant::now();
    while !threads().is_empty() && start.elapsed() < LONG {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    assert_eq!((threads(), descriptors()), (vec![], before));
}
