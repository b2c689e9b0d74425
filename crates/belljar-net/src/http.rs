//! Heads of requests to the HTTP proxy: `CONNECT host:port`, and `GET http://host/path` rewritten for the server.

use crate::rules::{Host, Object};

/// Longest head that is read.
pub(crate) const LONGEST: usize = 16 << 10;
const HEADERS: usize = 100;

/// What a client of the proxy wants.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// The head is not complete.
    More,
    /// Not a request that a proxy takes: answer with this status.
    Bad(Status),
    /// A tunnel; what follows `used` bytes is for the other side.
    Tunnel { used: usize, host: Host, port: u16 },
    /// One request; `lead` replaces the first `used` bytes.
    Forward { used: usize, host: Host, port: u16, lead: Vec<u8> },
}

/// Answers that the proxy itself gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    BadRequest,
    Forbidden,
    TooLong,
    BadGateway,
    Late,
}

/// What opens a tunnel.
pub(crate) const OPEN: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

impl Status {
    /// The whole answer with a line of text.
    pub(crate) fn answer(self, text: &str) -> Vec<u8> {
        let line = match self {
            Self::BadRequest => "400 Bad Request",
            Self::Forbidden => "403 Forbidden",
            Self::TooLong => "431 Request Header Fields Too Large",
            Self::BadGateway => "502 Bad Gateway",
            Self::Late => "504 Gateway Timeout",
        };
        let length = text.len() + 1;
        let fields = "Content-Type: text/plain; charset=utf-8\r\nConnection: close";
        format!("HTTP/1.1 {line}\r\n{fields}\r\nContent-Length: {length}\r\n\r\n{text}\n").into_bytes()
    }
}

/// Fields that are between a client and its proxy, and `Host`, which the request line decides.
const DROPPED: &[&str] =
    &["host", "connection", "keep-alive", "proxy-connection", "proxy-authorization", "proxy-authenticate"];

/// Reads the head of one request.
pub(crate) fn head(bytes: &[u8]) -> Head {
    let mut fields = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut fields);
    let used = match request.parse(bytes) {
        Ok(httparse::Status::Complete(used)) => used,
        Ok(httparse::Status::Partial) if bytes.len() < LONGEST => return Head::More,
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            return Head::Bad(Status::TooLong);
        }
        Err(_) => return Head::Bad(Status::BadRequest),
    };
    let parsed =
        if request.method == Some("CONNECT") { tunnel(&request, used) } else { forward(&request, used) };
    parsed.unwrap_or(Head::Bad(Status::BadRequest))
}

fn tunnel(request: &httparse::Request<'_, '_>, used: usize) -> Option<Head> {
    let (host, port) = Host::read(request.path?)?;
    Some(Head::Tunnel { used, host, port: port? })
}

fn forward(request: &httparse::Request<'_, '_>, used: usize) -> Option<Head> {
    let (scheme, rest) = request.path?.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let (host, port) = Host::read(authority).filter(|_| scheme.eq_ignore_ascii_case("http"))?;
    let port = port.unwrap_or(80);
    let lead = rewritten(request, &host, port, path)?;
    Some(Head::Forward { used, host, port, lead })
}

