//! `HOST[:PORT]`: names, `*.` patterns, addresses and ranges.

use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::error::PolicyError;

/// What a network rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NetTarget {
    /// A name, lower case, without a final dot.
    Name(String),
    /// Every name below this one (`*.example.org` holds `example.org`).
    Below(String),
    /// An address range; a single address has the full prefix.
    Range {
        /// First address of the range.
        addr: IpAddr,
        /// Prefix length in bits.
        prefix: u8,
    },
}

const HOST: &str = "a host such as example.org:443, *.example.org, 10.0.0.0/8:5432 or [::1]:80";

/// What is written where a host is meant, and what to write instead.
type Slip = (fn(&str) -> bool, &'static str);
const SLIPS: &[Slip] = &[
    (is_everything, "everything is mode = \"host\" (--net host)"),
    (is_udp, "lists grant TCP alone, UDP is had by mode = \"host\" (--net host)"),
    (
        |text| text.contains("://"),
        "a host and a port: example.org:443, without what stands before and behind",
    ),
];

fn is_everything(text: &str) -> bool {
    matches!(text.split(':').next(), Some("*" | "all" | "any"))
}

fn is_udp(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.starts_with("udp:") || [":udp", "/udp"].iter().any(|end| text.ends_with(end))
}

/// Reads one entry of an allow or deny list.
pub(crate) fn host(text: &str) -> Result<(NetTarget, Option<u16>), PolicyError> {
    read(text).map_err(|error| match SLIPS.iter().find(|(is_it, _)| is_it(text)) {
        Some((_, remedy)) => error.fix(*remedy),
        None => error,
    })
}

fn read(text: &str) -> Result<(NetTarget, Option<u16>), PolicyError> {
    let (name, port) = split_port(text).ok_or_else(|| PolicyError::bad(text, HOST))?;
    if is_everything(name) {
        return Err(PolicyError::bad(text, HOST));
    }
    Ok((target(name, text)?, port))
}

/// The port of `localhost:PORT`.
pub(crate) fn local_port(text: &str) -> Option<u16> {
    let (name, port) = split_port(text)?;
    matches!(name, "localhost" | "127.0.0.1" | "::1").then_some(port)?
}

/// Separates a port; brackets hold an IPv6 address, a second colon without them means that there is no port.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (name, tail) = rest.split_once(']')?;
        // A range after the bracket: [fc00::]/7.
        let tail = if tail.is_empty() { return Some((name, None)) } else { tail };
        return Some((name, Some(port(tail.strip_prefix(':')?)?)));
    }
    match text.split_once(':') {
        Some((name, tail)) if !tail.contains(':') => Some((name, Some(port(tail)?))),
        _ => Some((text, None)),
    }
}

/// A port number, without sign.
pub(crate) fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

fn target(name: &str, whole: &str) -> Result<NetTarget, PolicyError> {
    if let Some((addr, bits)) = name.split_once('/') {
        return range(addr, bits, whole);
    }
    if let Ok(addr) = name.parse::<IpAddr>() {
        let addr = addr.to_canonical();
        return Ok(NetTarget::Range { addr, prefix: width(addr) });
    }
    let (below, name) = match name.strip_prefix("*.") {
        Some(rest) => (true, rest),
        None => (false, name),
    };
    let name = dns_name(name).ok_or_else(|| PolicyError::bad(whole, HOST))?;
    Ok(if below { NetTarget::Below(name) } else { NetTarget::Name(name) })
}

fn range(addr: &str, bits: &str, whole: &str) -> Result<NetTarget, PolicyError> {
    let bad = || PolicyError::bad(whole, HOST);
    let addr: IpAddr = addr.parse().map_err(|_| bad())?;
    let prefix: u8 = bits.parse().map_err(|_| bad())?;
    if prefix > width(addr) {
        return Err(bad());
    }
    let first = masked(addr, prefix);
    if first != addr {
        return Err(bad().fix(format!("the range that holds it is {first}/{prefix}")));
    }
    Ok(canonical(addr, prefix))
}

