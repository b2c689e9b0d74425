//! Socket addresses as a jar says them.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use rustix::io::Errno;

/// Longest address that the kernel takes.
pub(super) const LONGEST: usize = 128;
const UNIX: u16 = 1;
const INET: u16 = 2;
const INET6: u16 = 10;

/// What an address means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A unix socket at a path.
    Path(PathBuf),
    /// A unix socket without one: an abstract name, or none at all.
    Abstract,
    /// A host and a port; IPv4 in the form of IPv6 is IPv4.
    Internet(SocketAddr),
    /// Another family.
    Other,
}

/// Reads an address as the kernel would: what is too short for its family is `EINVAL`.
pub(super) fn read(bytes: &[u8]) -> Result<Meaning, Errno> {
    let (family, rest) = bytes.split_first_chunk::<2>().ok_or(Errno::INVAL)?;
    match u16::from_ne_bytes(*family) {
        UNIX => Ok(unix(rest)),
        INET => v4(rest).ok_or(Errno::INVAL),
        INET6 => v6(rest).ok_or(Errno::INVAL),
        _ => Ok(Meaning::Other),
    }
}

fn unix(rest: &[u8]) -> Meaning {
    match rest.first() {
        None | Some(0) => Meaning::Abstract,
        Some(_) => {
            let path = rest.split(|byte| *byte == 0).next().unwrap_or_default();
            Meaning::Path(PathBuf::from(OsString::from_vec(path.to_vec())))
        }
    }
}

/// The kernel connects to the own loopback where the address is none.
pub(super) fn peer(to: SocketAddr) -> SocketAddr {
    match to.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => SocketAddr::from((Ipv4Addr::LOCALHOST, to.port())),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => SocketAddr::from((Ipv6Addr::LOCALHOST, to.port())),
        _ => to,
    }
}

/// Port and address; eight bytes that nobody looks at.
fn v4(rest: &[u8]) -> Option<Meaning> {
    let (port, rest) = rest.split_first_chunk::<2>()?;
    let (addr, rest) = rest.split_first_chunk::<4>()?;
    let to = SocketAddr::from((Ipv4Addr::from(*addr), u16::from_be_bytes(*port)));
    (rest.len() >= 8).then_some(Meaning::Internet(to))
}

/// Port, flow, address; a scope that old programs leave out.
fn v6(rest: &[u8]) -> Option<Meaning> {
    let (port, rest) = rest.split_first_chunk::<2>()?;
    let (_, rest) = rest.split_first_chunk::<4>()?;
    let (addr, _) = rest.split_first_chunk::<16>()?;
    let port = u16::from_be_bytes(*port);
    let addr = Ipv6Addr::from(*addr);
    let plain = SocketAddr::V6(SocketAddrV6::new(addr, port, 0, 0));
    let to = addr.to_ipv4_mapped().map_or(plain, |addr| SocketAddr::from((addr, port)));
    Some(Meaning::Internet(to))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(family: u16, rest: &[u8]) -> Result<Meaning, Errno> {
        let mut bytes = family.to_ne_bytes().to_vec();
        bytes.extend(rest);
        read(&bytes)
    }

    #[test]
    fn addresses_mean_what_the_kernel_takes_them_for() {
        let path = |text: &str| Ok(Meaning::Path(text.into()));
        assert_eq!(said(UNIX, b"/run/x"), path("/run/x"));
        assert_eq!(said(UNIX, b"x\0/run/y"), path("x"));
        assert_eq!(said(UNIX, b"\0name"), Ok(Meaning::Abstract));
        assert_eq!(said(UNIX, b""), Ok(Meaning::Abstract));
        let local = Ok(Meaning::Internet("127.0.0.1:80".parse().unwrap()));
        assert_eq!(said(INET, &[0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), local);
        assert_eq!(said(INET, &[0, 80, 127, 0, 0, 1]), Err(Errno::INVAL));
        let mut mapped = vec![0, 80, 0, 0, 0, 0];
        mapped.extend([0; 10]);
        mapped.extend([255, 255, 127, 0, 0, 1]);
        assert_eq!(said(INET6, &mapped), local);
        assert_eq!(said(INET6, &mapped[..20]), Err(Errno::INVAL));
        assert_eq!(said(0, &[0; 14]), Ok(Meaning::Other));
        assert_eq!(read(&[1]), Err(Errno::INVAL));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_a_path_never_holds_a_zero(bytes in prop::collection::vec(any::<u8>(), 0..LONGEST)) {
            if let Ok(Meaning::Path(path)) = read(&bytes) {
                prop_assert!(!path.as_os_str().is_empty());
                prop_assert!(!path.as_os_str().as_encoded_bytes().contains(&0));
            }
        }
    }
}
