//! Servers of a jar that has no network of its own: they wait at an address of the host's loopback that is this jar's alone.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use belljar_net::Inside;
use belljar_policy::{Publish, Setting};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};
use rustix::rand::{GetRandomFlags, getrandom};

use crate::error::StartError;
use crate::spawn::supervisor;

/// Ports below need a right that no jar has in a network of its own either.
const FIRST: u16 = 1024;

/// Where the servers wait, and at which ports.
#[derive(Clone, Debug)]
pub(super) struct Servers {
    own: Own,
    ports: Arc<[Port]>,
}

/// Addresses of the host's loopback that nobody uses by name. It has one address of IPv6 only, which is the host's: what
/// waits for IPv6 alone waits at another address of IPv4.
#[derive(Clone, Copy, Debug)]
struct Own {
    v4: Ipv4Addr,
    v6: Ipv4Addr,
}

/// A published port.
#[derive(Debug)]
struct Port {
    number: u16,
    /// Who bound a server last meant both families.
    both: AtomicBool,
    /// Keeps the port from programs of the host that would wait at every address, so that nobody but the jar is met there.
    _held: Option<OwnedFd>,
}

impl Port {
    fn take(hold: Ipv4Addr, number: u16) -> Result<Self, StartError> {
        let held = (number >= FIRST).then(|| held(hold, number)).transpose();
        let held = held.map_err(|errno| StartError::PortInUse { port: number, source: errno.into() })?;
        Ok(Self { number, both: AtomicBool::new(false), _held: held })
    }
}

impl Servers {
    /// Chooses addresses. A program of the host that holds a port at every address leaves none for the jar.
    pub(super) fn choose(published: &[Setting<Publish>]) -> Result<Self, StartError> {
        let failed = |source| supervisor("choosing an address", source);
        let [v4, v6, hold] = different().map_err(failed)?;
        let mut numbers: Vec<u16> = published.iter().map(|ports| ports.value.port).collect();
        numbers.sort_unstable();
        numbers.dedup();
        Ok(Self {
            own: Own { v4, v6 },
            ports: numbers.into_iter().map(|number| Port::take(hold, number)).collect::<Result<_, _>>()?,
        })
    }

    fn port(&self, number: u16) -> Option<&Port> {
        self.ports.iter().find(|port| port.number == number && number >= FIRST)
    }

    /// The place of a server that wants to wait here, as far as it is published; `only_v6` where it refuses IPv4.
    pub(super) fn place(&self, at: SocketAddr, only_v6: bool) -> Option<SocketAddrV4> {
        let (port, own) = (self.port(at.port())?, self.own);
        let place = match at.ip() {
            IpAddr::V4(ip) if [Ipv4Addr::LOCALHOST, Ipv4Addr::UNSPECIFIED, own.v4].contains(&ip) => own.v4,
            IpAddr::V4(ip) if ip == own.v6 => own.v6,
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) if !only_v6 => own.v4,
            IpAddr::V6(Ipv6Addr::UNSPECIFIED | Ipv6Addr::LOCALHOST) => own.v6,
            _ => return None,
        };
        Some(SocketAddrV4::new(place, port.number))
    }

    /// A server was bound there.
    pub(super) fn placed(&self, at: SocketAddr, only_v6: bool) {
        if let Some(port) = self.port(at.port()) {
            let both = at.ip() == Ipv6Addr::UNSPECIFIED && !only_v6;
            port.both.store(both, Ordering::Relaxed);
        }
    }

    /// Where programs of the jar find the server that they mean.
    pub(super) fn found(&self, to: SocketAddr) -> Option<SocketAddrV4> {
        let (port, own) = (self.port(to.port())?, self.own);
        let place = match to.ip() {
            IpAddr::V4(ip) if [Ipv4Addr::LOCALHOST, own.v4].contains(&ip) => own.v4,
            IpAddr::V4(ip) if ip == own.v6 => own.v6,
            IpAddr::V6(Ipv6Addr::LOCALHOST) if port.both.load(Ordering::Relaxed) => own.v4,
            IpAddr::V6(Ipv6Addr::LOCALHOST) => own.v6,
            _ => return None,
        };
        Some(SocketAddrV4::new(place, port.number))
    }
}

