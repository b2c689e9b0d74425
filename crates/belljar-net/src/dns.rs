//! One DNS message in, one out. Nothing is forwarded: what is answered comes from the rules alone.
//!
//! | asked | answer | because |
//! |---|---|---|
//! | `A` of a granted name | its stand-in | the address of the connection tells the name |
//! | other types of a granted name, `AAAA` too | no error, no records | clients ask for both families and go on at once with the one that has an address; an answer in the other would only be dialled first |
//! | a name above a granted one | no error, no records | it exists: "no such name" would hold for all below it |
//! | any other name | no such name | final for every client; a refusal makes them ask again, or another server |
//!
//! Only the header and the one question are read, so that nothing else of a message can do harm; unknown types are
//! questions like others.

use std::net::Ipv4Addr;

/// Longest message that is looked at: with one question and options, none is longer.
pub(crate) const LONGEST: usize = 1024;
/// Seconds that a stand-in may be kept; short, since names below patterns can lose theirs.
const LIFE: u32 = 60;

const HEADER: usize = 12;
const INTERNET: u16 = 1;
const ANY: u16 = 255;
const ADDRESS: u16 = 1;

/// What is known about a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Address(Ipv4Addr),
    Empty,
    NoSuchName,
    /// Not now.
    Busy,
}

#[derive(Clone, Copy)]
enum Code {
    Fine,
    Malformed,
    Busy,
    NoSuchName,
    Unsupported,
}

/// The one question of a message.
struct Question<'a> {
    /// As it was sent: answers repeat it byte by byte.
    raw: &'a [u8],
    /// Lower case with dots; none when it holds what host names do not.
    name: Option<String>,
    kind: u16,
    class: u16,
}

/// The reply to a message. `find` is asked once at most, with a name in lower case. None for what is no query at all.
pub(crate) fn reply(message: &[u8], find: impl FnOnce(&str) -> Answer) -> Option<Vec<u8>> {
    let (id, rest) = message.split_first_chunk::<2>()?;
    let (flags, rest) = rest.split_first_chunk::<2>()?;
    let counts = rest.first_chunk::<8>()?;
    let [high, _] = *flags;
    // An answer is never answered: two servers would go on for ever.
    if high & 0x80 != 0 {
        return None;
    }
    let head = Head { id: *id, high };
    if high & 0x78 != 0 {
        return Some(head.alone(Code::Unsupported));
    }
    let question = if counts.first_chunk() == Some(&[0, 1]) { question(message) } else { None };
    let Some(question) = question else { return Some(head.alone(Code::Malformed)) };
    let (code, addr) = decide(&question, find);
    Some(head.with(code, &question, addr))
}

fn decide(question: &Question<'_>, find: impl FnOnce(&str) -> Answer) -> (Code, Option<Ipv4Addr>) {
    if !matches!(question.class, INTERNET | ANY) {
        return (Code::Unsupported, None);
    }
    match question.name.as_deref().map_or(Answer::NoSuchName, find) {
        Answer::Address(addr) if matches!(question.kind, ADDRESS | ANY) => (Code::Fine, Some(addr)),
        Answer::Address(_) | Answer::Empty => (Code::Fine, None),
        Answer::NoSuchName => (Code::NoSuchName, None),
        Answer::Busy => (Code::Busy, None),
    }
}

/// Reads the question behind the header. Its name is not compressed: there is nothing before it to point at.
fn question(message: &[u8]) -> Option<Question<'_>> {
    let start = message.get(HEADER..)?;
    let (mut rest, mut name, mut is_host) = (start, String::new(), true);
    loop {
        let (length, tail) = rest.split_first()?;
        let length = usize::from(*length);
        if length == 0 {
            rest = tail;
            break;
        }
        let label = tail.get(..length).filter(|_| length < 64 && name.len() + length < 255)?;
        is_host &= label.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !name.is_empty() {
            name.push('.');
        }
        name.extend(label.iter().map(|byte| char::from(byte.to_ascii_lowercase())));
        rest = tail.get(length..)?;
    }
    let (kind, rest) = rest.split_first_chunk::<2>()?;
    let (class, rest) = rest.split_first_chunk::<2>()?;
    let raw = start.get(..start.len() - rest.len())?;
    let name = (is_host && !name.is_empty()).then_some(name);
    Some(Question { raw, name, kind: u16::from_be_bytes(*kind), class: u16::from_be_bytes(*class) })
}

