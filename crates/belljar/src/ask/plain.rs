//! What brings a terminal to its senses before belljar speaks on it.

/// Undoes what would hide, move or counterfeit the text behind it. CAN and ST come first: in a sequence without an end a
/// terminal would swallow the text, and all that follows.
const PLAIN: &str = concat!(
    "\x18\x1b\\",
    // Out of the mode of a VT52, which knows none of the following.
    "\x1b<",
    // Each line has the whole screen, and the cursor stays.
    "\x1b7\x1b[?69l\x1b[r\x1b8",
    // Shown at once; letters are letters, in plain colours that nobody gave another look.
    "\x1b[?2026l\x1b(B\x0f\x1b[0m\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\",
    // Lines wrap, and letters push nothing on.
    "\x1b[?7h\x1b[4l",
);

/// What to write before words of one's own on a terminal that a jar's program wrote to, whatever it wrote; nothing on a
/// terminal that shows sequences as text (`TERM=dumb`). The screen is not cleared.
///
/// ```
/// let plain = belljar::ask::plain();
/// assert!(plain.is_empty() || plain.starts_with("\x18"), "the first byte ends a sequence");
/// ```
#[must_use]
pub fn plain() -> &'static str {
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if is_dumb { "" } else { PLAIN }
}
