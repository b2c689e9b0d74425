//! The protocol of `--ask=socket:PATH`: one JSON object in a line, `docs/ask.md`. Pure: bytes in, answers or violations out.
//!
//! The peer is the user's own program, so a mistake is more likely than an attack; the answer to both is the same. A
//! violation ends the conversation, and what was asked is refused.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::asker::Answer;
use super::prompt::Prompt;
use super::text::escaped;

/// Version of the protocol.
pub const VERSION: u32 = 1;

/// Longest line that is read, in bytes.
pub const MAX_LINE: usize = 4096;

/// Questions whose late answer is no violation.
const LATE: usize = 32;

/// What belljar says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Said<'a> {
    Hello {
        belljar: u32,
        pid: u32,
        always: bool,
        deadline_ms: u64,
    },
    Ask {
        belljar: u32,
        id: String,
        kind: &'static str,
        object: String,
        program: String,
        pid: Option<u32>,
        call: String,
        rule: String,
        answers: &'a [&'static str],
        deadline_ms: u64,
    },
    Done {
        belljar: u32,
        id: String,
        outcome: &'static str,
    },
}

/// What the peer says. Anything else is a violation.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
enum Heard {
    Hello { belljar: u32 },
    Answer { belljar: u32, id: String, answer: String },
}

/// What a peer did wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A line without end.
    #[error("a line of more than {MAX_LINE} bytes")]
    Long,
    /// No message.
    #[error("no message of this protocol")]
    Malformed,
    /// Another version.
    #[error("version {0} of the protocol")]
    Version(u32),
    /// At the wrong time: an answer before the greeting, a second greeting.
    #[error("a message at the wrong time")]
    OutOfPhase,
    /// An id that belongs to no question, or to one that was answered.
    #[error("an answer to no open question")]
    NoQuestion,
    /// An answer that was not among those offered.
    #[error("an answer that was not offered")]
    NotOffered,
}

/// What was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum News {
    /// The peer greets back.
    Greeted,
    /// It answers the open question.
    Answered(Answer),
    /// It answers a question whose time was over.
    Late,
}

/// One conversation from greeting to end.
#[derive(Debug)]
pub struct Conversation {
    greeted: bool,
    always: bool,
    nonce: String,
    asked: u64,
    open: Option<String>,
    /// What the open question may be answered with.
    offered: Vec<Answer>,
    expired: VecDeque<String>,
    heard: Vec<u8>,
}

impl Conversation {
    /// Before the greeting. `nonce` tells the questions of one run from those of another.
    #[must_use]
    pub fn new(nonce: &str, always: bool) -> Self {
        Self {
            greeted: false,
            always,
            nonce: nonce.to_owned(),
            asked: 0,
            open: None,
            offered: Vec::new(),
            expired: VecDeque::new(),
            heard: Vec::new(),
        }
    }

    /// The greeting.
    #[must_use]
    pub fn hello(&self, pid: u32, deadline_ms: u64) -> Vec<u8> {
        line(&Said::Hello { belljar: VERSION, pid, always: self.always, deadline_ms })
    }

    /// A question. The one before it must have ended.
    #[must_use]
    pub fn ask(&mut self, prompt: &Prompt, deadline_ms: u64) -> Vec<u8> {
        self.asked = self.asked.saturating_add(1);
        let id = format!("{}.{}", self.nonce, self.asked);
        self.open = Some(id.clone());
        let text = |text: &str| escaped(text.as_ref());
        let offered =
            |answer: &Answer| prompt.want.offers(*answer) && (self.always || *answer != Answer::Always);
        let offered: Vec<(&'static str, Answer)> =
            Answer::WORDS.into_iter().filter(|(_, answer)| offered(answer)).collect();
        let answers: Vec<&'static str> = offered.iter().map(|(word, _)| *word).collect();
        self.offered = offered.into_iter().map(|(_, answer)| answer).collect();
        line(&Said::Ask {
            belljar: VERSION,
            id,
            kind: prompt.want.word(),
            object: escaped(prompt.want.object()),
            program: escaped(&prompt.program),
            pid: prompt.pid,
            call: text(&prompt.call),
            rule: text(&prompt.rule),
            answers: &answers,
            deadline_ms,
        })
    }

    /// Tells how the open question ended.
    #[must_use]
    pub fn done(&mut self, outcome: &'static str, late: bool) -> Vec<u8> {
        let Some(id) = self.open.take() else { return Vec::new() };
        if late {
            self.expired.push_back(id.clone());
            self.expired.drain(..self.expired.len().saturating_sub(LATE));
        }
        line(&Said::Done { belljar: VERSION, id, outcome })
    }

    /// Takes bytes of the peer; one piece of news for each line.
    ///
    /// # Errors
    /// The first violation; the conversation is over then.
    pub fn hear(&mut self, bytes: &[u8]) -> Result<Vec<News>, Violation> {
        let mut news = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.heard.extend_from_slice(piece);
            if self.heard.len() > MAX_LINE {
                return Err(Violation::Long);
            }
            if self.heard.ends_with(b"\n") {
                let line = std::mem::take(&mut self.heard);
                news.push(self.line(&line)?);
            }
        }
        Ok(news)
    }

