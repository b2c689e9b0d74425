//! Questions to a name service and its answers (RFC 1035, RFC 6891): addresses of one name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kind {
    /// Addresses of IPv4.
    A = 1,
    /// Addresses of IPv6.
    Aaaa = 28,
}

/// Why an answer has no addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Fault {
    /// It is no answer to this question.
    Unfit,
    /// There is no such name.
    NoSuchName,
    /// The name service could not say.
    Refused,
}

/// Most addresses of one answer.
const MOST: usize = 32;
/// Longest chain of names that stand for one another.
const CHAIN: usize = 8;
const HEADER: usize = 12;
const CNAME: u16 = 5;
const INTERNET: u16 = 1;
/// Longest answer that is asked for: what no path tears apart.
const LONGEST: u16 = 1232;

/// The question for a name, with this number.
pub(in super::super) fn question(id: u16, name: &str, kind: Kind) -> Option<Vec<u8>> {
    let mut out = id.to_be_bytes().to_vec();
    // Recursion is wanted; one question, and one record that tells what is taken.
    out.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length))?;
        out.push(length);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    let [_, kind] = (kind as u16).to_be_bytes();
    out.extend_from_slice(&[0, kind, 0, 1]);
    out.extend_from_slice(&[0, 0, 41]);
    out.extend_from_slice(&LONGEST.to_be_bytes());
    out.extend_from_slice(&[0; 6]);
    (name.len() < 254).then_some(out)
}

/// The addresses in an answer to that question; names that stand for the name are followed.
pub(in super::super) fn addresses(
    message: &[u8],
    id: u16,
    name: &str,
    kind: Kind,
) -> Result<Vec<IpAddr>, Fault> {
    let (head, rest) = message.split_first_chunk::<HEADER>().ok_or(Fault::Unfit)?;
    let [id_high, id_low, high, low, q_high, q_low, a_high, a_low, ..] = *head;
    let answers = u16::from_be_bytes([a_high, a_low]);
    let (question, mut at) = owner(message, message.len() - rest.len()).ok_or(Fault::Unfit)?;
    let asked = take::<4>(message, &mut at).ok_or(Fault::Unfit)?;
    let [_, own] = (kind as u16).to_be_bytes();
    let fits = [id_high, id_low] == id.to_be_bytes()
        && high & 0xF8 == 0x80
        && [q_high, q_low] == [0, 1]
        && question == name
        && asked == [0, own, 0, 1];
    match (fits, low & 0xF) {
        (false, _) => Err(Fault::Unfit),
        (true, 3) => Err(Fault::NoSuchName),
        (true, 0) => Ok(follow(&records(message, at, answers, kind), name)),
        (true, _) => Err(Fault::Refused),
    }
}

/// What a record says of its name.
enum Says {
    Address(IpAddr),
    Other(String),
}

/// The records that count, up to the first that is malformed: an answer may be cut off.
fn records(message: &[u8], mut at: usize, count: u16, kind: Kind) -> Vec<(String, Says)> {
    let mut found = Vec::new();
    for _ in 0..count.min(256) {
        let Some((name, next)) = owner(message, at) else { break };
        at = next;
        let Some([t0, t1, c0, c1, _, _, _, _, l0, l1]) = take::<10>(message, &mut at) else { break };
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let Some(data) = message.get(at..at + length) else { break };
        let says = match (u16::from_be_bytes([t0, t1]), u16::from_be_bytes([c0, c1])) {
            (CNAME, INTERNET) => owner(message, at).map(|(other, _)| Says::Other(other)),
            (found, INTERNET) if found == kind as u16 => address(data).map(Says::Address),
            _ => None,
        };
        found.extend(says.map(|says| (name, says)));
        at += length;
    }
    found
}

fn address(data: &[u8]) -> Option<IpAddr> {
    let four = || <[u8; 4]>::try_from(data).map(|bytes| Ipv4Addr::from(bytes).into());
    let sixteen = || <[u8; 16]>::try_from(data).map(|bytes| Ipv6Addr::from(bytes).into());
    four().or_else(|_| sixteen()).ok()
}

fn follow(records: &[(String, Says)], name: &str) -> Vec<IpAddr> {
    let mut name = name;
    for _ in 0..CHAIN {
        let of = || records.iter().filter(|(owner, _)| owner == name);
        let addresses = of().filter_map(|(_, says)| match says {
            Says::Address(address) => Some(*address),
            Says::Other(_) => None,
        });
        let found: Vec<_> = addresses.take(MOST).collect();
        let other = of().find_map(|(_, says)| match says {
            Says::Other(other) => Some(other),
            Says::Address(_) => None,
        });
        match other {
            Some(other) if found.is_empty() => name = other,
            _ => return found,
        }
    }
    Vec::new()
}

