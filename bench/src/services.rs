//! Services beside what they replace: their start, a request to each beside the same thing done by oneself, and beside a bare round trip
//! over a pair of sockets.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use belljar::service::{Amount, Dns, FileArgs, Level, Log, LogLimit, Net, Only, Random, Remote, Time, Users};
use rustix::thread::sched_setaffinity;
use serde::Deserialize;

use crate::workers::{Bare, micros, processors};

/// Requests of one sample.
const CALLS: u32 = 50;

/// What is asked.
#[derive(Debug, Deserialize)]
struct Request {
    rounds: usize,
    seconds: u64,
}

/// What services are asked about.
struct Place {
    file: PathBuf,
    log: PathBuf,
    peer: SocketAddr,
}

/// Does one thing.
type Act = Box<dyn FnMut() -> Result<()>>;

/// A service, and the same thing without it.
struct Case {
    name: &'static str,
    /// Starts it; what comes back asks it once.
    service: fn(&Place) -> Result<Act>,
    plain: fn(&Place) -> Result<Act>,
}

const CASES: &[Case] = &[
    Case { name: "fileargs", service: file_by_service, plain: file },
    Case {
        name: "dns",
        service: |_| {
            let mut dns = Dns::start(["localhost"])?;
            Ok(Box::new(move || some(dns.addresses("localhost")?.len())))
        },
        plain: |_| Ok(Box::new(|| some(("localhost", 0).to_socket_addrs()?.count()))),
    },
    Case { name: "net", service: peer_by_service, plain: peer },
    Case {
        name: "users",
        service: |_| {
            let mut users = Users::start(Only::All)?;
            Ok(Box::new(move || some(users.account_of(0)?.name.len())))
        },
        plain: |_| {
            let is_root = |line: &&str| line.split(':').nth(2) == Some("0");
            Ok(Box::new(move || some(fs::read_to_string("/etc/passwd")?.lines().filter(is_root).count())))
        },
    },
    Case { name: "log", service: line_by_service, plain: line },
    Case {
        name: "time",
        service: |_| {
            let mut time = Time::start(Only::these(["UTC"]))?;
            Ok(Box::new(move || some(time.zone("UTC")?.len())))
        },
        plain: |_| Ok(Box::new(|| some(fs::read("/usr/share/zoneinfo/UTC")?.len()))),
    },
    Case {
        name: "random",
        service: |_| {
            let mut random = Random::start(Amount::Any)?;
            Ok(Box::new(move || some(random.bytes(32)?.len())))
        },
        plain: |_| {
            let flags = rustix::rand::GetRandomFlags::empty();
            Ok(Box::new(move || some(rustix::rand::getrandom(&mut [0_u8; 32], flags)?)))
        },
    },
];

fn some(count: usize) -> Result<()> {
    ensure!(count > 0, "an empty answer");
    Ok(())
}

fn file_by_service(place: &Place) -> Result<Act> {
    let (mut files, path) = (FileArgs::start([&place.file])?, place.file.clone());
    Ok(Box::new(move || files.open(&path).map(drop).map_err(Into::into)))
}

fn file(place: &Place) -> Result<Act> {
    let path = place.file.clone();
    Ok(Box::new(move || File::open(&path).map(drop).map_err(Into::into)))
}

fn peer_by_service(place: &Place) -> Result<Act> {
    let (host, port) = (place.peer.ip().to_string(), place.peer.port());
    let mut net = Net::start([Remote::new(&host, port)])?;
    Ok(Box::new(move || said(net.connect(&host, port)?)))
}

fn peer(place: &Place) -> Result<Act> {
    let peer = place.peer;
    Ok(Box::new(move || said(TcpStream::connect(peer)?)))
}

/// The first byte of whom was reached.
fn said(mut stream: TcpStream) -> Result<()> {
    Ok(stream.read_exact(&mut [0])?)
}

fn line_by_service(place: &Place) -> Result<Act> {
    let file = File::options().append(true).create(true).open(&place.log)?;
    let mut log = Log::start("bench", file, LogLimit::upto(Level::Debug))?;
    Ok(Box::new(move || Ok(log.line(Level::Info, "a line of some forty characters, no more")?)))
}

fn line(place: &Place) -> Result<Act> {
    let mut file = File::options().append(true).create(true).open(&place.log)?;
    Ok(Box::new(move || {
        Ok(file.write_all(b"2026-01-01T00:00:00Z bench info: a line of some forty characters\n")?)
    }))
}

/// Reads a request from standard input and prints the findings: microseconds by name, one for each round.
pub(crate) fn run(_: &[String]) -> Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let request: Request = serde_json::from_str(&text).context("the request")?;
    let folder = std::env::current_dir()?.join(format!("services-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let found = Place::new(&folder).and_then(|place| measure(&request, &place));
    fs::remove_dir_all(&folder)?;
    Ok(serde_json::to_string(&found?)?)
}

impl Place {
    fn new(folder: &std::path::Path) -> Result<Self> {
        let file = folder.join("file");
        fs::write(&file, "a file\n")?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let peer = listener.local_addr()?;
        std::thread::spawn(move || {
            listener.incoming().flatten().for_each(|mut stream| drop(stream.write_all(b"x")));
        });
        Ok(Self { file, log: folder.join("log"), peer })
    }
}

type Found = BTreeMap<String, Vec<f64>>;

fn measure(request: &Request, place: &Place) -> Result<Found> {
    let (one, all) = processors()?;
    sched_setaffinity(None, &one)?;
    let bare = Bare::start()?;
    let mut acts = Vec::new();
    for case in CASES {
        acts.push((case.name, (case.service)(place)?, (case.plain)(place)?));
    }
    let (mut found, start) = (Found::new(), Instant::now());
    for round in 0..request.rounds + 1 {
        if round > 3 && start.elapsed() > Duration::from_secs(request.seconds) {
            break;
        }
        let mut note = |name: String, time: f64| {
            // The first round warms up.
            if round > 0 {
                found.entry(name).or_default().push(time);
            }
        };
        sched_setaffinity(None, &all)?;
        for case in CASES {
            note(format!("{} start", case.name), started(case, place)?);
        }
        sched_setaffinity(None, &one)?;
        note("bare".to_owned(), bare.round_trips()?);
        for (name, service, plain) in &mut acts {
            note((*name).to_owned(), calls(service)?);
            note(format!("{name} plain"), calls(plain)?);
        }
    }
    Ok(found)
}

/// From nothing to a service that is sealed off and waits.
fn started(case: &Case, place: &Place) -> Result<f64> {
    let start = Instant::now();
    let service = (case.service)(place)?;
    let time = micros(start);
    drop(service);
    Ok(time)
}

fn calls(act: &mut Act) -> Result<f64> {
    let start = Instant::now();
    (0..CALLS).try_for_each(|_| act())?;
    Ok(micros(start) / f64::from(CALLS))
}
