//! Servers of a jar that the host reaches. Here the host's own network stands for the jar's.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use belljar_net::{Door, Inside, Rules, Service, Sockets};
use belljar_policy::Policy;
use rustix::net::{AddressFamily, SocketType, socket};

use crate::world::{Seen, echo, echoes, is_reset, patient};

/// Makes sockets, or does not.
#[derive(Debug)]
struct Maker(bool);

impl Inside for Maker {
    fn socket(&self) -> io::Result<OwnedFd> {
        if !self.0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(socket(AddressFamily::INET, SocketType::STREAM, None)?)
    }
}

/// Publishes this port of the jar; where the host finds it.
fn publish(port: u16, inside: Option<Box<dyn Inside>>) -> (Service, SocketAddr, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let sockets = Sockets { published: vec![(port, listener.into())], inside, ..Sockets::default() };
    let seen = Arc::new(Seen::default());
    (Service::start(sockets, Rules::new(Policy::none().net), seen.clone()).unwrap(), addr, seen)
}

#[test]
fn a_published_server_is_reached_whatever_the_lists_say() {
    let port = echo();
    let (_service, addr, seen) = publish(port, Some(Box::new(Maker(true))));
    for _ in 0..50 {
        assert!(echoes(&mut patient(TcpStream::connect(addr).unwrap()), "hello"));
    }
    assert_eq!(seen.connections.lock().unwrap()[0].door, Door::Published(port));
}

#[test]
fn without_a_socket_of_the_jar_the_client_is_reset() {
    let port = echo();
    for inside in [None, Some(Box::new(Maker(false)) as Box<dyn Inside>)] {
        let (_service, addr, seen) = publish(port, inside);
        assert!(is_reset(&mut patient(TcpStream::connect(addr).unwrap())));
        assert!(seen.connections.lock().unwrap().is_empty(), "nothing was reached instead");
    }
}