/// What an answer repeats of the header.
struct Head {
    id: [u8; 2],
    high: u8,
}

impl Head {
    /// A header without a question: for messages whose question could not be read.
    fn alone(&self, code: Code) -> Vec<u8> {
        self.header(code, 0, 0)
    }

    fn with(&self, code: Code, question: &Question<'_>, addr: Option<Ipv4Addr>) -> Vec<u8> {
        let mut out = self.header(code, 1, u8::from(addr.is_some()));
        out.extend_from_slice(question.raw);
        if let Some(addr) = addr {
            // The name is a pointer to the question's.
            out.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1]);
            out.extend_from_slice(&LIFE.to_be_bytes());
            out.extend_from_slice(&[0, 4]);
            out.extend_from_slice(&addr.octets());
        }
        out
    }

    /// Answer, authoritative, same opcode and wish for recursion, recursion available.
    fn header(&self, code: Code, questions: u8, answers: u8) -> Vec<u8> {
        let [first, second] = self.id;
        let code = match code {
            Code::Fine => 0,
            Code::Malformed => 1,
            Code::Busy => 2,
            Code::NoSuchName => 3,
            Code::Unsupported => 4,
        };
        vec![first, second, 0x84 | (self.high & 0x79), 0x80 | code, 0, questions, 0, answers, 0, 0, 0, 0]
    }
}