    fn line(&mut self, line: &[u8]) -> Result<News, Violation> {
        let heard = serde_json::from_slice(line).map_err(|_| Violation::Malformed)?;
        let (Heard::Hello { belljar: version } | Heard::Answer { belljar: version, .. }) = &heard;
        if *version != VERSION {
            return Err(Violation::Version(*version));
        }
        match heard {
            Heard::Hello { .. } if !self.greeted => {
                self.greeted = true;
                Ok(News::Greeted)
            }
            Heard::Answer { id, answer, .. } if self.greeted => self.answer(&id, &answer),
            _ => Err(Violation::OutOfPhase),
        }
    }

    fn answer(&self, id: &str, word: &str) -> Result<News, Violation> {
        if self.expired.iter().any(|expired| expired == id) {
            return Ok(News::Late);
        }
        if self.open.as_deref() != Some(id) {
            return Err(Violation::NoQuestion);
        }
        let answer = Answer::from_word(word).filter(|answer| self.offered.contains(answer));
        answer.map(News::Answered).ok_or(Violation::NotOffered)
    }
}

fn line(said: &Said<'_>) -> Vec<u8> {
    // Only numbers and text: this cannot fail, and an empty line would be a violation at the peer.
    let mut bytes = serde_json::to_vec(said).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::prompt::Want;
    use super::*;
    use proptest::prelude::*;

    fn prompt() -> Prompt {
        Prompt {
            program: "/usr/bin/cc".into(),
            pid: Some(7),
            call: "openat".into(),
            want: Want::Read("/etc/a\n\u{202e}".into()),
            rule: "none (default)".into(),
        }
    }

    fn greeted(always: bool) -> Conversation {
        let mut talk = Conversation::new("n", always);
        assert_eq!(talk.hear(b"{\"type\":\"hello\",\"belljar\":1}\n"), Ok(vec![News::Greeted]));
        talk
    }

    fn answer(id: &str, word: &str) -> Vec<u8> {
        format!("{{\"type\":\"answer\",\"belljar\":1,\"id\":\"{id}\",\"answer\":\"{word}\"}}\n").into_bytes()
    }

    #[test]
    fn a_question_is_one_line_without_anything_that_steers() {
        let text = String::from_utf8(greeted(false).ask(&prompt(), 9)).unwrap();
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(text.matches('\n').count(), 1);
        assert_eq!(read["object"], "/etc/a\\u{a}\\u{202e}");
        assert_eq!(read["answers"], serde_json::json!(["once", "never"]));
        assert_eq!((&read["id"], &read["kind"]), (&"n.1".into(), &"read".into()));
    }

    #[test]
    fn a_program_cannot_be_granted_to_a_run_that_has_begun() {
        let mut talk = greeted(true);
        let text = talk.ask(&Prompt { want: Want::Execute("/srv/tool".into()), ..prompt() }, 9);
        let read: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(read["answers"], serde_json::json!(["always", "never"]));
        assert_eq!(talk.hear(&answer("n.1", "once")), Err(Violation::NotOffered));
    }

    #[test]
    fn answers_arrive_in_pieces() {
        let mut talk = greeted(true);
        let _line = talk.ask(&prompt(), 9);
        let bytes = answer("n.1", "always");
        let (first, last) = bytes.split_at(20);
        assert_eq!(talk.hear(first), Ok(vec![]));
        assert_eq!(talk.hear(last), Ok(vec![News::Answered(Answer::Always)]));
    }

    #[test]
    fn each_violation_is_one() {
        let long = vec![b'x'; MAX_LINE + 1];
        for (bytes, violation) in [
            (long.as_slice(), Violation::Long),
            (b"\n", Violation::Malformed),
            (b"{\"type\":\"answer\"}\n", Violation::Malformed),
            (b"{\"type\":\"hello\",\"belljar\":1,\"more\":1}\n", Violation::Malformed),
            (b"{\"type\":\"hello\",\"belljar\":2}\n", Violation::Version(2)),
            (b"{\"type\":\"hello\",\"belljar\":1}\n", Violation::OutOfPhase),
            (&answer("n.2", "once"), Violation::NoQuestion),
            (&answer("m.1", "once"), Violation::NoQuestion),
            (&answer("n.1", "always"), Violation::NotOffered),
            (&answer("n.1", "yes"), Violation::NotOffered),
        ] {
            let mut talk = greeted(false);
            let _line = talk.ask(&prompt(), 9);
            assert_eq!(talk.hear(bytes), Err(violation));
        }
        let early = Conversation::new("n", true).hear(&answer("n.1", "once"));
        assert_eq!(early, Err(Violation::OutOfPhase));
    }

    #[test]
    fn a_replay_is_a_violation_and_a_late_answer_is_not() {
        let mut talk = greeted(false);
        let _line = talk.ask(&prompt(), 9);
        let _line = talk.done("once", false);
        assert_eq!(talk.hear(&answer("n.1", "once")), Err(Violation::NoQuestion));
        let mut talk = greeted(false);
        let _line = talk.ask(&prompt(), 9);
        let _line = talk.done("expired", true);
        let _line = talk.ask(&prompt(), 9);
        assert_eq!(talk.hear(&answer("n.1", "once")), Ok(vec![News::Late]));
    }

    proptest! {
        #[test]
        fn no_bytes_are_an_answer_by_chance(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..20)) {
            let mut talk = greeted(true);
            let _line = talk.ask(&prompt(), 9);
            for piece in pieces {
                match talk.hear(&piece) {
                    Ok(news) => prop_assert!(news.is_empty()),
                    Err(_) => break,
                }
                prop_assert!(talk.heard.len() <= MAX_LINE);
            }
        }
    }
}
