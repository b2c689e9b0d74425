//! Foreign text inside a prompt: one line, nothing that steers a terminal, hides or reorders, and nothing that hides an end.
//!
//! The escaped form can be turned back into the very bytes it was made from, so two different objects never look the same
//! because of an escape. Only what is longer than the limit loses its middle, and says how much.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use belljar_policy::steers;

/// Most characters of a name that are shown.
pub const LONGEST: usize = 160;

/// First and last of ranges that look like nothing, like a space, or that attach to their neighbours. They may stand in a
/// file name of a policy; in a question they could make two names look alike.
const FAINT: &[(char, char)] = &[
    ('\u{a0}', '\u{a0}'),
    ('\u{300}', '\u{36f}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{1ab0}', '\u{1aff}'),
    ('\u{1dc0}', '\u{1dff}'),
    ('\u{2000}', '\u{200a}'),
    ('\u{202f}', '\u{202f}'),
    ('\u{205f}', '\u{205f}'),
    ('\u{20d0}', '\u{20ff}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3000}', '\u{3000}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{e000}', '\u{f8ff}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{fe20}', '\u{fe2f}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffd}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{10ffff}'),
];

/// `text` with a backslash, a quote and everything unclear written as `\\`, `\"`, `\u{...}` or, for what is no UTF-8, `\xNN`.
#[must_use]
pub fn escaped(text: &OsStr) -> String {
    signs(text).concat()
}

/// Each character in its escaped form. Of spaces in a row only the first is one: many could push the rest of a name to the next
/// line of a terminal, where it looks like words of belljar.
fn signs(text: &OsStr) -> Vec<String> {
    let chunks = text.as_bytes().utf8_chunks();
    let signs =
        chunks.flat_map(|chunk| chunk.valid().chars().map(sign).chain(chunk.invalid().iter().map(byte)));
    let mut behind_space = false;
    let row = |sign: String| {
        let again = sign == " " && behind_space;
        behind_space = sign == " ";
        if again { ' '.escape_unicode().collect() } else { sign }
    };
    signs.map(row).collect()
}

fn sign(sign: char) -> String {
    match sign {
        '\\' | '"' => ['\\', sign].iter().collect(),
        _ if is_unclear(sign) => sign.escape_unicode().collect(),
        _ => sign.into(),
    }
}

fn byte(byte: &u8) -> String {
    format!("\\x{byte:02x}")
}

fn is_unclear(sign: char) -> bool {
    steers(sign) || FAINT.iter().any(|(first, last)| (*first..=*last).contains(&sign))
}

/// [`escaped`] in quotes, so that spaces at the ends are seen. What has more than [`LONGEST`] characters loses its middle, and
/// the words that say so stand outside the quotes, where no name can put them: the end of a path says more than its middle.
#[must_use]
pub fn shown(text: &OsStr) -> String {
    let signs = signs(text);
    let half = LONGEST / 2;
    let behind = signs.len().saturating_sub(half);
    match (signs.get(..half), signs.get(behind..)) {
        (Some(first), Some(last)) if behind > half => {
            format!("\"{}\" [{} more] \"{}\"", first.concat(), behind.saturating_sub(half), last.concat())
        }
        _ => format!("\"{}\"", signs.concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The way back.
    fn plain(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = text;
        while let Some(sign) = rest.chars().next() {
            rest = &rest[sign.len_utf8()..];
            if sign != '\\' {
                out.extend(sign.encode_utf8(&mut [0; 4]).bytes());
            } else if let Some(code) = rest.strip_prefix("u{") {
                let (digits, after) = code.split_once('}').unwrap();
                let sign = char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap();
                out.extend(sign.encode_utf8(&mut [0; 4]).bytes());
                rest = after;
            } else if let Some(code) = rest.strip_prefix('x') {
                out.push(u8::from_str_radix(&code[..2], 16).unwrap());
                rest = &code[2..];
            } else {
                out.push(rest.as_bytes()[0]);
                rest = &rest[1..];
            }
        }
        out
    }

    #[test]
    fn tricks_are_seen() {
        for (text, seen) in [
            ("/a b ", "\"/a b \""),
            ("/a\n[o]nce", "\"/a\\u{a}[o]nce\""),
            ("/a\u{1b}[2J", "\"/a\\u{1b}[2J\""),
            ("/gpj.\u{202e}exe", "\"/gpj.\\u{202e}exe\""),
            ("/a\u{200b}b\u{a0}c", "\"/a\\u{200b}b\\u{a0}c\""),
            ("/e\u{301}", "\"/e\\u{301}\""),
            ("/\" for reading", "\"/\\\" for reading\""),
            ("/a   -> granted", "\"/a \\u{20}\\u{20}-> granted\""),
            ("/größe/文件", "\"/größe/文件\""),
        ] {
            assert_eq!(shown(OsStr::new(text)), seen, "{text:?}");
        }
        assert_eq!(shown(OsStr::from_bytes(b"/\xff")), "\"/\\xff\"");
    }

    #[test]
    fn both_ends_of_a_long_name_stay() {
        let long = format!("/first/{}/.ssh/id", "a".repeat(5000));
        let seen = shown(OsStr::new(&long));
        assert!(seen.starts_with("\"/first/a") && seen.ends_with("a/.ssh/id\""), "{seen}");
        assert!(seen.contains("\" [4855 more] \""), "{seen}");
        let fake = format!("/x\" [9 more] \"{}", "b".repeat(40));
        assert!(shown(OsStr::new(&fake)).starts_with(r#""/x\" [9 more] \"b"#), "a name cannot pretend");
    }

    proptest! {
        #[test]
        fn every_name_is_one_printable_line_and_can_be_read_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let made = escaped(OsStr::from_bytes(&bytes));
            prop_assert!(!made.chars().any(is_unclear) && !made.contains('\n'), "{made:?}");
            prop_assert_eq!(plain(&made), bytes);
        }

        #[test]
        fn every_text_is_one_printable_line_and_can_be_read_back(text in any::<String>()) {
            let made = escaped(OsStr::new(&text));
            prop_assert!(!made.chars().any(is_unclear), "{made:?}");
            prop_assert_eq!(plain(&made), text.as_bytes());
            let seen = shown(OsStr::new(&text));
            prop_assert!(seen.chars().count() <= LONGEST * 10 + 40 && !seen.chars().any(is_unclear), "{seen:?}");
        }
    }
}
