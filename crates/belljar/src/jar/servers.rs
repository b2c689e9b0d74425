//! Servers of a jar that has no network of its own: they wait at an address of the host's loopback that is this jar's alone.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::os::fd::OwnedFd;

use belljar_net::Inside;
use belljar_policy::{Publish, Setting};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};
use rustix::rand::{GetRandomFlags, getrandom};

use crate::error::StartError;
use crate::spawn::supervisor;

/// Ports below need a right that no jar has in a network of its own either.
const FIRST: u16 = 1024;

/// Where the servers wait, and at which ports.
#[derive(Clone, Debug)]
pub(super) struct Servers {
    own: Ipv4Addr,
    ports: Vec<u16>,
}

impl Servers {
    /// Chooses an address. A program of the host that holds a port at every address leaves none for the jar.
    pub(super) fn choose(published: &[Setting<Publish>]) -> Result<Self, StartError> {
        let own = random().map_err(|source| supervisor("choosing an address", source))?;
        let ports: Vec<u16> = published.iter().map(|ports| ports.value.port).collect();
        for port in ports.iter().copied().filter(|port| *port >= FIRST) {
            TcpListener::bind((own, port)).map_err(|source| StartError::PortInUse { port, source })?;
        }
        Ok(Self { own, ports })
    }

    /// The place of a server that wants to wait here, as far as it is published.
    pub(super) fn place(&self, at: SocketAddr) -> Option<SocketAddrV4> {
        let (port, own) = (at.port(), IpAddr::V4(self.own));
        let any =
            [Ipv4Addr::LOCALHOST.into(), Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into(), own];
        let is_published = port >= FIRST && self.ports.contains(&port) && any.contains(&at.ip());
        is_published.then(|| SocketAddrV4::new(self.own, port))
    }
}

impl Inside for Servers {
    fn socket(&self) -> io::Result<OwnedFd> {
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        // As in a network of the jar's own, all that its servers see comes from there.
        bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(socket)
    }

    fn servers(&self) -> Ipv4Addr {
        self.own
    }
}

/// One of the addresses of the loopback that nobody uses by name: `127.0.0.0/16` and the ends are left out.
fn random() -> io::Result<Ipv4Addr> {
    let mut bytes = [0_u8; 3];
    getrandom(&mut bytes, GetRandomFlags::empty())?;
    let [a, b, c] = bytes.map(|byte| byte % 254 + 1);
    Ok(Ipv4Addr::new(127, a, b, c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_published_ports_have_a_place_and_it_is_the_jars_own() {
        let servers = Servers { own: Ipv4Addr::new(127, 9, 9, 9), ports: vec![8000, 80] };
        let place = |text: &str| servers.place(text.parse().unwrap()).map(|place| place.to_string());
        for text in ["127.0.0.1:8000", "0.0.0.0:8000", "[::]:8000", "127.9.9.9:8000"] {
            assert_eq!(place(text).as_deref(), Some("127.9.9.9:8000"), "{text}");
        }
        for text in
            ["127.0.0.1:8001", "127.0.0.2:8000", "[::1]:8000", "10.0.0.1:8000", "127.0.0.1:80", "0.0.0.0:0"]
        {
            assert_eq!(place(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_are_of_the_loopback_and_no_well_known_ones() {
        for _ in 0..1000 {
            let own = random().unwrap();
            let [_, a, b, c] = own.octets();
            assert!(own.is_loopback() && a != 0 && b != 0 && ![0, 255].contains(&c), "{own}");
        }
    }
}
