//! Arguments of a jar, made into words that are safe to hand to a program of the user. What does not fit is refused, never
//! repaired.

use std::ffi::OsStr;

use crate::ask::escaped;

/// Checks one argument: the word to use, or what is wrong with it.
pub(crate) type Check = fn(&[u8]) -> Result<String, &'static str>;

/// Longest address.
const URL: usize = 2048;
/// Longest file name in bytes; a file system's 255 leave room for what a user adds.
const FILE_NAME: usize = 200;
/// Longest title in bytes.
const TITLE: usize = 200;
/// Longest text in bytes.
const BODY: usize = 1500;

/// An `http` or `https` address in the characters of RFC 3986, without the quote that careless scripts trip over, and without
/// a user name, which makes one site look like another.
pub(crate) fn url(bytes: &[u8]) -> Result<String, &'static str> {
    let text = str::from_utf8(bytes).map_err(|_| "not ASCII: write it percent-encoded")?;
    if text.len() > URL {
        return Err("longer than 2048 bytes");
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&()*+,;=%".contains(&byte);
    if !text.bytes().all(plain) {
        return Err("has characters to be percent-encoded");
    }
    let rest = ["http://", "https://"].into_iter().find_map(|scheme| strip(text, scheme));
    let rest = rest.ok_or("not http or https")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte));
    match authority.bytes().next() {
        Some(first) if host && (first.is_ascii_alphanumeric() || first == b'[') => Ok(text.to_owned()),
        _ => Err("has no plain host name"),
    }
}

fn strip<'t>(text: &'t str, scheme: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// One visible file name that no program takes for an option.
pub(crate) fn file_name(bytes: &[u8]) -> Result<String, &'static str> {
    let name = clear(bytes, FILE_NAME)?;
    let edge = |sign: char| sign == ' ' || sign == '.' || sign == '-' || sign == '~';
    if name.is_empty() || name.contains(['/', '\\']) {
        return Err("not a file name");
    }
    if name.starts_with(edge) || name.ends_with([' ', '.', '~']) {
        return Err("begins or ends in a character that hides or changes it");
    }
    Ok(name)
}

/// One line of text.
pub(crate) fn title(bytes: &[u8]) -> Result<String, &'static str> {
    let title = clear(bytes, TITLE)?;
    if title.trim().is_empty() { Err("empty") } else { Ok(title) }
}

/// Plain text of some lines. Notification servers read markup in it.
pub(crate) fn body(bytes: &[u8]) -> Result<String, &'static str> {
    if bytes.len() > BODY {
        return Err("too long");
    }
    let lines: Result<Vec<String>, _> =
        bytes.split(|byte| *byte == b'\n').map(|line| clear(line, BODY)).collect();
    let text = lines?.join("\n");
    Ok(text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

/// UTF-8 without anything that steers, hides or reorders.
fn clear(bytes: &[u8], most: usize) -> Result<String, &'static str> {
    if bytes.len() > most {
        return Err("too long");
    }
    let text = str::from_utf8(bytes).map_err(|_| "not UTF-8")?;
    // Quotes and backslashes are the only clear signs that an escape changes.
    let unquoted: String = text.chars().filter(|sign| !matches!(sign, '"' | '\\')).collect();
    if escaped(OsStr::new(&unquoted)) == unquoted {
        Ok(text.to_owned())
    } else {
        Err("has control characters")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses() {
        for good in [
            "https://example.org",
            "HTTP://example.org:8080/a/b_(c)?d=e&f=%20#g",
            "http://[::1]/",
            "https://a.b/$x;y",
        ] {
            assert_eq!(url(good.as_bytes()).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "example.org",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "--new-window",
            "-https://a.b",
            " https://a.b",
            "https://",
            "https://-a.b",
            "https://user@a.b",
            "https://a.b@evil.org/",
            "https://a.b\\@evil.org/",
            "https://a.b/\n--x",
            "https://a.b/`id`",
            "https://a.b/'",
            "https://a.b/\"",
            "https://a.b/ x",
            "https://\u{e4}.org",
            "https://a.b/\u{202e}",
            "httpss://a.b",
            "https:/a.b",
        ] {
            assert!(url(bad.as_bytes()).is_err(), "{bad:?}");
        }
        let long = format!("https://a.b/{}", "x".repeat(2048));
        assert!(url(long.as_bytes()).is_err() && url(b"https://a.b/\xff").is_err());
    }

    #[test]
    fn file_names() {
        for good in ["a", "report.pdf", "größe 文件.txt", "a\"b", "it's"] {
            assert_eq!(file_name(good.as_bytes()).as_deref(), Ok(good));
        }
        for bad in [
            "",
            ".",
            "..",
            "../a",
            "/etc/passwd",
            "a/b",
            ".bashrc",
            "-rf",
            "a\0b",
            "a\nb",
            "gpj.\u{202e}exe",
            " a",
            "a ",
            "a.",
            "a~",
            "~a",
            "a\\b",
            "a\u{200b}b",
        ] {
            assert!(file_name(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert!(file_name(&[b'a'; 201]).is_err() && file_name(b"a\xff").is_err());
    }

    #[test]
    fn texts_are_plain() {
        assert_eq!(body(b"<a href=x>&\nb").as_deref(), Ok("&lt;a href=x&gt;&amp;\nb"));
        assert_eq!(title(b"--help").as_deref(), Ok("--help"));
        assert!(title(b"a\nb").is_err() && title(b" ").is_err() && body(b"a\x1b[2J").is_err());
        assert!(body(b"a\rb").is_err() && body(&[b'a'; 1501]).is_err() && body(b"").is_ok());
    }

    proptest! {
        #[test]
        fn what_passes_is_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            for (at, check) in [url as Check, file_name, title, body].into_iter().enumerate() {
                let Ok(word) = check(&bytes) else { continue };
                prop_assert!(word.chars().all(|sign| !belljar_policy::steers(sign) || at == 3 && sign == '\n'));
                prop_assert!(at > 1 || !word.starts_with('-'));
            }
        }
    }
}
