//! Text that is safe to print: nothing a policy contains may drive a terminal.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

/// First and last of each range of characters that move the cursor, reorder text or cannot be seen.
const STEERING: &[(char, char)] = &[
    ('\0', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{fff9}', '\u{fffb}'),
    ('\u{e0000}', '\u{e007f}'),
];

/// Whether a character moves the cursor, hides text or turns its direction.
///
/// ```
/// assert!(belljar_policy::steers('\u{202e}') && !belljar_policy::steers('\u{e9}'));
/// ```
#[must_use]
pub fn steers(sign: char) -> bool {
    // Nearly every character of a policy is plain ASCII.
    !(' '..='~').contains(&sign) && STEERING.iter().any(|(first, last)| (*first..=*last).contains(&sign))
}

/// `text` with control characters, direction marks and broken UTF-8 written as escapes.
///
/// ```
/// assert_eq!(belljar_policy::printable("a\u{1b}[31m".as_ref()), "a\\x1b[31m");
/// ```
#[must_use]
pub fn printable(text: &OsStr) -> String {
    let mut out = String::with_capacity(text.len());
    for chunk in text.as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            push(&mut out, c);
        }
        for byte in chunk.invalid() {
            push_byte(&mut out, *byte);
        }
    }
    out
}

fn push(out: &mut String, c: char) {
    if !steers(c) {
        return out.push(c);
    }
    let mut buffer = [0; 4];
    for byte in c.encode_utf8(&mut buffer).bytes() {
        push_byte(out, byte);
    }
}

/// Appends `\xNN`, the form that paths in a policy are read with.
pub(crate) fn push_byte(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push_str("\\x");
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// [`printable`] for text.
pub(crate) fn shown(text: &str) -> String {
    printable(OsStr::new(text))
}

/// The word of `words` that `typed` most likely meant, if one is near.
pub(crate) fn nearest<'a>(typed: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Long input cannot be near any key, and the distance is quadratic.
    if typed.len() > 64 {
        return None;
    }
    let limit = (typed.chars().count() / 3).clamp(1, 3);
    let scored = words.into_iter().map(|word| (distance(typed, word), word));
    scored.filter(|(score, _)| *score <= limit).min().map(|(_, word)| word)
}

/// Edits (insert, remove, replace, swap neighbours) between two words.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(ca != cb)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *cb && *ca == b[j - 1] {
                let swapped: &Vec<usize> = &before;
                best = best.min(swapped[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        assert_eq!(nearest("memroy", ["memory", "pids"]), Some("memory"));
        assert_eq!(nearest("mode", ["deny", "allow", "mode"]), Some("mode"));
        assert_eq!(nearest("xyz", ["memory", "pids"]), None);
        assert_eq!(nearest(&"m".repeat(100_000), ["memory"]), None);
    }

    #[test]
    fn terminal_text_is_escaped() {
        assert_eq!(shown("a\u{202e}b\n"), "a\\xe2\\x80\\xaeb\\x0a");
        assert_eq!(printable(OsStr::from_bytes(b"a\xffb")), "a\\xffb");
        assert_eq!(shown("ordnung \u{e4}"), "ordnung \u{e4}");
    }
}