/// The name that stands at a place, and what follows it. Pointers lead backwards only.
fn owner(message: &[u8], start: usize) -> Option<(String, usize)> {
    let (mut at, mut end, mut bound) = (start, None, start);
    let mut name = String::new();
    loop {
        let [length] = take::<1>(message, &mut at)?;
        match length {
            0 => return Some((name, end.unwrap_or(at))),
            1..64 => {
                let label = message.get(at..at + usize::from(length))?;
                at += label.len();
                push(&mut name, label)?;
            }
            0xC0.. => {
                let [low] = take::<1>(message, &mut at)?;
                end.get_or_insert(at);
                let to = usize::from(u16::from_be_bytes([length & 0x3F, low]));
                at = Some(to).filter(|to| *to < bound)?;
                bound = at;
            }
            _ => return None,
        }
    }
}

fn push(name: &mut String, label: &[u8]) -> Option<()> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !label.iter().all(plain) || name.len() + label.len() > 253 {
        return None;
    }
    if !name.is_empty() {
        name.push('.');
    }
    name.extend(label.iter().map(|byte| char::from(byte.to_ascii_lowercase())));
    Some(())
}

fn take<const N: usize>(message: &[u8], at: &mut usize) -> Option<[u8; N]> {
    let found = *message.get(*at..)?.first_chunk::<N>()?;
    *at += N;
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(question: &[u8], flags: [u8; 2], records: &[&[u8]]) -> Vec<u8> {
        let asked = &question[HEADER..question.len() - 11];
        let count = u8::try_from(records.len()).unwrap();
        let head = [&question[..2], &flags, &[0, 1, 0, count, 0, 0, 0, 0]].concat();
        [&head[..], asked, &records.concat()].concat()
    }

    fn record(owner: &[u8], kind: u8, data: &[u8]) -> Vec<u8> {
        let length = u8::try_from(data.len()).unwrap();
        [owner, &[0, kind, 0, 1, 0, 0, 0, 60, 0, length], data].concat()
    }

    const SAME: &[u8] = &[0xC0, 12];

    #[test]
    fn names_that_stand_for_the_name_are_followed_and_others_are_not() {
        let question = question(7, "www.a.org", Kind::A).unwrap();
        let other = b"\x01b\x03org\0";
        let records = [
            record(b"\x01x\x03org\0", 1, &[6, 6, 6, 6]),
            record(SAME, 5, other),
            record(other, 1, &[9, 9, 9, 9]),
            record(other, 28, &[0; 16]),
            record(SAME, 1, &[1, 2, 3]),
        ];
        let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        let found = addresses(&answer(&question, [0x81, 0x80], &records), 7, "www.a.org", Kind::A);
        assert_eq!(found, Ok(vec!["9.9.9.9".parse().unwrap()]));
    }

    #[test]
    fn what_is_no_answer_to_the_question_is_none() {
        let asked = question(7, "a.org", Kind::A).unwrap();
        let good = answer(&asked, [0x81, 0x80], &[&record(SAME, 1, &[9, 9, 9, 9])]);
        let read = |message: &[u8], id, name, kind| addresses(message, id, name, kind);
        assert!(read(&good, 7, "a.org", Kind::A).is_ok_and(|found| found.len() == 1));
        assert_eq!(read(&good, 8, "a.org", Kind::A), Err(Fault::Unfit));
        assert_eq!(read(&good, 7, "b.org", Kind::A), Err(Fault::Unfit));
        assert_eq!(read(&good, 7, "a.org", Kind::Aaaa), Err(Fault::Unfit));
        assert_eq!(read(&asked, 7, "a.org", Kind::A), Err(Fault::Unfit), "a question");
        assert_eq!(read(&answer(&asked, [0x81, 0x83], &[]), 7, "a.org", Kind::A), Err(Fault::NoSuchName));
        assert_eq!(read(&answer(&asked, [0x81, 0x82], &[]), 7, "a.org", Kind::A), Err(Fault::Refused));
        assert_eq!(read(&answer(&asked, [0x83, 0x80], &[]), 7, "a.org", Kind::A), Ok(vec![]), "cut off");
    }

    #[test]
    fn names_and_chains_that_go_round_end() {
        let asked = question(7, "a.org", Kind::A).unwrap();
        let round = answer(&asked, [0x81, 0x80], &[&record(SAME, 5, SAME)]);
        assert_eq!(addresses(&round, 7, "a.org", Kind::A), Ok(vec![]));
        let at = u8::try_from(round.len()).unwrap();
        let own = [&round[..], &[0xC0, at]].concat();
        assert_eq!(owner(&own, usize::from(at)), None);
    }

    #[test]
    fn a_name_that_is_none_is_not_asked_for() {
        let long = "a".repeat(64);
        for name in ["", ".", "a..b", "a.", &long, &"a.".repeat(127)] {
            assert_eq!(question(1, name, Kind::A), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_message_panics(message in prop::collection::vec(any::<u8>(), 0..200), changed: u8, at in 0..60_usize) {
            drop(addresses(&message, 7, "a.org", Kind::A));
            let asked = question(7, "a.org", Kind::A).unwrap();
            let mut answer = answer(&asked, [0x81, 0x80], &[&record(SAME, 1, &[9, 9, 9, 9]), &message]);
            if let Some(byte) = answer.get_mut(at) {
                *byte = changed;
            }
            drop(addresses(&answer, 7, "a.org", Kind::A));
        }
    }
}