/// A port of one address that cannot be had at every address as long as this lives. Nobody waits there.
fn held(at: Ipv4Addr, port: u16) -> Result<OwnedFd, Errno> {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    bind(&socket, &SocketAddr::from((at, port)))?;
    Ok(socket)
}

impl Inside for Servers {
    fn socket(&self) -> io::Result<OwnedFd> {
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        // As in a network of the jar's own, all that its servers see comes from there.
        bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(socket)
    }

    fn servers(&self) -> Ipv4Addr {
        self.own.v4
    }
}

/// Addresses of the loopback that nobody uses by name: `127.0.0.0/16` and the ends are left out.
fn different() -> io::Result<[Ipv4Addr; 3]> {
    loop {
        let mut bytes = [0_u8; 9];
        getrandom(&mut bytes, GetRandomFlags::empty())?;
        let [a, b, c, d, e, f, g, h, i] = bytes.map(|byte| byte % 254 + 1);
        let all = [[a, b, c], [d, e, f], [g, h, i]].map(|[a, b, c]| Ipv4Addr::new(127, a, b, c));
        let [first, second, third] = all;
        if first != second && second != third && first != third {
            return Ok(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_published_ports_have_a_place_and_it_is_the_jars_own() {
        let servers = servers();
        let place = |text: &str, only_v6| {
            servers.place(text.parse().unwrap(), only_v6).map(|place| place.to_string())
        };
        for text in ["127.0.0.1:8000", "0.0.0.0:8000", "[::]:8000", "127.9.9.4:8000"] {
            assert_eq!(place(text, false).as_deref(), Some("127.9.9.4:8000"), "{text}");
        }
        for (text, only_v6) in [("[::]:8000", true), ("[::1]:8000", false), ("[::1]:8000", true)] {
            assert_eq!(place(text, only_v6).as_deref(), Some("127.9.9.6:8000"), "{text}");
        }
        for text in
            ["127.0.0.1:8001", "127.0.0.2:8000", "[::2]:8000", "10.0.0.1:8000", "127.0.0.1:80", "0.0.0.0:0"]
        {
            assert_eq!(place(text, false), None, "{text}");
        }
    }

    #[test]
    fn programs_of_the_jar_find_the_server_of_the_family_that_they_mean() {
        let servers = servers();
        let found = |text: &str| servers.found(text.parse().unwrap()).map(|place| *place.ip());
        let both = ["127.0.0.1:8000", "[::1]:8000"];
        let [v4, v6] = [4, 6].map(|last| Some(Ipv4Addr::new(127, 9, 9, last)));
        assert_eq!(both.map(found), [v4, v6]);
        servers.placed("[::]:8000".parse().unwrap(), false);
        assert_eq!(both.map(found), [v4, v4]);
        servers.placed("[::]:8000".parse().unwrap(), true);
        assert_eq!(both.map(found), [v4, v6]);
        assert_eq!(["127.9.9.4:8000", "127.9.9.6:8000"].map(found), [v4, v6]);
        for text in ["127.0.0.1:8001", "127.0.0.2:8000", "10.0.0.1:8000", "127.0.0.1:80", "[::2]:8000"] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    fn servers() -> Servers {
        let port = |number| Port { number, both: AtomicBool::new(false), _held: None };
        let [v4, v6] = [4, 6].map(|last| Ipv4Addr::new(127, 9, 9, last));
        Servers { own: Own { v4, v6 }, ports: [8000, 80].map(port).into() }
    }

    #[test]
    fn addresses_are_of_the_loopback_and_no_well_known_ones() {
        for _ in 0..1000 {
            for own in different().unwrap() {
                let [_, a, b, c] = own.octets();
                assert!(own.is_loopback() && a != 0 && b != 0 && ![0, 255].contains(&c), "{own}");
            }
        }
    }
}