/// A range of IPv4 addresses written in IPv6 is that IPv4 range.
fn canonical(addr: IpAddr, prefix: u8) -> NetTarget {
    match (addr.to_canonical(), addr, prefix.checked_sub(96)) {
        (IpAddr::V4(inner), IpAddr::V6(_), Some(short)) => {
            NetTarget::Range { addr: inner.into(), prefix: short }
        }
        _ => NetTarget::Range { addr, prefix },
    }
}

/// Bits of an address of this family.
pub(crate) fn width(addr: IpAddr) -> u8 {
    if addr.is_ipv4() { 32 } else { 128 }
}

/// `addr` with all bits behind the prefix cleared.
pub(crate) fn masked(addr: IpAddr, prefix: u8) -> IpAddr {
    let keep = |bits: u32| bits.saturating_sub(u32::from(prefix));
    match addr {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & u32::MAX.checked_shl(keep(32)).unwrap_or(0)).into()),
        IpAddr::V6(v6) => {
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & u128::MAX.checked_shl(keep(128)).unwrap_or(0)))
        }
    }
}

/// Lower case, without the final dot; none when it is no host name or could be read as an odd spelling of an address.
pub(crate) fn dns_name(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let last = name.rsplit('.').next()?;
    // 127.1, 0x7f000001 and 2130706433 are addresses to some programs.
    let numeric = last.bytes().all(|b| b.is_ascii_digit()) || last.to_ascii_lowercase().starts_with("0x");
    (name.len() <= 253 && !numeric && name.split('.').all(label)).then(|| name.to_ascii_lowercase())
}

/// The text that [`host`] reads back.
pub(crate) fn host_text(target: &NetTarget, port: Option<u16>) -> String {
    let (name, bracket) = match target {
        NetTarget::Name(name) => (name.clone(), false),
        NetTarget::Below(name) => (format!("*.{name}"), false),
        NetTarget::Range { addr, prefix } if *prefix == width(*addr) => (addr.to_string(), addr.is_ipv6()),
        NetTarget::Range { addr, prefix } => (format!("{addr}/{prefix}"), addr.is_ipv6()),
    };
    match port {
        Some(port) if bracket => format!("[{name}]:{port}"),
        Some(port) => format!("{name}:{port}"),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_host_is_told_what_to_write() {
        for (text, remedy) in [
            ("any:443", "--net host"),
            ("udp://9.9.9.9:53", "UDP"),
            ("9.9.9.9:53/udp", "UDP"),
            ("9.9.9.9:udp", "UDP"),
            ("https://example.org/", "example.org:443"),
        ] {
            let error = host(text).unwrap_err();
            assert!(error.remedy().is_some_and(|told| told.contains(remedy)), "{error:?}");
        }
    }

    #[test]
    fn read_and_written_back() {
        for (text, back) in [
            ("github.com:443", "github.com:443"),
            ("*.Example.ORG.", "*.example.org"),
            ("10.0.0.0/8:5432", "10.0.0.0/8:5432"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]:80", "[::1]:80"),
            ("::1", "::1"),
            ("[fc00::/7]:1", "[fc00::/7]:1"),
            ("fc00::/7", "fc00::/7"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            let (target, port) = host(text).unwrap();
            assert_eq!(host_text(&target, port), back, "{text}");
            assert_eq!(host(back).unwrap(), (target, port), "{back}");
        }
    }

    #[test]
    fn refused() {
        for bad in [
            "",
            ":",
            ":80",
            "a:",
            "a:0",
            "a:65536",
            "a:+1",
            "*",
            "*.",
            "a..b",
            "-a",
            "a b",
            "127.1",
            "0x7f.0x1",
            "2130706433",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "[::1",
            "[::1]80",
            "a/8",
            "*.*.org",
            "b\u{e4}r.de",
            "user@host",
            "http://a",
        ] {
            assert!(host(bad).is_err(), "{bad:?}");
        }
    }
}
