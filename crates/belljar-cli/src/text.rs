//! Text for a terminal: nothing that came from a path, a policy or a jar may steer the terminal or hide its reading order.

use std::fmt::Write as _;

use belljar::policy::steers;

/// Makes text of several lines safe to show: everything that steers a terminal or reorders text becomes a visible escape.
///
/// ```
/// assert_eq!(belljar_cli::text::lines("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\n");
/// ```
#[must_use]
pub fn lines(text: &str) -> String {
    escape(text, |sign| sign == '\n')
}

/// Makes a name safe to show on one line.
///
/// ```
/// assert_eq!(belljar_cli::text::name("a\nb"), "a\\u{a}b");
/// ```
#[must_use]
pub fn name(text: &str) -> String {
    escape(text, |_| false)
}

/// Makes JSON safe to show: the same characters, as the escapes that JSON has. They only occur inside its strings.
#[must_use]
pub fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        if steers(sign) && sign != '\n' { push_utf16(&mut out, sign) } else { out.push(sign) }
    }
    out
}

fn escape(text: &str, keep: fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        if steers(sign) && !keep(sign) { out.extend(sign.escape_unicode()) } else { out.push(sign) }
    }
    out
}

/// Writing to a string cannot fail.
fn push_utf16(out: &mut String, sign: char) {
    for unit in sign.encode_utf16(&mut [0; 2]) {
        if write!(out, "\\u{unit:04x}").is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_start_a_line_of_its_own() {
        assert_eq!(name("x\nbelljar: all is well"), "x\\u{a}belljar: all is well");
    }

    #[test]
    fn bidirectional_marks_and_c1_controls_are_shown() {
        assert_eq!(lines("a\u{202e}b\u{9b}31m"), "a\\u{202e}b\\u{9b}31m");
    }

    #[test]
    fn ordinary_text_of_any_script_stays() {
        assert_eq!(lines("größe 文件 \"x\"\n"), "größe 文件 \"x\"\n");
    }

    #[test]
    fn json_stays_json() {
        let made = json("{\"a\":\"\u{202e}\u{e0001}\u{7f}\"}\n");
        assert_eq!(made, "{\"a\":\"\\u202e\\udb40\\udc01\\u007f\"}\n");
    }
}
