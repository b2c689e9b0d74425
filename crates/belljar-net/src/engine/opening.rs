//! What clients of the proxies and of DNS over TCP say, and the last words to them.

use std::time::Duration;

use crate::http::{self, Head};
use crate::socks::{self, Step};
use crate::{Door, dns};

use super::connection::{Ask, Connection, Stage};
use super::{Engine, Next};

/// How long last words may take.
pub(super) const FAREWELL: Duration = Duration::from_secs(2);
/// Most bytes that are thrown away after last words.
const DISCARDED: usize = 64 << 10;

/// What an opening turned out to be.
enum Turn {
    More,
    Ask(Ask),
    Say(Vec<u8>),
    Bad,
}

impl Engine {
    /// Reads on until it is clear what the client wants.
    pub(super) fn opening(&mut self, id: u64, connection: &mut Connection) -> Next {
        let Stage::Opening { bytes, is_greeted } = &mut connection.stage else { return Next::End };
        let longest = if connection.door == Door::Http { http::LONGEST } else { socks::LONGEST };
        let Ok(goes_on) = connection.jar.read(bytes, longest) else { return Next::Cut };
        let mut said = Vec::new();
        let turn = match connection.door {
            Door::Http => http(bytes),
            _ => socks(bytes, is_greeted, &mut said),
        };
        if connection.jar.write(&mut said).is_err() || !said.is_empty() {
            return Next::Cut;
        }
        match turn {
            Turn::More if goes_on => Next::Wait,
            Turn::More => Next::End,
            Turn::Bad => Next::Cut,
            Turn::Say(words) => self.say(id, connection, Some(words)),
            Turn::Ask(ask) => self.ask(id, connection, ask),
        }
    }

    /// Says these last words, or cuts the connection.
    pub(super) fn say(&mut self, id: u64, connection: &mut Connection, words: Option<Vec<u8>>) -> Next {
        let Some(bytes) = words else { return Next::Cut };
        connection.stage = Stage::Farewell { bytes, is_told: false };
        let due = self.now + FAREWELL;
        self.wake_at(id, connection, due);
        farewell(connection)
    }

    /// Answers DNS messages, each behind its length. What is not answered in full waits for nothing: the connection ends.
    pub(super) fn messages(&mut self, connection: &mut Connection) -> Next {
        let Stage::Dns(bytes) = &mut connection.stage else { return Next::End };
        let Ok(goes_on) = connection.jar.read(bytes, 2 + dns::LONGEST) else { return Next::Cut };
        let mut bytes = std::mem::take(bytes);
        let who = connection.who();
        let mut used = 0;
        while let Some(message) = bytes.get(used..).and_then(framed) {
            let Some(reply) = dns::reply(message, |name| self.find(name, who)) else { return Next::Cut };
            let mut words = u16::try_from(reply.len()).unwrap_or_default().to_be_bytes().to_vec();
            words.extend(reply);
            if connection.jar.write(&mut words).is_err() || !words.is_empty() {
                return Next::Cut;
            }
            used += 2 + message.len();
        }
        bytes.drain(..used);
        let is_full = bytes.len() >= 2 + dns::LONGEST;
        let more = connection.jar.readable;
        connection.stage = Stage::Dns(bytes);
        match (is_full, goes_on) {
            (true, _) => Next::Cut,
            (_, false) => Next::End,
            _ if more => Next::Again,
            _ => Next::Wait,
        }
    }
}

/// The message behind a length of two bytes, once all of it is there.
fn framed(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.get(..usize::from(u16::from_be_bytes(*length)))
}

fn http(bytes: &[u8]) -> Turn {
    let rest = |used: usize| bytes.get(used..).unwrap_or_default().to_vec();
    match http::head(bytes) {
        Head::More => Turn::More,
        Head::Bad(status) => Turn::Say(status.answer("belljar: CONNECT HOST:PORT or GET http://HOST/PATH")),
        Head::Tunnel { used, host, port } => {
            Turn::Ask(Ask { host, port, up: rest(used), down: Door::Http.granted() })
        }
        Head::Forward { used, host, port, mut lead } => {
            lead.extend(rest(used));
            Turn::Ask(Ask { host, port, up: lead, down: Vec::new() })
        }
    }
}

/// Goes through greeting and request; `said` is what the client is to hear in between.
fn socks(bytes: &mut Vec<u8>, is_greeted: &mut bool, said: &mut Vec<u8>) -> Turn {
    loop {
        match if *is_greeted { socks::request(bytes) } else { socks::greeting(bytes) } {
            Step::More => return Turn::More,
            Step::Refuse(words) if words.is_empty() => return Turn::Bad,
            Step::Refuse(words) => return Turn::Say(words),
            Step::Greet { used, say } => {
                bytes.drain(..used.min(bytes.len()));
                said.extend(say);
                *is_greeted = true;
            }
            Step::Connect { used, host, port } => {
                let up = bytes.get(used..).unwrap_or_default().to_vec();
                return Turn::Ask(Ask { host, port, up, down: Door::Socks.granted() });
            }
        }
    }
}

/// Says the last words and waits for the end of the other side: a socket that is closed with unread bytes sends a reset,
/// and the words would be lost.
pub(super) fn farewell(connection: &mut Connection) -> Next {
    let Stage::Farewell { bytes, is_told } = &mut connection.stage else { return Next::End };
    if connection.jar.write(bytes).is_err() {
        return Next::Cut;
    }
    if bytes.is_empty() && !*is_told {
        *is_told = true;
        if connection.jar.finish().is_err() {
            return Next::Cut;
        }
    }
    match connection.jar.read(&mut Vec::new(), DISCARDED) {
        Ok(true) if connection.jar.readable => Next::Cut,
        Ok(true) => Next::Wait,
        Ok(false) if *is_told => Next::End,
        Ok(false) => Next::Wait,
        Err(_) => Next::Cut,
    }
}
