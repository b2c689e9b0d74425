//! Which process of a jar a refusal of its network was for. The kernel names the socket, and the jar's processes are looked
//! through for it: a bounded part of them, whatever the jar has open, and for each object once.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use belljar_net::{Flow, Who};
use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::ask::rate::Rate;

/// Descriptors, threads and children that are looked at for one socket.
const MOST: usize = 2048;
/// Sockets that are looked for in a minute.
const SEARCHES: usize = 300;
/// Connections whose makers are remembered.
const TRIES: usize = 32;
/// Longest list of children that is read.
const LONGEST: u64 = 16 << 10;

/// Knows who asked.
#[derive(Debug)]
pub(super) struct Whose {
    /// Tells what sockets there are in the jar's network.
    kernel: Option<OwnedFd>,
    /// The first process of the jar.
    init: u32,
    /// Who was about to connect where, the latest last.
    tries: Mutex<VecDeque<(u32, SocketAddr)>>,
    searches: Mutex<Rate>,
}

impl Whose {
    pub(super) fn new(kernel: Option<OwnedFd>, init: u32) -> Self {
        let searches = Mutex::new(Rate::per_minute(SEARCHES));
        Self { kernel, init, tries: Mutex::default(), searches }
    }

    /// A process is about to connect there: when the kernel refuses that, nothing else tells who it was.
    pub(super) fn tries(&self, pid: u32, to: SocketAddr) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= TRIES {
            tries.pop_front();
        }
        tries.push_back((pid, to));
    }

    /// The process; none when it is gone, or hides among too many.
    pub(super) fn process(&self, who: Option<Who>) -> Option<u32> {
        match who? {
            Who::Process(pid) => Some(pid),
            Who::Owner(flow) => self.owner(flow),
            Who::Gone(to) => {
                let tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
                tries.iter().rev().find(|(_, tried)| *tried == to).map(|(pid, _)| *pid)
            }
            _ => None,
        }
    }

    fn owner(&self, flow: Flow) -> Option<u32> {
        let mut searches = self.searches.lock().unwrap_or_else(PoisonError::into_inner);
        searches.take(Instant::now()).then_some(())?;
        let inode = inode(self.kernel.as_ref()?, flow)?;
        Search { left: MOST, link: PathBuf::from(format!("socket:[{inode}]")) }.among(self.init)
    }
}

/// A look at the jar's processes for a socket. None of its steps goes on when too much was looked at.
struct Search {
    left: usize,
    link: PathBuf,
}

impl Search {
    fn among(&mut self, init: u32) -> Option<u32> {
        let mut waiting = VecDeque::from([init]);
        while let Some(pid) = waiting.pop_front() {
            if self.has(pid)? {
                return Some(pid);
            }
            self.children(pid, &mut waiting)?;
        }
        None
    }

