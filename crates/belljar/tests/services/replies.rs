//! What a client makes of a service that was taken over: an error, whatever comes.

use std::os::fd::OwnedFd;
use std::time::Duration;

use belljar::service::{Only, Random, ServiceError, Users};
use belljar::worker::wire::{Head, Kind};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};

fn pair() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
}

fn packet(kind: Kind, number: u64, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).unwrap();
    [&Head { kind, descriptors: 0, len, number }.encode()[..], body].concat()
}

/// A client whose service has said this already.
fn told(packets: &[Vec<u8>]) -> (OwnedFd, Users) {
    let (service, client) = pair();
    for packet in packets {
        send(&service, packet, SendFlags::NOSIGNAL).unwrap();
    }
    let mut client = Users::from(client);
    client.within(Duration::from_secs(20));
    (service, client)
}

#[test]
fn whatever_a_service_says_is_checked() {
    let limited = [1];
    let bad = [
        b"noise".to_vec(),
        packet(Kind::Answer, 1, &[]),
        packet(Kind::Answer, 1, &[9]),
        packet(Kind::Answer, 1, &[0, 0, 0]),
        packet(Kind::Answer, 1, &[2]),
        packet(Kind::Answer, 1, &limited),
        packet(Kind::Answer, 2, &limited),
        packet(Kind::Ask, 1, &limited),
        packet(Kind::Call, 1, &limited),
        Head { kind: Kind::Answer, descriptors: 0, len: u32::MAX, number: 1 }.encode().to_vec(),
    ];
    for packet in bad {
        let (_service, mut client) = told(std::slice::from_ref(&packet));
        let error = client.account("root").unwrap_err();
        assert!(matches!(error, ServiceError::Protocol(_)), "{packet:?}: {error}");
        assert!(matches!(client.account("root"), Err(ServiceError::Gone)), "it is not asked again");
    }
}

#[test]
fn words_of_a_service_steer_no_terminal() {
    let text = b"\x1b[2J\nok";
    let body = [&[3, 0, u8::try_from(text.len()).unwrap()][..], text].concat();
    let (_service, mut client) = told(&[packet(Kind::Answer, 1, &body)]);
    let error = client.limit(&Only::All).unwrap_err().to_string();
    assert!(error.contains("[2J") && !error.contains(char::is_control), "{error:?}");
}

#[test]
fn a_reply_that_comes_too_late_is_passed_over() {
    let (service, mut client) = told(&[]);
    client.within(Duration::from_millis(1));
    assert!(matches!(client.limit(&Only::All), Err(ServiceError::TimedOut { .. })));
    client.within(Duration::from_secs(20));
    // The late one says yes, the one that is due says no.
    for (number, body) in [(1, &[1][..]), (2, &[3, 1])] {
        send(&service, &packet(Kind::Answer, number, body), SendFlags::NOSIGNAL).unwrap();
    }
    assert!(matches!(client.limit(&Only::All), Err(ServiceError::Beyond)));
    drop(service);
    assert!(matches!(client.limit(&Only::All), Err(ServiceError::Gone)));
}

#[test]
fn as_many_random_bytes_come_as_were_asked_for() {
    let (service, client) = pair();
    let few = packet(Kind::Answer, 1, &[0, 2, 7, 7]);
    send(&service, &few, SendFlags::NOSIGNAL).unwrap();
    assert!(matches!(Random::from(client).bytes(3), Err(ServiceError::Protocol(_))));
}
