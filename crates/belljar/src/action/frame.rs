//! Bytes of requests and replies. Pure.
//!
//! A request is one frame, or for data several. Each frame is written at once and no longer than the size up to which the
//! kernel keeps a write together, so requests of many processes do not mix. Whoever writes anything else breaks the channel of
//! this jar, and of no other.

/// Longest frame: what a FIFO keeps together.
pub const FRAME: usize = 4096;

/// Bytes before the payload.
const HEAD: usize = 24;

/// Longest payload.
pub const MOST: usize = FRAME - HEAD;

const MAGIC: [u8; 4] = *b"BJR1";

/// Random, chosen by who asks: tells requests and their replies apart.
pub type Id = [u8; 16];

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame {
    /// A request: the action's number and its arguments.
    Begin(u8, Vec<Vec<u8>>),
    /// Bytes of its data.
    Data(Vec<u8>),
    /// The data is complete.
    End,
}

/// Bytes that are no frame. Where the next one starts cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl Frame {
    /// The bytes of this frame; none when its payload is too long.
    ///
    /// ```
    /// use belljar::action::frame::{Frame, Frames};
    /// let bytes = Frame::Data(b"x".to_vec()).encode(&[7; 16]).unwrap();
    /// assert_eq!(Frames::default().hear(&bytes), Ok(vec![([7; 16], Frame::Data(b"x".to_vec()))]));
    /// ```
    #[must_use]
    pub fn encode(&self, id: &Id) -> Option<Vec<u8>> {
        let (kind, action, payload) = match self {
            Self::Begin(action, arguments) => (1, *action, pack(arguments)?),
            Self::Data(bytes) => (2, 0, bytes.clone()),
            Self::End => (3, 0, Vec::new()),
        };
        let length = u16::try_from(payload.len()).ok().filter(|_| payload.len() <= MOST)?;
        Some([&MAGIC[..], &length.to_le_bytes(), &[kind, action], id, &payload].concat())
    }

    fn decode(kind: u8, action: u8, payload: &[u8]) -> Result<Self, Malformed> {
        match (kind, action) {
            (1, action) => Ok(Self::Begin(action, unpack(payload)?)),
            (2, 0) if !payload.is_empty() => Ok(Self::Data(payload.to_vec())),
            (3, 0) if payload.is_empty() => Ok(Self::End),
            _ => Err(Malformed),
        }
    }
}

/// Each argument after its length.
fn pack(arguments: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for argument in arguments {
        out.extend_from_slice(&u16::try_from(argument.len()).ok()?.to_le_bytes());
        out.extend_from_slice(argument);
    }
    Some(out)
}

fn unpack(mut payload: &[u8]) -> Result<Vec<Vec<u8>>, Malformed> {
    let mut arguments = Vec::new();
    while let Some((length, rest)) = payload.split_first_chunk() {
        let (argument, rest) =
            rest.split_at_checked(usize::from(u16::from_le_bytes(*length))).ok_or(Malformed)?;
        arguments.push(argument.to_vec());
        payload = rest;
    }
    if payload.is_empty() { Ok(arguments) } else { Err(Malformed) }
}

/// Makes frames of what is read.
#[derive(Debug, Default)]
pub struct Frames {
    heard: Vec<u8>,
}

impl Frames {
    /// The frames that are complete with these bytes. What is kept of the rest is shorter than a frame.
    ///
    /// # Errors
    /// Something that is no frame.
    pub fn hear(&mut self, bytes: &[u8]) -> Result<Vec<(Id, Frame)>, Malformed> {
        self.heard.extend_from_slice(bytes);
        let (mut frames, mut used) = (Vec::new(), 0);
        while let Some((id, frame, length)) = first(self.heard.get(used..).unwrap_or_default())? {
            frames.push((id, frame));
            used = used.saturating_add(length);
        }
        self.heard.drain(..used);
        Ok(frames)
    }
}

/// The first frame and its length; none when it is not complete.
fn first(bytes: &[u8]) -> Result<Option<(Id, Frame, usize)>, Malformed> {
    let known = MAGIC.iter().zip(bytes).all(|(expected, found)| expected == found);
    if !known {
        return Err(Malformed);
    }
    let Some((head, rest)) = bytes.split_first_chunk::<HEAD>() else { return Ok(None) };
    let [_, _, _, _, low, high, kind, action, id @ ..] = *head;
    let length = usize::from(u16::from_le_bytes([low, high]));
    if length > MOST {
        return Err(Malformed);
    }
    let Some(payload) = rest.get(..length) else { return Ok(None) };
    Ok(Some((id, Frame::decode(kind, action, payload)?, HEAD.saturating_add(length))))
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It was done, or started.
    Done,
    /// The policy does not grant this action.
    NotGranted,
    /// Too many within a minute, or at once.
    TooOften,
    /// An argument is wrong.
    Refused,
    /// There is a file of this name.
    Exists,
    /// Too many bytes.
    TooLong,
    /// Doing it failed.
    Failed,
}

