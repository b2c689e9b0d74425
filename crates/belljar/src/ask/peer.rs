//! Who listens on the socket of the answers. A jar's program has the user's number, and may have been given the folder.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use belljar_sys::sockets;

use super::socket;

/// How much the kernel holds a process back beside its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Confined {
    no_new_privileges: u32,
    filters: u32,
}

impl Confined {
    fn read(status: &str) -> Option<Self> {
        let field = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name))?;
            value.trim().parse::<u32>().ok()
        };
        // Kernels before 5.10 tell that there are filters, not how many.
        let filters = field("Seccomp_filters:").or_else(|| field("Seccomp:"))?;
        Some(Self { no_new_privileges: field("NoNewPrivs:")?, filters })
    }

    fn of(process: &str) -> Option<Self> {
        Self::read(&std::fs::read_to_string(format!("/proc/{process}/status")).ok()?)
    }

    /// As every program of a jar is beside whoever started it.
    fn exceeds(self, own: Self) -> bool {
        self.no_new_privileges > own.no_new_privileges || self.filters > own.filters
    }
}

/// What speaks against the process that listens at the other end.
pub(super) fn unfit(stream: &UnixStream, pid: i32) -> Option<&'static str> {
    // Where the kernel names the process itself, its number is its own until it has ended.
    let Ok(process) = sockets::peer(stream.as_fd()) else { return Some(UNSEEN) };
    let peer = Confined::of(&pid.to_string());
    let lives =
        process.is_none_or(|process| !socket::readable(process.as_fd(), Duration::ZERO).unwrap_or(true));
    match (peer.filter(|_| lives), Confined::of("self")) {
        (Some(peer), Some(own)) if !peer.exceeds(own) => None,
        (Some(_), Some(_)) => Some("listened on by a process that is confined, as programs of jars are"),
        _ => Some(UNSEEN),
    }
}

const UNSEEN: &str = "listened on by a process that cannot be seen (any more)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_confined_more_than_belljar_is_unfit() {
        let status = |privileges, filters| {
            format!("Name:\tx\nNoNewPrivs:\t{privileges}\nSeccomp:\t2\nSeccomp_filters:\t{filters}\n")
        };
        let read = |privileges, filters| Confined::read(&status(privileges, filters)).unwrap();
        assert!(!read(0, 1).exceeds(read(0, 1)) && !read(0, 0).exceeds(read(1, 3)));
        assert!(read(1, 0).exceeds(read(0, 5)) && read(0, 2).exceeds(read(0, 1)));
        assert_eq!(Confined::read("NoNewPrivs:\t1\nSeccomp:\t2\n").map(|it| it.filters), Some(2));
        assert_eq!(Confined::read("Name:\tx\n"), None);
    }

    #[test]
    fn who_listens_is_looked_at_while_it_lives() {
        let (stream, _peer) = UnixStream::pair().unwrap();
        assert_eq!(unfit(&stream, std::process::id().cast_signed()), None);
        assert_eq!(unfit(&stream, 0), Some(UNSEEN));
    }

    /// The number of whoever listened has passed to another: here to a process that is fine.
    #[test]
    fn a_number_that_another_has_since_is_not_taken_for_the_listener() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ask");
        let script = "import os, socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen()\n\
                      if os.fork() == 0: os.read(0, 1)\n";
        let mut listener = std::process::Command::new("python3");
        let mut listener =
            listener.args(["-c", script]).arg(&path).stdin(std::process::Stdio::piped()).spawn().unwrap();
        let _until_then = listener.stdin.take();
        listener.wait().unwrap();
        let stream = UnixStream::connect(&path).unwrap();
        let own = std::process::id().cast_signed();
        let names = belljar_sys::sockets::peer(stream.as_fd()).map_or(true, |process| process.is_some());
        assert_eq!(unfit(&stream, own), names.then_some(UNSEEN));
    }
}