    fn step(&mut self) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        Some(())
    }

    /// A process whose descriptors cannot be seen has ended, or is init, which has none of the jar's.
    fn has(&mut self, pid: u32) -> Option<bool> {
        let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else { return Some(false) };
        for descriptor in open.flatten() {
            self.step()?;
            if fs::read_link(descriptor.path()).is_ok_and(|link| link == self.link) {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Children of every thread.
    fn children(&mut self, pid: u32, found: &mut VecDeque<u32>) -> Option<()> {
        let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Some(()) };
        for thread in threads.flatten() {
            self.step()?;
            let mut text = String::new();
            let read = |file: File| file.take(LONGEST).read_to_string(&mut text);
            if File::open(thread.path().join("children")).and_then(read).is_err() {
                // It has ended since.
                continue;
            }
            for child in text.split_whitespace() {
                self.step()?;
                found.extend(child.parse::<u32>());
            }
        }
        Some(())
    }
}

const BY_FAMILY: u16 = 20;
const REQUEST: u16 = 1;
const INET: u8 = 2;
const INET6: u8 = 10;
const TCP: u8 = 6;
const UDP: u8 = 17;
/// First interface of every network namespace; sockets that are bound to none are found by it as well.
const LOOPBACK: u32 = 1;

/// The number of a socket as the kernel shows it in `/proc`. Asked and answered in one call each, neither of which waits.
fn inode(kernel: &OwnedFd, flow: Flow) -> Option<u32> {
    send(kernel, &request(flow), SendFlags::DONTWAIT).ok()?;
    let mut answer = [0; 1024];
    let (length, _) = recv(kernel, &mut answer, RecvFlags::DONTWAIT).ok()?;
    answered(answer.get(..length)?, flow)
}

/// `inet_diag_req_v2` for one socket.
fn request(flow: Flow) -> Vec<u8> {
    // For datagrams the kernel takes the two the other way round.
    let (own, peer) = if flow.by_datagram { (flow.peer, flow.own) } else { (flow.own, flow.peer) };
    let family = if own.is_ipv4() { INET } else { INET6 };
    let mut body = vec![family, if flow.by_datagram { UDP } else { TCP }, 0, 0];
    body.extend(u32::MAX.to_ne_bytes());
    body.extend([own.port().to_be_bytes(), peer.port().to_be_bytes()].concat());
    body.extend([address(own.ip()), address(peer.ip())].concat());
    body.extend(LOOPBACK.to_ne_bytes());
    // No cookie.
    body.extend([0xff; 8]);
    let length = u32::try_from(HEAD.saturating_add(body.len())).unwrap_or(u32::MAX);
    let mut message = length.to_ne_bytes().to_vec();
    message.extend([BY_FAMILY.to_ne_bytes(), REQUEST.to_ne_bytes()].concat());
    message.extend([0; 8]);
    message.extend(body);
    message
}

const HEAD: usize = 16;

fn address(addr: IpAddr) -> [u8; 16] {
    match addr {
        IpAddr::V6(addr) => addr.octets(),
        IpAddr::V4(addr) => {
            let mut bytes = [0; 16];
            bytes.iter_mut().zip(addr.octets()).for_each(|(to, from)| *to = from);
            bytes
        }
    }
}

/// What `inet_diag_msg` says of this very socket; a listener that only has the same port is another one.
fn answered(answer: &[u8], flow: Flow) -> Option<u32> {
    let kind = u16::from_ne_bytes(*answer.get(4..)?.first_chunk()?);
    let port = |at: usize| Some(u16::from_be_bytes(*answer.get(at..)?.first_chunk()?));
    let [own, peer] = [port(20)?, port(22)?];
    let is_it = own == flow.own.port() && (peer == flow.peer.port() || flow.by_datagram && peer == 0);
    let inode = u32::from_ne_bytes(*answer.get(84..)?.first_chunk()?);
    (kind == BY_FAMILY && is_it && inode != 0).then_some(inode)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::fd::AsRawFd;

    use rustix::net::netlink::SOCK_DIAG;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

    use super::*;

    fn kernel() -> OwnedFd {
        socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(SOCK_DIAG)).unwrap()
    }

    fn number(fd: &impl AsRawFd) -> u32 {
        let link = fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).unwrap();
        let text = link.to_str().unwrap().trim_start_matches("socket:[").trim_end_matches(']').to_owned();
        text.parse().unwrap()
    }

    fn flow(by_datagram: bool, own: SocketAddr, peer: SocketAddr) -> Who {
        Who::Owner(Flow { by_datagram, own, peer })
    }

    #[test]
    fn a_socket_is_found_by_its_addresses_and_its_process_by_the_socket() {
        let kernel = kernel();
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(host).unwrap();
            let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (own, peer) = (stream.local_addr().unwrap(), stream.peer_addr().unwrap());
            let asked = Flow { by_datagram: false, own, peer };
            assert_eq!(inode(&kernel, asked), Some(number(&stream)), "{host}");
            assert_eq!(
                inode(&kernel, Flow { own: peer, peer: "127.0.0.9:9".parse().unwrap(), ..asked }),
                None
            );
            for is_connected in [true, false] {
                let datagrams = UdpSocket::bind(host).unwrap();
                let own = datagrams.local_addr().unwrap();
                let peer = SocketAddr::new(own.ip(), 9);
                if is_connected {
                    datagrams.connect(peer).unwrap();
                }
                assert_eq!(inode(&kernel, Flow { by_datagram: true, own, peer }), Some(number(&datagrams)));
            }
        }
    }

    #[test]
    fn the_owner_is_looked_for_among_descendants() {
        let whose = Whose::new(Some(kernel()), std::process::id());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let asked = flow(false, stream.local_addr().unwrap(), stream.peer_addr().unwrap());
        assert_eq!(whose.process(Some(asked)), Some(std::process::id()));
        drop(stream);
        assert_eq!(whose.process(Some(asked)), None);
        let without = Whose::new(None, std::process::id());
        assert_eq!(without.process(Some(asked)), None);
    }

    #[test]
    fn a_search_ends_however_much_is_open() {
        let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut search = Search { left: MOST, link: format!("socket:[{}]", number(&one)).into() };
        assert_eq!(search.among(std::process::id()), Some(std::process::id()));
        search.left = 1;
        assert_eq!(search.among(std::process::id()), None);
        let whose = Whose::new(Some(kernel()), std::process::id());
        let here = flow(true, "127.0.0.1:9".parse().unwrap(), "127.0.0.1:9".parse().unwrap());
        for _ in 0..SEARCHES + 10 {
            whose.process(Some(here));
        }
        assert!(!whose.searches.lock().unwrap().take(Instant::now()));
    }

    #[test]
    fn the_last_who_tried_an_address_is_named() {
        let whose = Whose::new(None, 1);
        let at = |port| SocketAddr::from(([9, 9, 9, 9], port));
        whose.tries(7, at(1));
        whose.tries(8, at(1));
        assert_eq!(whose.process(Some(Who::Gone(at(1)))), Some(8));
        (0..100).for_each(|port| whose.tries(9, at(port + 2)));
        assert_eq!(whose.process(Some(Who::Gone(at(1)))), None);
        assert!(whose.tries.lock().unwrap().len() <= TRIES);
    }
}
