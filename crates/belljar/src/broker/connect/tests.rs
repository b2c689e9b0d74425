//! Sockets of the jar that calls are made on.

use super::*;

#[test]
fn others_who_connect_without_end_hold_nobody_up() {
    let waiting = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (to, over) = (waiting.local_addr().unwrap(), std::sync::atomic::AtomicBool::new(false));
    let relaxed = std::sync::atomic::Ordering::Relaxed;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(relaxed) {
                drop(std::net::TcpStream::connect(to))
            }
        });
        let accepted = accept(&waiting.try_clone().unwrap().into(), ([127, 0, 0, 1], 1).into());
        over.store(true, relaxed);
        assert_eq!(accepted.unwrap_err(), Errno::TIMEDOUT);
    });
}

#[test]
fn a_call_that_fails_leaves_a_socket_for_ipv6_alone_as_it_was() {
    let socket = |only| {
        let socket =
            socket_with(AddressFamily::INET6, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        sockopt::set_ipv6_v6only(&socket, only).unwrap();
        let look = sockets::look(socket.as_fd()).unwrap();
        Addressed { bytes: Vec::new(), meaning: Meaning::Other, socket, look, of_host: true }
    };
    let it = socket(true);
    let called = it.with_v4(|| {
        assert!(!it.is_only_v6()?, "the call itself is made with IPv4");
        Err(Errno::ADDRINUSE)
    });
    assert_eq!((called, it.is_only_v6()), (Err(Errno::ADDRINUSE), Ok(true)));
    let place = it.spelt(Ipv4Addr::LOCALHOST, 0);
    it.with_v4(|| rustix::net::bind(&it.socket, &place)).unwrap();
    assert_eq!(it.is_only_v6(), Ok(false));
    let it = socket(false);
    assert!(it.with_v4(|| Err(Errno::ADDRINUSE)).is_err());
    assert_eq!(it.is_only_v6(), Ok(false), "what its maker chose stays");
}
