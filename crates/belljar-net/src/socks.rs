//! SOCKS5 (RFC 1928): no authentication, CONNECT only, names and addresses of both families.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::rules::Host;

/// Longest opening that is waited for: a greeting with all methods, then a request with the longest name.
pub(crate) const LONGEST: usize = 2 + 255 + 7 + 255;

/// Where the opening of a client stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Not all is there.
    More,
    /// Say this, and go on behind `used` bytes.
    Greet { used: usize, say: [u8; 2] },
    /// No SOCKS5, or nothing that is offered here: say this and close.
    Refuse(Vec<u8>),
    /// A connection is asked for; what follows `used` bytes is for the other side.
    Connect { used: usize, host: Host, port: u16 },
}

/// Codes of replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Granted,
    Failed,
    Denied,
    Unreachable,
    Refused,
    NoCommand,
    NoAddress,
}

impl Code {
    /// The reply with this code; the bound address is nobody's business.
    pub(crate) fn reply(self) -> Vec<u8> {
        let code = match self {
            Self::Granted => 0,
            Self::Failed => 1,
            Self::Denied => 2,
            Self::Unreachable => 4,
            Self::Refused => 5,
            Self::NoCommand => 7,
            Self::NoAddress => 8,
        };
        vec![5, code, 0, 1, 0, 0, 0, 0, 0, 0]
    }
}

/// Reads the greeting: version, count of methods, methods. "None" has to be among them.
pub(crate) fn greeting(bytes: &[u8]) -> Step {
    let (Some(version), count) = (bytes.first(), bytes.get(1)) else { return Step::More };
    if *version != 5 {
        return Step::Refuse(Vec::new());
    }
    let Some(count) = count.map(|count| usize::from(*count)) else { return Step::More };
    let Some(methods) = bytes.get(2..2 + count) else { return Step::More };
    if methods.contains(&0) {
        return Step::Greet { used: 2 + count, say: [5, 0] };
    }
    Step::Refuse(vec![5, 0xff])
}

/// Reads the request: version, command, zero, kind of address, address, port.
pub(crate) fn request(bytes: &[u8]) -> Step {
    let Some(([version, command, _, kind], rest)) = bytes.split_first_chunk::<4>() else { return Step::More };
    match (version, command) {
        (5, 1) => {}
        (5, _) => return Step::Refuse(Code::NoCommand.reply()),
        _ => return Step::Refuse(Vec::new()),
    }
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => match rest.first() {
            Some(length) => 1 + usize::from(*length),
            None => return Step::More,
        },
        _ => return Step::Refuse(Code::NoAddress.reply()),
    };
    let Some((address, port)) = rest.split_at_checked(length) else { return Step::More };
    let Some(port) = port.first_chunk::<2>() else { return Step::More };
    match (host(*kind, address), u16::from_be_bytes(*port)) {
        (Some(host), 1..) => Step::Connect { used: 4 + length + 2, host, port: u16::from_be_bytes(*port) },
        _ => Step::Refuse(Code::NoAddress.reply()),
    }
}

fn host(kind: u8, address: &[u8]) -> Option<Host> {
    let addr: IpAddr = match kind {
        1 => Ipv4Addr::from(*address.first_chunk::<4>()?).into(),
        4 => Ipv6Addr::from(*address.first_chunk::<16>()?).into(),
        _ => {
            let name = std::str::from_utf8(address.get(1..)?).ok()?;
            return Host::read(name).and_then(|(host, port)| port.is_none().then_some(host));
        }
    };
    Some(Host::Address(addr.to_canonical()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn greetings() {
        assert_eq!(greeting(&[]), Step::More);
        assert_eq!(greeting(&[5]), Step::More);
        assert_eq!(greeting(&[5, 2, 2]), Step::More);
        assert_eq!(greeting(&[5, 2, 2, 0, 9]), Step::Greet { used: 4, say: [5, 0] });
        assert_eq!(greeting(&[5, 1, 2]), Step::Refuse(vec![5, 0xff]));
        assert_eq!(greeting(&[5, 0]), Step::Refuse(vec![5, 0xff]));
        assert_eq!(greeting(&[4, 1]), Step::Refuse(vec![]));
        assert_eq!(greeting(b"GET / HTTP/1.1"), Step::Refuse(vec![]));
    }

    #[test]
    fn requests() {
        let name = |text: &str| {
            let mut bytes = vec![5, 1, 0, 3, u8::try_from(text.len()).unwrap()];
            bytes.extend_from_slice(text.as_bytes());
            bytes.extend_from_slice(&[1, 187, b'x']);
            request(&bytes)
        };
        let org = Host::Name("a.org".into());
        assert_eq!(name("A.org"), Step::Connect { used: 12, host: org, port: 443 });
        let literal = Host::Address("10.0.0.1".parse().unwrap());
        assert_eq!(name("10.0.0.1"), Step::Connect { used: 15, host: literal.clone(), port: 443 });
        for bad in ["", "a.org:80", "10.0.0.0/8", "*.org", "a\0b"] {
            assert_eq!(name(bad), Step::Refuse(Code::NoAddress.reply()), "{bad}");
        }
        let four = [5, 1, 0, 1, 10, 0, 0, 1, 0, 80];
        assert_eq!(request(&four), Step::Connect { used: 10, host: literal.clone(), port: 80 });
        assert_eq!(request(&four[..9]), Step::More);
        let mut six = vec![5, 1, 0, 4];
        six.extend_from_slice(&"::ffff:10.0.0.1".parse::<Ipv6Addr>().unwrap().octets());
        six.extend_from_slice(&[0, 80]);
        assert_eq!(request(&six), Step::Connect { used: 22, host: literal, port: 80 });
        assert_eq!(request(&[5, 2, 0, 1]), Step::Refuse(Code::NoCommand.reply()));
        assert_eq!(request(&[5, 1, 0, 9]), Step::Refuse(Code::NoAddress.reply()));
        assert_eq!(request(&[5, 1, 0, 1, 1, 1, 1, 1, 0, 0]), Step::Refuse(Code::NoAddress.reply()));
        assert_eq!(request(&[4, 1, 0, 1]), Step::Refuse(vec![]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_decided_within_the_longest_opening(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
            for step in [greeting(&bytes), request(&bytes)] {
                if let Step::Greet { used, .. } | Step::Connect { used, .. } = &step {
                    prop_assert!(*used <= bytes.len());
                }
                prop_assert!(step != Step::More || bytes.len() < LONGEST);
            }
        }
    }
}
