//! A packet is read as that of its own kind or not at all, and only what lies in it is told.
#![no_main]

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use belljar_net::hostile::refused;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((from, packet)) = bytes.split_first_chunk::<16>() else { return };
    let from = IpAddr::V6(Ipv6Addr::from(*from));
    let [tcp4, tcp6, udp4, udp6] = refused(packet, from);
    let is_read = |length: usize, family: fn(&SocketAddr) -> bool| {
        move |(to, datagram_from): (SocketAddr, Option<SocketAddr>)| {
            packet.len() >= length && family(&to) && datagram_from.iter().all(family)
        }
    };
    assert!([tcp4, udp4].into_iter().flatten().all(is_read(22, SocketAddr::is_ipv4)));
    assert!([tcp6].into_iter().flatten().all(is_read(2, SocketAddr::is_ipv6)));
    assert!([udp6].into_iter().flatten().all(is_read(52, SocketAddr::is_ipv6)));
    assert!(tcp6.is_none_or(|(to, _)| to.ip() == from));
    assert!([tcp4, tcp6].into_iter().flatten().all(|(_, datagram_from)| datagram_from.is_none()));
    assert!([udp4, udp6].into_iter().flatten().all(|(_, datagram_from)| datagram_from.is_some()));
    let has_port = |(to, _): (SocketAddr, Option<SocketAddr>)| {
        packet.windows(2).any(|two| two == to.port().to_be_bytes())
    };
    assert!([tcp4, tcp6, udp4, udp6].into_iter().flatten().all(has_port));
});