/// The request as the server expects it. The connection ends with the answer: a client that goes on with another host
/// comes back with a new one, which is decided anew.
fn rewritten(request: &httparse::Request<'_, '_>, host: &Host, port: u16, path: &str) -> Option<Vec<u8>> {
    let slash = if path.starts_with('/') { "" } else { "/" };
    let version = request.version?;
    let object = Object(host, port).to_string();
    let shown = if port == 80 { object.strip_suffix(":80").unwrap_or(&object) } else { &object };
    let method = request.method?;
    let mut out =
        format!("{method} {slash}{path} HTTP/1.{version}\r\nHost: {shown}\r\nConnection: close\r\n")
            .into_bytes();
    let kept =
        |field: &&httparse::Header<'_>| !DROPPED.iter().any(|name| field.name.eq_ignore_ascii_case(name));
    for field in request.headers.iter().filter(kept) {
        out.extend_from_slice(field.name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(field.value);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn forwarded(text: &str) -> (String, u16, String) {
        match head(text.as_bytes()) {
            Head::Forward { used, host, port, lead } => {
                assert_eq!(used, text.find("\r\n\r\n").unwrap() + 4);
                (Object(&host, port).to_string(), port, String::from_utf8(lead).unwrap())
            }
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn tunnels() {
        let text = "CONNECT A.org:443 HTTP/1.1\r\nHost: elsewhere.org\r\n\r\nhello";
        let host = Host::Name("a.org".into());
        assert_eq!(head(text.as_bytes()), Head::Tunnel { used: text.len() - 5, host, port: 443 });
        assert_eq!(head(&text.as_bytes()[..40]), Head::More);
        assert_eq!(head(b""), Head::More);
        let six = head(b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n");
        assert!(matches!(six, Head::Tunnel { host: Host::Address(_), port: 443, .. }));
    }

    #[test]
    fn requests_are_rewritten_for_the_server() {
        let text = "GET HTTP://A.org/x?y=http://b.org HTTP/1.1\r\nHost: evil.org\r\nAccept: */*\r\n\
                    Proxy-Authorization: Basic x\r\nproxy-connection: keep-alive\r\nConnection: keep-alive\r\n\r\nrest";
        let expected =
            "GET /x?y=http://b.org HTTP/1.1\r\nHost: a.org\r\nConnection: close\r\nAccept: */*\r\n\r\n";
        assert_eq!(forwarded(text), ("a.org:80".into(), 80, expected.into()));
        let (object, _, lead) = forwarded("POST http://[::1]:8080?q HTTP/1.0\r\n\r\n");
        assert_eq!(object, "[::1]:8080");
        assert!(lead.starts_with("POST /?q HTTP/1.0\r\nHost: [::1]:8080\r\n"));
    }

    #[test]
    fn what_no_proxy_takes() {
        for line in [
            "GET / HTTP/1.1",
            "GET https://a.org/ HTTP/1.1",
            "GET ftp://a.org/ HTTP/1.1",
            "GET http://user@a.org/ HTTP/1.1",
            "GET http:///x HTTP/1.1",
            "GET http://10.0.0.0/8 HTTP/9.9",
            "CONNECT a.org HTTP/1.1",
            "CONNECT *.a.org:443 HTTP/1.1",
            "CONNECT 10.0.0.0/8:443 HTTP/1.1",
            "CONNECT a.org:0 HTTP/1.1",
            "CONNECT http://a.org:80/ HTTP/1.1",
            "\x16\x03\x01",
        ] {
            assert_eq!(head(format!("{line}\r\n\r\n").as_bytes()), Head::Bad(Status::BadRequest), "{line}");
        }
    }

    #[test]
    fn a_head_ends_somewhere() {
        let long = format!("GET http://a.org/{} HTTP/1.1\r\n", "x".repeat(LONGEST));
        assert_eq!(head(long.as_bytes()), Head::Bad(Status::TooLong));
        let many = format!("GET http://a.org/ HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEADERS + 1));
        assert_eq!(head(many.as_bytes()), Head::Bad(Status::TooLong));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let used = match head(&bytes) {
                Head::Tunnel { used, .. } | Head::Forward { used, .. } => used,
                Head::More | Head::Bad(_) => 0,
            };
            prop_assert!(used <= bytes.len());
        }

        #[test]
        fn what_is_forwarded_is_one_request_for_the_host_that_was_decided(
            path in "[!-~]{0,40}", name in "[A-Za-z-]{1,12}", value in "[ -~]{0,20}",
        ) {
            let text = format!("GET http://a.org/{path} HTTP/1.1\r\n{name}: {value}\r\n\r\n");
            if let Head::Forward { host, lead, .. } = head(text.as_bytes()) {
                prop_assert_eq!(host, Host::Name("a.org".into()));
                let mut fields = [httparse::EMPTY_HEADER; 8];
                let mut request = httparse::Request::new(&mut fields);
                prop_assert_eq!(request.parse(&lead), Ok(httparse::Status::Complete(lead.len())));
                let hosts = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case("host"));
                prop_assert_eq!(hosts.map(|field| field.value).collect::<Vec<_>>(), vec![b"a.org"]);
            }
        }
    }
}
