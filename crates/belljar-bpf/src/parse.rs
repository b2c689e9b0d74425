//! Text of a condition to [`Cond`].

use crate::cond::{Cmp, Cond, Test};
use crate::constants;
use crate::error::ConditionError;
use crate::lex::{Placed, Token, words};

const MAX_BYTES: usize = 16 * 1024;
const MAX_DEPTH: u8 = 32;

/// Reads a condition such as `arg1 == TCGETS || arg2 & 0x3 in {0, 1}`; the grammar is in the crate's
/// documentation.
///
/// ```
/// use belljar_bpf::parse_condition;
/// let cond = parse_condition("arg1 in {TCGETS, TCSETS} && !(arg0 > 2)").unwrap();
/// assert!(cond.holds(&[1, 0x5401, 0, 0, 0, 0]));
/// assert_eq!(parse_condition("arg1 = 3").unwrap_err().position(), 5);
/// ```
///
/// # Errors
/// The byte position and what was expected there.
pub fn parse_condition(text: &str) -> Result<Cond, ConditionError> {
    if text.len() > MAX_BYTES {
        return Err(ConditionError::TooLong { bytes: text.len() });
    }
    let words = words(text)?;
    let mut parser = Parser { words: &words, next: 0, depth: 0 };
    let cond = parser.any()?;
    parser.expect("", "&&, || or the end")?;
    Ok(cond)
}

struct Parser<'w, 't> {
    words: &'w [Placed<'t>],
    next: usize,
    depth: u8,
}

impl<'t> Parser<'_, 't> {
    fn peek(&self) -> Placed<'t> {
        let last = self.words.last().copied().unwrap_or((Token::End, 0));
        self.words.get(self.next).copied().unwrap_or(last)
    }

    fn take(&mut self, sign: &str) -> bool {
        let hit = matches!(self.peek().0, Token::Sign(found) if found == sign);
        self.next += usize::from(hit);
        hit
    }

    /// Takes `sign`, or the end of the text if `sign` is empty.
    fn expect(&mut self, sign: &str, expected: &'static str) -> Result<(), ConditionError> {
        let end = sign.is_empty() && self.peek().0 == Token::End;
        if end || self.take(sign) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn unexpected(&self, expected: &'static str) -> ConditionError {
        let (token, at) = self.peek();
        let found = match token {
            Token::Arg(index) => format!("arg{index}"),
            Token::Number(value) => format!("{value:#x}"),
            Token::Name(name) => name.chars().take(40).collect(),
            Token::In => "in".to_owned(),
            Token::Sign(sign) => format!("{sign:?}"),
            Token::End => "the end".to_owned(),
        };
        ConditionError::Unexpected { at, found, expected }
    }

    fn deeper(&mut self) -> Result<(), ConditionError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(ConditionError::TooDeep { at: self.peek().1 }) } else { Ok(()) }
    }

    /// Parts joined by `sign`; the text is short enough for a `u16` of parts.
    fn chain(
        &mut self,
        sign: &str,
        part: fn(&mut Self) -> Result<Cond, ConditionError>,
        join: fn(Vec<Cond>) -> Option<Cond>,
    ) -> Result<Cond, ConditionError> {
        let mut parts = vec![part(self)?];
        while self.take(sign) {
            parts.push(part(self)?);
        }
        join(parts).ok_or_else(|| self.unexpected("fewer parts"))
    }

    fn any(&mut self) -> Result<Cond, ConditionError> {
        self.chain("||", Self::all, Cond::any)
    }

    fn all(&mut self) -> Result<Cond, ConditionError> {
        self.chain("&&", Self::unary, Cond::all)
    }

    fn unary(&mut self) -> Result<Cond, ConditionError> {
        self.deeper()?;
        let cond = if self.take("!") { self.unary().map(|cond| !cond) } else { self.primary() };
        self.depth -= 1;
        cond
    }

    fn primary(&mut self) -> Result<Cond, ConditionError> {
        let start = (self.next, self.depth);
        if let Ok((arg, mask)) = self.operand() {
            return self.relation(arg, mask);
        }
        (self.next, self.depth) = start;
        if self.take("(") {
            let inner = self.any()?;
            self.expect(")", "&&, || or a closing parenthesis")?;
            return Ok(inner);
        }
        // Again for its error, which names the word after `arg0 &`.
        let (arg, mask) = self.operand()?;
        self.relation(arg, mask)
    }

    /// `argN`, `argN & mask` or `(argN & mask)`.
    fn operand(&mut self) -> Result<(u8, u64), ConditionError> {
        let bracket = self.take("(");
        let Token::Arg(arg @ 0..=5) = self.peek().0 else {
            return Err(self.unexpected("arg0 to arg5, ! or an opening parenthesis"));
        };
        self.next += 1;
        let mask = if self.take("&") { self.value()? } else { u64::MAX };
        if bracket {
            self.expect(")", "a closing parenthesis")?;
        }
        Ok((arg, mask))
    }

    fn relation(&mut self, arg: u8, mask: u64) -> Result<Cond, ConditionError> {
        if self.peek().0 == Token::In {
            self.next += 1;
            return self.list(arg, mask);
        }
        let signs = [
            ("==", Cmp::Eq),
            ("!=", Cmp::Ne),
            ("<=", Cmp::Le),
            (">=", Cmp::Ge),
            ("<", Cmp::Lt),
            (">", Cmp::Gt),
        ];
        let Some((_, cmp)) = signs.into_iter().find(|(sign, _)| self.take(sign)) else {
            return Err(self.unexpected("==, !=, <, <=, >, >= or in"));
        };
        let value = self.value()?;
        Ok(Cond::from(Test { arg, mask, cmp, value }))
    }

    fn list(&mut self, arg: u8, mask: u64) -> Result<Cond, ConditionError> {
        self.expect("{", "an opening brace")?;
        let mut parts = Vec::new();
        loop {
            let value = self.value()?;
            parts.push(Cond::from(Test::masked_eq(arg, mask, value)));
            if !self.take(",") {
                break;
            }
        }
        self.expect("}", "a comma or a closing brace")?;
        Cond::any(parts).ok_or_else(|| self.unexpected("fewer values"))
    }

    /// Values joined by `|`.
    fn value(&mut self) -> Result<u64, ConditionError> {
        let mut value = self.term()?;
        while self.take("|") {
            value |= self.term()?;
        }
        Ok(value)
    }

    fn term(&mut self) -> Result<u64, ConditionError> {
        self.deeper()?;
        let value = match self.peek() {
            (Token::Number(value), _) => {
                self.next += 1;
                Ok(value)
            }
            (Token::Name(name), at) => {
                self.next += 1;
                constant(name, at)
            }
            _ => self.compound(),
        };
        self.depth -= 1;
        value
    }

    /// `~value`, `-value` or `(value)`.
    fn compound(&mut self) -> Result<u64, ConditionError> {
        if self.take("~") {
            return self.term().map(|value| !value);
        }
        if self.take("-") {
            return self.term().map(u64::wrapping_neg);
        }
        self.expect("(", "a number or the name of a constant")?;
        let value = self.value()?;
        self.expect(")", "| or a closing parenthesis")?;
        Ok(value)
    }
}

fn constant(name: &str, at: usize) -> Result<u64, ConditionError> {
    constants::constant_value(name).ok_or_else(|| ConditionError::UnknownName {
        at,
        name: name.chars().take(64).collect(),
        suggestion: constants::nearest_constant(name),
    })
}
