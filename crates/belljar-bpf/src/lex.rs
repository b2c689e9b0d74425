//! Words of the condition language.

use crate::error::ConditionError;

/// One word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'t> {
    /// `argN`
    Arg(u8),
    /// A number.
    Number(u64),
    /// A constant.
    Name(&'t str),
    /// `in`
    In,
    /// An operator or a bracket, as written.
    Sign(&'static str),
    /// The end of the text.
    End,
}

/// A word and the byte it starts at.
pub(crate) type Placed<'t> = (Token<'t>, usize);

/// Signs, longest first so that `&&` is not read as two `&`.
const SIGNS: &[&str] =
    &["==", "!=", "<=", ">=", "&&", "||", "<", ">", "&", "|", "!", "(", ")", "{", "}", ",", "~", "-"];

/// Splits `text` into words; the last one is [`Token::End`].
pub(crate) fn words(text: &str) -> Result<Vec<Placed<'_>>, ConditionError> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let at = text.len() - rest.len();
        let (token, len) = word(rest, at)?;
        found.push((token, at));
        rest = rest.get(len..).unwrap_or("").trim_start();
    }
    found.push((Token::End, text.len()));
    Ok(found)
}

/// The word at the start of `rest` and its length.
fn word(rest: &str, at: usize) -> Result<(Token<'_>, usize), ConditionError> {
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        return Ok((Token::Sign(sign), sign.len()));
    }
    let len = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let text = rest.get(..len).unwrap_or("");
    match text.bytes().next() {
        None => Err(strange(rest, at)),
        Some(b'0'..=b'9') => number(text, at).map(|value| (Token::Number(value), len)),
        Some(_) => Ok((name(text), len)),
    }
}

fn strange(rest: &str, at: usize) -> ConditionError {
    let found = rest.chars().next().map_or_else(String::new, |c| format!("{c:?}"));
    ConditionError::Unexpected { at, found, expected: "an argument, a value or an operator" }
}

fn name(text: &str) -> Token<'_> {
    match text.strip_prefix("arg").map(str::parse::<u8>) {
        Some(Ok(index)) => Token::Arg(index),
        _ if text == "in" => Token::In,
        _ => Token::Name(text),
    }
}

/// A decimal, `0x`, `0o` or `0b` number; `_` may separate digits.
fn number(text: &str, at: usize) -> Result<u64, ConditionError> {
    let digits = text.replace('_', "");
    let radixes = [("0x", 16), ("0o", 8), ("0b", 2)];
    let prefixed = radixes.iter().find_map(|(prefix, radix)| Some((digits.strip_prefix(prefix)?, *radix)));
    let (digits, radix) = prefixed.unwrap_or((digits.as_str(), 10));
    // A leading zero means octal to a C programmer and decimal to others: neither is guessed.
    let ambiguous = radix == 10 && digits.len() > 1 && digits.starts_with('0');
    let bad = || ConditionError::BadNumber { at, text: text.chars().take(40).collect() };
    if ambiguous { Err(bad()) } else { u64::from_str_radix(digits, radix).map_err(|_| bad()) }
}