/// Outcomes by number, and the sentence for each.
const OUTCOMES: &[(Outcome, &str)] = &[
    (Outcome::Done, "done"),
    (Outcome::NotGranted, "the policy does not grant it"),
    (Outcome::TooOften, "too many requests"),
    (Outcome::Refused, "refused"),
    (Outcome::Exists, "a file of this name exists"),
    (Outcome::TooLong, "too long"),
    (Outcome::Failed, "it failed"),
];

impl Outcome {
    /// In words.
    #[must_use]
    pub fn text(self) -> &'static str {
        OUTCOMES.iter().find(|(outcome, _)| *outcome == self).map_or("", |(_, text)| text)
    }
}

/// Bytes of one place in the table of replies.
pub const REPLY: usize = 96;

/// Places in the table.
pub const PLACES: u64 = 256;

/// Longest reason.
const REASON: usize = REPLY - 16 - 2 - 16;

/// Where the reply to a request stands in the table.
#[must_use]
pub fn place(id: &Id) -> u64 {
    u64::from(id[0]) % PLACES * (REPLY as u64)
}

/// A reply: what became of it, and why.
#[must_use]
pub fn reply(id: &Id, outcome: Outcome, reason: &str) -> [u8; REPLY] {
    let code = OUTCOMES.iter().position(|(known, _)| *known == outcome).and_then(|at| u8::try_from(at).ok());
    let reason = reason.get(..reason.floor_char_boundary(REASON)).unwrap_or_default();
    let length = u8::try_from(reason.len()).unwrap_or(0);
    let mut out = [0; REPLY];
    // The id stands at both ends: a reply that is only half written is none yet.
    let parts = [&id[..], &[code.unwrap_or(u8::MAX), length], reason.as_bytes()].concat();
    for (to, from) in out.iter_mut().zip(parts) {
        *to = from;
    }
    for (to, from) in out.iter_mut().rev().zip(id.iter().rev()) {
        *to = *from;
    }
    out
}

/// The reply to a request, when it stands in these bytes.
#[must_use]
pub fn answer(id: &Id, bytes: &[u8; REPLY]) -> Option<(Outcome, String)> {
    let rest = bytes.strip_prefix(id)?.strip_suffix(id)?;
    let [code, length, reason @ ..] = rest else { return None };
    let (outcome, _) = OUTCOMES.get(usize::from(*code))?;
    let reason = reason.get(..usize::from(*length))?;
    Some((*outcome, String::from_utf8_lossy(reason).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_frame_is_never_longer_than_a_write_is_kept_together() {
        let frame = Frame::Data(vec![1; MOST]);
        assert_eq!(frame.encode(&[0; 16]).unwrap().len(), FRAME);
        assert_eq!(Frame::Data(vec![1; MOST + 1]).encode(&[0; 16]), None);
        assert_eq!(Frame::Begin(0, vec![vec![1; MOST]]).encode(&[0; 16]), None);
    }

    #[test]
    fn nonsense_is_malformed() {
        let good = Frame::Begin(1, vec![b"a".to_vec()]).encode(&[1; 16]).unwrap();
        let with = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            Frames::default().hear(&bytes)
        };
        assert_eq!(with(0, 0), Err(Malformed), "magic");
        assert_eq!(with(6, 9), Err(Malformed), "kind");
        assert_eq!(with(5, 0xff), Err(Malformed), "length");
        assert_eq!(with(24, 9), Err(Malformed), "length of an argument");
        assert_eq!(Frames::default().hear(b"GET / HTTP/1.1\r\n"), Err(Malformed));
        assert_eq!(Frames::default().hear(b"BJ"), Ok(vec![]), "not yet");
    }

    #[test]
    fn a_reply_is_read_by_its_id_only() {
        let made = reply(&[3; 16], Outcome::Refused, &"ä".repeat(200));
        let (outcome, reason) = answer(&[3; 16], &made).unwrap();
        assert_eq!((outcome, reason.len()), (Outcome::Refused, REASON));
        assert_eq!(answer(&[4; 16], &made), None);
        let mut torn = made;
        torn[REPLY - 1] = 0;
        assert_eq!(answer(&[3; 16], &torn), None);
    }

    proptest! {
        #[test]
        fn frames_survive_any_cut(arguments in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..4),
            data in proptest::collection::vec(any::<u8>(), 1..300), cuts in proptest::collection::vec(1..50_usize, 1..40)) {
            let sent = [Frame::Begin(3, arguments), Frame::Data(data), Frame::End];
            let bytes: Vec<u8> = sent.iter().flat_map(|frame| frame.encode(&[5; 16]).unwrap()).collect();
            let (mut frames, mut got, mut rest) = (Frames::default(), Vec::new(), bytes.as_slice());
            for cut in cuts.iter().cycle() {
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                got.extend(frames.hear(piece).unwrap());
                rest = after;
                if rest.is_empty() { break }
            }
            prop_assert_eq!(got.into_iter().map(|(_, frame)| frame).collect::<Vec<_>>(), sent);
        }

        #[test]
        fn no_bytes_panic_or_pile_up(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..20)) {
            let mut frames = Frames::default();
            let begun = frames.hear(b"BJR1");
            prop_assert!(begun.is_ok());
            for piece in pieces {
                if frames.hear(&piece).is_err() { break }
                prop_assert!(frames.heard.len() < FRAME);
            }
        }
    }
}
