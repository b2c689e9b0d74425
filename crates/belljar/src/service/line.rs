//! Lines of logs: one line each, of bounded length, in which nothing steers a terminal.

use belljar_policy::steers;

/// Most characters of a line's text. Escaped they still fit a pipe's piece that is never torn apart.
pub(super) const MOST: usize = 1000;
/// Longest line in bytes: what a pipe takes as a whole.
pub(super) const LONGEST: usize = 4096;

/// Seconds since 1970, as RFC 3339 writes them.
pub(super) fn stamp(now: u64) -> String {
    let (year, month, day) = crate::ask::civil(now / 86_400);
    let (hour, minute, second) = (now / 3600 % 24, now / 60 % 60, now % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// As much of the text as fits behind a head, and the end of the line.
pub(super) fn whole(head: &str, text: &str) -> String {
    let room = LONGEST.saturating_sub(head.len() + 1);
    let text = text.chars().take(MOST).collect::<String>();
    [head, &shown(&text, room), "\n"].concat()
}

/// As much of a text as fits, in one line that steers no terminal.
pub(super) fn shown(text: &str, room: usize) -> String {
    let mut shown = String::new();
    for one in text.chars() {
        let piece =
            if steers(one) || one == '\\' { one.escape_default().to_string() } else { one.to_string() };
        if shown.len() + piece.len() > room {
            break;
        }
        shown.push_str(&piece);
    }
    shown
}