/// Reads what it was given as a query; for the fuzz target.
#[cfg(any(test, feature = "test-hooks"))]
pub(crate) fn exercise(message: &[u8]) -> Option<Vec<u8>> {
    reply(message, |name| match name.len() % 4 {
        0 => Answer::Address(Ipv4Addr::new(198, 18, 0, 1)),
        1 => Answer::Empty,
        2 => Answer::NoSuchName,
        _ => Answer::Busy,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use simple_dns::rdata::RData;
    use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE};

    use super::*;

    const ADDR: Ipv4Addr = Ipv4Addr::new(198, 18, 3, 4);

    fn query(name: &str, kind: QTYPE, class: QCLASS) -> Vec<u8> {
        let mut packet = Packet::new_query(7);
        packet.set_flags(PacketFlag::RECURSION_DESIRED);
        packet.questions.push(Question::new(Name::new_unchecked(name).into_owned(), kind, class, false));
        packet.build_bytes_vec().unwrap()
    }

    fn find(name: &str) -> Answer {
        match name {
            "a.example.org" => Answer::Address(ADDR),
            "example.org" => Answer::Empty,
            "busy.org" => Answer::Busy,
            _ => Answer::NoSuchName,
        }
    }

    /// What another reader of DNS understands of the answer.
    fn ask(name: &str, kind: QTYPE, class: QCLASS) -> (RCODE, Vec<Ipv4Addr>) {
        let message = query(name, kind, class);
        let answer = reply(&message, find).unwrap();
        let packet = Packet::parse(&answer).unwrap();
        assert!(packet.has_flags(PacketFlag::RESPONSE | PacketFlag::RECURSION_DESIRED));
        assert_eq!(packet.id(), 7);
        let asked = Packet::parse(&message).unwrap().questions;
        assert_eq!(format!("{:?}", packet.questions), format!("{asked:?}"));
        let addresses = packet.answers.iter().map(|record| match &record.rdata {
            RData::A(a) => {
                assert_eq!(record.name, packet.questions[0].qname);
                assert_eq!((record.class, record.ttl), (CLASS::IN, LIFE));
                Ipv4Addr::from(a.address)
            }
            other => panic!("{other:?}"),
        });
        (packet.rcode(), addresses.collect())
    }

    #[test]
    fn answers_by_name_and_type() {
        const IN: QCLASS = QCLASS::CLASS(CLASS::IN);
        let of = QTYPE::TYPE;
        for (name, kind, class, code, addresses) in [
            ("a.example.org", of(TYPE::A), IN, RCODE::NoError, vec![ADDR]),
            ("A.eXample.ORG", of(TYPE::A), IN, RCODE::NoError, vec![ADDR]),
            ("a.example.org", QTYPE::ANY, IN, RCODE::NoError, vec![ADDR]),
            ("a.example.org", of(TYPE::AAAA), IN, RCODE::NoError, vec![]),
            ("a.example.org", of(TYPE::CNAME), IN, RCODE::NoError, vec![]),
            ("a.example.org", of(TYPE::TXT), IN, RCODE::NoError, vec![]),
            ("example.org", of(TYPE::A), IN, RCODE::NoError, vec![]),
            ("secret.evil.org", of(TYPE::A), IN, RCODE::NameError, vec![]),
            ("secret.evil.org", of(TYPE::TXT), IN, RCODE::NameError, vec![]),
            ("a.example.org.corp.lan", of(TYPE::A), IN, RCODE::NameError, vec![]),
            ("busy.org", of(TYPE::A), IN, RCODE::ServerFailure, vec![]),
            ("a.example.org", of(TYPE::A), QCLASS::CLASS(CLASS::CH), RCODE::NotImplemented, vec![]),
        ] {
            assert_eq!(ask(name, kind, class), (code, addresses), "{name} {kind:?}");
        }
    }

    #[test]
    fn an_unknown_type_is_a_question_like_others() {
        let mut message = query("a.example.org", QTYPE::TYPE(TYPE::A), QCLASS::CLASS(CLASS::IN));
        let at = message.len() - 4;
        message[at] = 0xff;
        let answer = reply(&message, find).unwrap();
        assert_eq!(answer[3] & 0x0f, 0);
        assert_eq!(answer[7], 0);
    }

    #[test]
    fn odd_messages() {
        let good = query("a.example.org", QTYPE::TYPE(TYPE::A), QCLASS::CLASS(CLASS::IN));
        let with = |at: usize, byte: u8| {
            let mut message = good.clone();
            message[at] = byte;
            reply(&message, find).map(|answer| answer[3] & 0x0f)
        };
        assert_eq!(with(2, 0x81), None, "an answer");
        assert_eq!(with(2, 0x28), Some(4), "an update");
        assert_eq!(with(5, 2), Some(1), "two questions");
        assert_eq!(with(5, 0), Some(1), "no question");
        assert_eq!(with(12, 0xc0), Some(1), "a pointer");
        assert_eq!(with(12, 63), Some(1), "a label past the end");
        assert_eq!(with(13, b'.'), Some(3), "a dot inside a label");
        assert_eq!(with(13, 0), Some(3), "a zero inside a label");
        assert_eq!(reply(&good[..11], find), None);
        assert_eq!(reply(&good[..20], find).map(|answer| answer[3] & 0x0f), Some(1));
        let long = query(&["a"; 140].join("."), QTYPE::TYPE(TYPE::A), QCLASS::CLASS(CLASS::IN));
        assert_eq!(reply(&long, find).map(|answer| answer[3] & 0x0f), Some(1));
    }

    proptest! {
        #[test]
        fn any_bytes_get_a_short_reply_or_none(message in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Some(answer) = exercise(&message) {
                prop_assert!(answer.len() <= 512);
                prop_assert!(Packet::parse(&answer).is_ok() || answer[7] == 0);
            }
        }

        #[test]
        fn damaged_queries_get_a_reply_or_none(at in 0_usize..31, byte: u8, cut in 0_usize..31) {
            let mut message = query("a.example.org", QTYPE::TYPE(TYPE::A), QCLASS::CLASS(CLASS::IN));
            message[at] = byte;
            message.truncate(message.len() - cut);
            let answer = exercise(&message);
            prop_assert!(answer.is_none_or(|answer| answer[..2] == message[..2] && answer[2] & 0x80 != 0));
        }
    }
}
