//! What a program says to a log: `<PRIORITY>`, a time, and text, as `syslog(3)` writes them (RFC 3164). Nothing in it is trusted.

use crate::service::log::Level;

/// A message. Its time is the program's word, which nobody needs; what it calls itself stays a part of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) level: Level,
    pub(super) text: String,
}

/// By the last three bits of a priority: what a jar calls an emergency is an error, for others than itself.
const LEVELS: [Level; 8] = [
    Level::Error,
    Level::Error,
    Level::Error,
    Level::Error,
    Level::Warning,
    Level::Notice,
    Level::Info,
    Level::Debug,
];
/// Highest priority: facility 23, severity 7.
const HIGHEST: u8 = 191;
/// Length of a time (`Nov 30 17:00:00 `).
const TIME: usize = 16;

impl Said {
    /// Reads a message; what has no priority is a notice. None when there is nothing in it.
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let ends = |byte: &u8| matches!(byte, 0 | b'\n' | b'\r');
        let end = message.iter().rposition(|byte| !ends(byte))?;
        let message = message.get(..=end)?;
        let (priority, rest) = priority(message).unwrap_or((5, message));
        let text = String::from_utf8_lossy(untimed(rest)).into_owned();
        let level = LEVELS.get(usize::from(priority & 7)).copied().unwrap_or(Level::Error);
        (!text.is_empty()).then_some(Self { level, text })
    }
}

fn priority(message: &[u8]) -> Option<(u8, &[u8])> {
    let rest = message.strip_prefix(b"<")?;
    let end = rest.iter().take(4).position(|byte| *byte == b'>')?;
    let (digits, rest) = rest.split_at_checked(end)?;
    let plain = digits.iter().all(u8::is_ascii_digit);
    let number = str::from_utf8(digits).ok().filter(|_| plain)?.parse::<u8>().ok();
    Some((number.filter(|number| *number <= HIGHEST)?, rest.get(1..)?))
}

fn untimed(text: &[u8]) -> &[u8] {
    let Some((time, rest)) = text.split_at_checked(TIME) else { return text };
    let shape = |(byte, like): (&u8, &u8)| match like {
        b'a' => byte.is_ascii_alphabetic(),
        b'0' => byte.is_ascii_digit() || *byte == b' ',
        other => byte == other,
    };
    if time.iter().zip(b"aaa 00 00:00:00 ").all(shape) { rest } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(text: &str) -> Option<(Level, String)> {
        Said::read(text.as_bytes()).map(|said| (said.level, said.text))
    }

    #[test]
    fn messages_of_the_c_library_and_of_logger_are_read() {
        let rows = [
            ("<13>Nov 30 17:00:00 root: hello\n", Level::Notice, "root: hello"),
            ("<11>Nov  3 07:00:00 cron[17]: x\0", Level::Error, "cron[17]: x"),
            ("<0>wall", Level::Error, "wall"),
            ("<191>d", Level::Debug, "d"),
            ("plain", Level::Notice, "plain"),
            ("<192>x", Level::Notice, "<192>x"),
            ("<1x>y", Level::Notice, "<1x>y"),
            ("<+1>y", Level::Notice, "<+1>y"),
            ("<12>two\nlines", Level::Warning, "two\nlines"),
            ("<12>Nov 30 17:00:0 x", Level::Warning, "Nov 30 17:00:0 x"),
        ];
        for (text, level, expected) in rows {
            assert_eq!(said(text), Some((level, expected.to_owned())), "{text:?}");
        }
        for nothing in ["", "\0", "\n\r\n", "<12>", "<12>Nov 30 17:00:00 \n"] {
            assert_eq!(said(nothing), None, "{nothing:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(prop_oneof![Just(b'<'), Just(b'>'), any::<u8>()], 0..64)) {
            if let Some(said) = Said::read(&bytes) {
                prop_assert!(!said.text.is_empty());
            }
        }
    }
}
