//! Packets with which the jar's own network turns programs away, read for what they wanted. Whoever made the socket lets
//! through only resets of connections that were never made, and ICMP messages that a port is closed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Which packets a socket hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ear {
    Tcp4,
    Tcp6,
    Icmp4,
    Icmp6,
}

/// What a program wanted to reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) to: SocketAddr,
    /// Where a datagram came from; a connection has left nothing behind.
    pub(crate) datagram_from: Option<SocketAddr>,
}

/// Longest packet that is read; what matters lies in front.
pub(crate) const LONGEST: usize = 256;
const UDP: u8 = 17;
/// Head of an ICMP message, behind which the packet that it is about begins.
const ICMP_HEAD: usize = 8;

/// Reads a packet, which of IPv4 begins with its own header and of IPv6 behind it. `from` is its sender.
pub(crate) fn read(ear: Ear, packet: &[u8], from: IpAddr) -> Option<Refused> {
    match ear {
        Ear::Tcp4 => {
            let (head, rest) = v4(packet)?;
            Some(Refused { to: SocketAddr::new(addr4(head, 12)?, port(rest, 0)?), datagram_from: None })
        }
        Ear::Tcp6 => Some(Refused { to: SocketAddr::new(from, port(packet, 0)?), datagram_from: None }),
        Ear::Icmp4 => datagram4(v4(packet)?.1.get(ICMP_HEAD..)?),
        Ear::Icmp6 => datagram6(packet.get(ICMP_HEAD..)?),
    }
}

/// The header with its options, and what follows.
fn v4(packet: &[u8]) -> Option<(&[u8], &[u8])> {
    let words = packet.first().filter(|first| **first >> 4 == 4)? & 15;
    packet.split_at_checked(usize::from(words) * 4).filter(|(head, _)| head.len() >= 20)
}

fn datagram4(packet: &[u8]) -> Option<Refused> {
    let (head, rest) = v4(packet).filter(|(head, _)| head.get(9) == Some(&UDP))?;
    datagram([addr4(head, 12)?, addr4(head, 16)?], rest)
}

fn datagram6(packet: &[u8]) -> Option<Refused> {
    let (head, rest) = packet.split_first_chunk::<40>().filter(|(head, _)| head.get(6) == Some(&UDP))?;
    datagram([addr6(head, 8)?, addr6(head, 24)?], rest)
}

fn datagram([from, to]: [IpAddr; 2], ports: &[u8]) -> Option<Refused> {
    let from = SocketAddr::new(from, port(ports, 0)?);
    Some(Refused { to: SocketAddr::new(to, port(ports, 2)?), datagram_from: Some(from) })
}

fn addr4(head: &[u8], at: usize) -> Option<IpAddr> {
    Some(Ipv4Addr::from(*head.get(at..)?.first_chunk::<4>()?).into())
}

fn addr6(head: &[u8], at: usize) -> Option<IpAddr> {
    Some(Ipv6Addr::from(*head.get(at..)?.first_chunk::<16>()?).into())
}

fn port(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk::<2>()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

    fn ip4(protocol: u8, from: [u8; 4], to: [u8; 4], rest: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x46, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0];
        packet.extend(from);
        packet.extend(to);
        packet.extend([1, 1, 1, 1]);
        packet.extend(rest);
        packet
    }

    fn refused(to: &str, datagram_from: Option<&str>) -> Option<Refused> {
        Some(Refused {
            to: to.parse().unwrap(),
            datagram_from: datagram_from.map(|from| from.parse().unwrap()),
        })
    }

    #[test]
    fn a_reset_comes_from_where_the_connection_was_to_go() {
        let packet = ip4(6, [9, 9, 9, 9], [127, 0, 0, 1], &[0x20, 0xfb, 0, 80]);
        assert_eq!(read(Ear::Tcp4, &packet, NOBODY), refused("9.9.9.9:8443", None));
        let from = "2001:db8::1".parse().unwrap();
        assert_eq!(read(Ear::Tcp6, &[0x20, 0xfb, 0, 80], from), refused("[2001:db8::1]:8443", None));
    }

    #[test]
    fn a_message_holds_the_datagram_that_it_is_about() {
        let inner = |protocol| ip4(protocol, [9, 9, 9, 9], [8, 8, 4, 4], &[0, 9, 0, 123]);
        let packet =
            |inner: &[u8]| ip4(1, [8, 8, 4, 4], [9, 9, 9, 9], &[&[3, 3, 0, 0, 0, 0, 0, 0], inner].concat());
        assert_eq!(read(Ear::Icmp4, &packet(&inner(17)), NOBODY), refused("8.8.4.4:123", Some("9.9.9.9:9")));
        assert_eq!(read(Ear::Icmp4, &packet(&inner(6)), NOBODY), None);
        let mut six = vec![1, 4, 0, 0, 0, 0, 0, 0, 0x60, 0, 0, 0, 0, 8, 17, 64];
        six.extend("2001:db8::9".parse::<Ipv6Addr>().unwrap().octets());
        six.extend("2001:db8::2".parse::<Ipv6Addr>().unwrap().octets());
        six.extend([0, 9, 0, 123]);
        assert_eq!(read(Ear::Icmp6, &six, NOBODY), refused("[2001:db8::2]:123", Some("[2001:db8::9]:9")));
    }

    proptest! {
        #[test]
        fn no_packet_panics(bytes in prop::collection::vec(any::<u8>(), 0..LONGEST)) {
            for ear in [Ear::Tcp4, Ear::Tcp6, Ear::Icmp4, Ear::Icmp6] {
                let refused = read(ear, &bytes, NOBODY);
                prop_assert!(refused.is_none_or(|refused| refused.datagram_from.is_some() == matches!(ear, Ear::Icmp4 | Ear::Icmp6)));
            }
        }
    }
}
