//! A supervisor's loop on one side, a user's program or terminal on the other.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use belljar_policy::{Policy, Request, fs_decision, load};
use rustix::event::{PollFd, Timespec, poll};

use super::*;

/// A listening socket, the file for "always", and the folder of both.
struct Stage {
    folder: tempfile::TempDir,
    listener: UnixListener,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("ask")).unwrap();
        Self { folder, listener }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("mine.toml")
    }

    fn begin(&self, patience: Duration) -> Result<(Arc<Desk>, Attendant), AskError> {
        let mut ask = Ask::new(Way::Socket(self.folder.path().join("ask")));
        ask.patience(patience).save(PolicyFile { path: self.file(), bases: Vec::new() });
        ask.begin(&Policy::none(), None)
    }

    /// Lets `peer` answer while `jar` asks.
    fn run<P: Send, J: Send>(
        &self,
        patience: Duration,
        peer: impl FnOnce(Peer) -> P + Send,
        jar: impl FnOnce(&Desk) -> J + Send,
    ) -> (P, J) {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let peer = scope.spawn(|| peer(Peer::new(self.listener.accept().unwrap().0)));
            let (desk, attendant) = self.begin(patience).unwrap();
            let looping = scope.spawn(|| attend(attendant, &over));
            let got = jar(&desk);
            over.store(true, Ordering::SeqCst);
            looping.join().unwrap();
            (peer.join().unwrap(), got)
        })
    }
}

/// The supervisor's loop.
fn attend(mut attendant: Attendant, over: &AtomicBool) {
    while !over.load(Ordering::SeqCst) {
        {
            let interests: Vec<_> = attendant.interests().collect();
            let mut set: Vec<_> =
                interests.iter().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
            poll(&mut set, Some(&Timespec { tv_sec: 0, tv_nsec: 5_000_000 })).unwrap();
        }
        attendant.turn(Instant::now());
    }
}

struct Peer {
    lines: BufReader<UnixStream>,
}

impl Peer {
    /// Greets.
    fn new(stream: UnixStream) -> Self {
        let mut peer = Self { lines: BufReader::new(stream) };
        assert_eq!(peer.hear()["type"], "hello");
        peer.say("{\"type\":\"hello\",\"belljar\":1}\n");
        peer
    }

    fn hear(&mut self) -> serde_json::Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_default()
    }

    fn say(&mut self, text: &str) {
        // Belljar may have hung up already.
        drop(self.lines.get_mut().write_all(text.as_bytes()));
    }

    fn answer(&mut self, asked: &serde_json::Value, word: &str) {
        let id = &asked["id"];
        self.say(&format!("{{\"type\":\"answer\",\"belljar\":1,\"id\":{id},\"answer\":\"{word}\"}}\n"));
    }
}

