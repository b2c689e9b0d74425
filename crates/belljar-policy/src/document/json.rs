//! JSON to tree. A reader of its own because serde's readers lose the places that every message needs.

use std::borrow::Cow;
use std::ops::Range;

use super::{Entry, Node, Source, Value};
use crate::error::PolicyError;

/// Deeper nesting than any policy has; bounds the recursion.
const MAX_DEPTH: u8 = 16;

/// A message and where it belongs.
type Wrong = (&'static str, Range<usize>);

pub(super) fn parse<'i>(source: &Source<'i>) -> Result<Vec<Entry<'i>>, PolicyError> {
    let mut reader = Reader { text: source.text, at: 0, depth: 0 };
    let place = |(message, at): Wrong| source.syntax(message, &at);
    let node = reader.document().map_err(place)?;
    match node.value {
        Value::Table(entries) => Ok(entries),
        _ => Err(place(("expected an object", node.at))),
    }
}

struct Reader<'i> {
    text: &'i str,
    at: usize,
    depth: u8,
}

impl<'i> Reader<'i> {
    fn document(&mut self) -> Result<Node<'i>, Wrong> {
        let node = self.node()?;
        match self.peek() {
            None => Ok(node),
            Some(_) => Err(self.wrong("expected the end of the text")),
        }
    }

    fn rest(&self) -> &'i str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// The next byte after white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        self.rest().bytes().next()
    }

    fn wrong(&self, message: &'static str) -> Wrong {
        let width = self.rest().chars().next().map_or(0, char::len_utf8);
        (message, self.at..self.at + width)
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn node(&mut self) -> Result<Node<'i>, Wrong> {
        let first = self.peek();
        let start = self.at;
        let value = match first {
            Some(b'{') => self.nested(Self::table)?,
            Some(b'[') => self.nested(Self::list)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Node { at: start..self.at, value })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value<'i>, Wrong>) -> Result<Value<'i>, Wrong> {
        if self.depth == MAX_DEPTH {
            return Err(self.wrong("nested too deeply"));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn list(&mut self) -> Result<Value<'i>, Wrong> {
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.node()?);
            if !self.more(b']')? {
                return Ok(Value::List(items));
            }
        }
    }

    fn table(&mut self) -> Result<Value<'i>, Wrong> {
        let mut entries: Vec<Entry<'i>> = Vec::new();
        let mut names = std::collections::HashSet::new();
        if self.take(b'}') {
            return Ok(Value::Table(entries));
        }
        loop {
            let entry = self.entry()?;
            if !names.insert(entry.name.clone()) {
                return Err(("duplicate key", entry.at));
            }
            entries.push(entry);
            if !self.more(b'}')? {
                return Ok(Value::Table(entries));
            }
        }
    }

    fn entry(&mut self) -> Result<Entry<'i>, Wrong> {
        if self.peek() != Some(b'"') {
            return Err(self.wrong("expected a name in double quotes"));
        }
        let start = self.at;
        let name = self.string()?;
        let at = start..self.at;
        if !self.take(b':') {
            return Err(self.wrong("expected a colon"));
        }
        Ok(Entry { at, name, node: self.node()? })
    }

    /// Whether another item follows.
    fn more(&mut self, close: u8) -> Result<bool, Wrong> {
        if self.take(b',') {
            return Ok(true);
        }
        if self.take(close) {
            return Ok(false);
        }
        Err(self.wrong("expected a comma or the closing bracket"))
    }

    fn word(&mut self) -> Result<Value<'i>, Wrong> {
        const WORDS: &[(&str, Value<'static>)] =
            &[("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Other("null"))];
        let found = WORDS.iter().find(|(word, _)| self.rest().starts_with(word));
        let (word, value) = found.ok_or_else(|| self.wrong("expected a value"))?;
        self.at += word.len();
        Ok(value.clone())
    }

    /// Whole numbers only: no key has another kind.
    fn number(&mut self) -> Result<Value<'i>, Wrong> {
        let rest = self.rest();
        let part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let end = rest.find(|c: char| !part(c)).unwrap_or(rest.len());
        let (digits, _) = rest.split_at(end);
        let plain = digits.strip_prefix('-').unwrap_or(digits);
        let zero = plain.starts_with('0') && digits.len() > 1;
        let value = digits.parse().ok().filter(|_| !zero);
        let value = value.ok_or(("expected a whole number", self.at..self.at + end))?;
        self.at += end;
        Ok(Value::Int(value))
    }

    fn string(&mut self) -> Result<Cow<'i, str>, Wrong> {
        self.at += 1;
        let rest = self.rest();
        let end = rest.find(['"', '\\']).unwrap_or(rest.len());
        let (plain, tail) = rest.split_at(end);
        if plain.contains(|c: char| c < ' ') {
            return Err(self.wrong("a control character in text"));
        }
        self.at += end;
        if tail.starts_with('"') {
            self.at += 1;
            return Ok(Cow::Borrowed(plain));
        }
        self.escaped(plain.to_owned()).map(Cow::Owned)
    }

    /// The rest of a string that has escapes.
    fn escaped(&mut self, mut out: String) -> Result<String, Wrong> {
        loop {
            let Some(c) = self.rest().chars().next() else {
                return Err(self.wrong("text without its closing quote"));
            };
            if c < ' ' {
                return Err(self.wrong("a control character in text"));
            }
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(out),
                '\\' => out.push(self.escape()?),
                _ => out.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Wrong> {
        const ESCAPES: &[(char, char)] = &[
            ('"', '"'),
            ('\\', '\\'),
            ('/', '/'),
            ('b', '\u{8}'),
            ('f', '\u{c}'),
            ('n', '\n'),
            ('r', '\r'),
            ('t', '\t'),
        ];
        let Some(c) = self.rest().chars().next() else {
            return Err(self.wrong("text without its closing quote"));
        };
        if c == 'u' {
            self.at += 1;
            return self.unicode();
        }
        let found = ESCAPES.iter().find(|(name, _)| *name == c);
        let (_, meant) = found.ok_or_else(|| self.wrong("an unknown escape"))?;
        self.at += 1;
        Ok(*meant)
    }

    /// `\uXXXX`, in pairs beyond the basic plane.
    fn unicode(&mut self) -> Result<char, Wrong> {
        let first = self.four()?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(first).ok_or_else(|| self.wrong("half a character"));
        }
        let low = self.rest().starts_with("\\u");
        if !low || first >= 0xdc00 {
            return Err(self.wrong("half a character"));
        }
        self.at += 2;
        let second = self.four()?;
        let tail = second.checked_sub(0xdc00).filter(|tail| *tail < 0x400);
        let code = tail.map(|tail| 0x1_0000 + ((first - 0xd800) << 10) + tail);
        code.and_then(char::from_u32).ok_or_else(|| self.wrong("half a character"))
    }

    fn four(&mut self) -> Result<u32, Wrong> {
        let digits = self.rest().get(..4).filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let value = digits.and_then(|text| u32::from_str_radix(text, 16).ok());
        let value = value.ok_or_else(|| self.wrong("expected four hexadecimal digits"))?;
        self.at += 4;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value_of(node: &Node<'_>) -> serde_json::Value {
        match &node.value {
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Text(value) => value.as_ref().into(),
            Value::List(items) => items.iter().map(value_of).collect::<Vec<_>>().into(),
            Value::Table(entries) => {
                let pairs = entries.iter().map(|entry| (entry.name.to_string(), value_of(&entry.node)));
                serde_json::Value::Object(pairs.collect())
            }
            Value::Other(name) => format!("other: {name}").into(),
        }
    }

    /// What serde_json reads; nothing where it has a number that is no whole number of 64 bits.
    fn second_opinion(text: &str) -> Option<serde_json::Value> {
        fn fold(value: serde_json::Value) -> Option<serde_json::Value> {
            Some(match value {
                serde_json::Value::Null => "other: null".into(),
                serde_json::Value::Number(n) => n.as_i64()?.into(),
                serde_json::Value::Array(items) => {
                    items.into_iter().map(fold).collect::<Option<Vec<_>>>()?.into()
                }
                serde_json::Value::Object(map) => {
                    let pairs = map.into_iter().map(|(k, v)| Some((k, fold(v)?)));
                    serde_json::Value::Object(pairs.collect::<Option<_>>()?)
                }
                other => other,
            })
        }
        serde_json::from_str(text).ok().and_then(fold)
    }

    fn ours(text: &str) -> Option<serde_json::Value> {
        let mut reader = Reader { text, at: 0, depth: 0 };
        reader.document().ok().map(|node| value_of(&node))
    }

    #[test]
    fn agrees_with_serde_json_on_a_table() {
        for text in [
            r#"{"a": [1, -2, true, null, "x\n\u00e4\ud83d\ude00/\/"], "b": {}}"#,
            "[1,]",
            "[1 2]",
            "{\"a\":}",
            "{a:1}",
            "\"",
            "\"\\",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "01",
            "-01",
            "-",
            "1e3",
            "1.5",
            "9223372036854775807",
            "\"\n\"",
            "nul",
            "true false",
            "",
            " ",
            "[[]]",
            "\"\u{7f}\"",
            "+1",
            "0.",
            ".5",
            "1.",
            "1e",
            "-0",
        ] {
            assert_eq!(ours(text), second_opinion(text), "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = "[".repeat(100_000);
        let mut reader = Reader { text: &deep, at: 0, depth: 0 };
        assert_eq!(reader.document().unwrap_err().0, "nested too deeply");
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_serde_json(text in r#"[\[\]{}:,"\\untrefalsd0-9. \-+eE]{0,24}"#) {
            let ours = ours(&text);
            // serde_json keeps the last of two equal names; a policy refuses them.
            if let Some(value) = &ours {
                let second = second_opinion(&text);
                proptest::prop_assert_eq!(Some(value), second.as_ref());
            }
        }
    }
}