fn prompt(path: &str) -> Prompt {
    Prompt {
        program: "/usr/bin/cc".into(),
        pid: Some(7),
        call: "openat".into(),
        want: Want::Read(path.into()),
        rule: "none (default)".into(),
    }
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn each_answer_has_its_effect() {
    let stage = Stage::new();
    let words = ["once", "never", "always"];
    let peer = |mut peer: Peer| {
        words.map(|word| {
            let asked = peer.hear();
            peer.answer(&asked, word);
            assert_eq!(peer.hear()["outcome"], word);
        })
    };
    let (_, granted) = stage.run(LONG, peer, |desk| {
        ["/srv/a", "/srv/b", "/srv/c", "/srv/a", "/srv/b"].map(|path| desk.ask(prompt(path)).granted())
    });
    assert_eq!(granted, [true, false, true, true, false], "the last two are remembered");
    let text = std::fs::read_to_string(stage.file()).unwrap();
    let policy = load(&Request::text("mine.toml", &text), &|_| unreachable!()).unwrap();
    let allowed = ["/srv/a", "/srv/b", "/srv/c"].map(|path| fs_decision(&policy, Path::new(path)).allowed);
    assert_eq!(allowed, [false, false, true], "{text}");
}

#[test]
fn nobody_answers_in_time() {
    let stage = Stage::new();
    let peer = |mut peer: Peer| {
        let asked = peer.hear();
        assert_eq!(peer.hear()["outcome"], "expired");
        // Too late, and no violation: the next question is put.
        peer.answer(&asked, "once");
        let asked = peer.hear();
        peer.answer(&asked, "once");
    };
    let (_, got) = stage.run(Duration::from_millis(100), peer, |desk| {
        ["/srv/a", "/srv/b"].map(|path| desk.ask(prompt(path)))
    });
    assert_eq!(got[0], Settled { why: Why::NoAnswer, asked: true });
    assert!(got[1].granted());
}

#[test]
fn a_peer_that_breaks_the_protocol_is_asked_nothing_more() {
    for wrong in
        ["nonsense\n", "{\"type\":\"answer\",\"belljar\":1,\"id\":\"x.1\",\"answer\":\"always\"}\n", ""]
    {
        let stage = Stage::new();
        let peer = |mut peer: Peer| {
            peer.hear();
            peer.say(wrong);
        };
        let (_, got) = stage.run(LONG, peer, |desk| ["/srv/a", "/srv/b"].map(|path| desk.ask(prompt(path))));
        assert!(got.iter().all(|settled| settled.why == Why::NobodyThere), "{wrong:?} {got:?}");
    }
}

#[test]
fn a_replayed_answer_grants_nothing() {
    let stage = Stage::new();
    let peer = |mut peer: Peer| {
        let asked = peer.hear();
        peer.answer(&asked, "once");
        peer.hear();
        peer.hear();
        peer.answer(&asked, "once");
    };
    let (_, got) = stage.run(LONG, peer, |desk| ["/srv/a", "/srv/b"].map(|path| desk.ask(prompt(path))));
    assert!(got[0].granted());
    assert_eq!(got[1].why, Why::NobodyThere);
}

#[test]
fn one_answer_serves_all_who_wait_for_the_same_and_a_crowd_is_refused() {
    let stage = Stage::new();
    let refused = Arc::new(AtomicUsize::new(0));
    let crowd = Arc::clone(&refused);
    let peer = move |mut peer: Peer| {
        let asked = peer.hear();
        // All others wait by then.
        while crowd.load(Ordering::SeqCst) < 11 {
            thread::park_timeout(Duration::from_millis(1));
        }
        thread::park_timeout(Duration::from_millis(100));
        peer.answer(&asked, "once");
    };
    let (_, got) = stage.run(LONG, peer, |desk| {
        let ask = || {
            let settled = desk.ask(prompt("/srv/a"));
            refused.fetch_add(usize::from(settled.why == Why::TooOften), Ordering::SeqCst);
            settled
        };
        thread::scope(|scope| {
            let asking: Vec<_> = (0..20).map(|_| scope.spawn(ask)).collect();
            asking.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        })
    });
    let granted = got.iter().filter(|settled| settled.granted()).count();
    let refused = got.iter().filter(|settled| settled.why == Why::TooOften).count();
    assert!((8..=9).contains(&granted) && granted + refused == 20, "{got:?}");
}

#[test]
fn what_is_no_socket_of_ours_is_refused_before_the_start() {
    let stage = Stage::new();
    let ask = |path: PathBuf| Ask::new(Way::Socket(path)).begin(&Policy::none(), None).map(|_| ());
    std::fs::write(stage.folder.path().join("file"), "").unwrap();
    std::os::unix::fs::symlink(stage.folder.path().join("ask"), stage.folder.path().join("link")).unwrap();
    for name in ["file", "link"] {
        let path = stage.folder.path().join(name);
        assert!(matches!(ask(path), Err(AskError::Unfit { what: "not a socket", .. })), "{name}");
    }
    assert!(matches!(ask(stage.folder.path().join("none")), Err(AskError::Unreachable { .. })));
}

#[test]
fn a_peer_that_greets_wrongly_stops_the_start() {
    let stage = Stage::new();
    let got = thread::scope(|scope| {
        // One that hangs up before it was greeted is another error.
        let peer = scope.spawn(|| {
            let (mut stream, _) = stage.listener.accept().unwrap();
            stream.write_all(b"HTTP/1.1 400\r\n\r\n").unwrap();
            stream
        });
        let got = stage.begin(LONG).map(|_| ());
        drop(peer.join().unwrap());
        got
    });
    assert!(matches!(got, Err(AskError::Peer { .. })), "{got:?}");
}

#[test]
fn a_policy_file_that_the_jar_writes_is_refused() {
    let stage = Stage::new();
    let policy = Policy::none().write(stage.folder.path()).unwrap();
    let mut ask = Ask::new(Way::Socket(stage.folder.path().join("ask")));
    ask.save(PolicyFile { path: stage.file(), bases: Vec::new() });
    assert!(matches!(ask.begin(&policy, None), Err(AskError::OpenFile(_))));
    // The same folder and the same file by other names.
    let link = stage.folder.path().with_extension("link");
    std::os::unix::fs::symlink(stage.folder.path(), &link).unwrap();
    let opened = |granted: &Path, named: PathBuf| {
        let mut ask = Ask::new(Way::Socket(stage.folder.path().join("ask")));
        ask.save(PolicyFile { path: named, bases: Vec::new() });
        matches!(ask.begin(&Policy::none().write(granted).unwrap(), None), Err(AskError::OpenFile(_)))
    };
    let name = PathBuf::from(stage.file().file_name().unwrap());
    let by_other_names = [
        opened(&link, stage.file()),
        opened(stage.folder.path(), link.join(&name)),
        opened(stage.folder.path(), Path::new("/usr/..").join(stage.file().strip_prefix("/").unwrap())),
    ];
    std::fs::remove_file(link).unwrap();
    assert_eq!(by_other_names, [true; 3]);
    // What takes the file's place is made beside it.
    let policy = Policy::none().write(stage.folder.path()).and_then(|policy| policy.read(stage.file()));
    let mut ask = Ask::new(Way::Socket(stage.folder.path().join("ask")));
    ask.save(PolicyFile { path: stage.file(), bases: Vec::new() });
    assert!(matches!(ask.begin(&policy.unwrap(), None), Err(AskError::OpenFile(_))));
}
