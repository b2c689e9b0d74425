//! E8: what a jar's network turns away is heard through raw sockets and told with the name of whoever tried. The jar uses that
//! hearing against the supervisor, the terminal and the host.

use std::cell::{Cell, RefCell};
use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::attack::{Attack, Family, Judge};
use crate::attacks::raw::{self, sys};
use crate::attacks::{landlock, proof};
use crate::outcome::{Judgement, contains};
use crate::stage::Stage;
use crate::{canary, files, needs};

/// A row about a jar that may reach one name.
const ROW: Attack = Attack { id: "E8", boxes: &["belljar"], ..Attack::ROW };
/// The port that the supervisor serves; whoever connects to it at an address that is not granted is looked for.
const SERVED: u16 = 443;
/// Most memory that whoever keeps refusals may come to, in KiB.
const MOST: u64 = 64 << 10;
/// Refusals of a flood, and what a careless record keeps of each.
const FLOOD: u32 = 40_000;
/// Seconds that a box may take for them.
const FLOOD_TIME: u64 = 5;
const RECORD: usize = 4 << 10;

pub(super) const FAMILY: Family = Family {
    title: "E8: refusals of a jar's network, heard and told",
    rows: &[
        Attack {
            name: "refused-name-steers",
            what: "takes a name that steers a terminal and is refused by the network in every way that is told with its name",
            prepare: steers,
            attack: |args| {
                called(raw::text(args, 0)?)?;
                everything_refused()?;
                Err(io::ErrorKind::ConnectionRefused.into())
            },
            ..ROW
        },
        Attack {
            name: "refused-flood",
            what: "has the memory of whoever keeps refusals grow by being refused thousands of objects",
            prepare: flooded,
            attack: flood,
            ..ROW
        },
        Attack {
            name: "refused-innocent",
            what: "has the record of refusals name a process of the host, whose socket has the addresses of the jar's own",
            prepare: innocent,
            attack: accuse,
            ..ROW
        },
        Attack {
            name: "refused-sock-diag",
            what: "lists the open ports of the host as the supervisor asks whose a socket is",
            prepare: |stage| {
                granted(stage);
                (landlock::SOCK_DIAG.prepare)(stage)
            },
            attack: |args| (landlock::SOCK_DIAG.attack)(args),
            ..ROW
        },
        Attack {
            name: "refused-raw-socket",
            what: "hears the host's refused datagrams through a raw socket such as the supervisor has",
            prepare: |stage| {
                let judge = heard(stage)?;
                granted(stage);
                Ok(judge)
            },
            attack: |_| hear(),
            needs: &[&needs::ROOT],
            ..ROW
        },
    ],
};

fn granted(stage: &mut Stage) {
    grant(stage, SERVED);
}

/// The jar reaches `mirror.test`, which leads to an address of nobody; the port is served at every address.
fn grant(stage: &mut Stage, port: u16) {
    stage.belljar_flags(&["-n", &format!("mirror.test:{port}"), "--host", "mirror.test=192.0.2.1"]);
}

/// What is said about whoever was refused: by belljar at its end, and by somebody careless who reads names from `/proc`.
fn steers(stage: &mut Stage) -> io::Result<Judge> {
    granted(stage);
    let fresh = canary::fresh()?;
    let mark = fresh.get(6..14).unwrap_or_default().to_owned();
    stage.arg(&mark);
    let said = Rc::new(RefCell::new(Vec::new()));
    let careless = Rc::clone(&said);
    stage.watches.push(Box::new(move |pid| {
        careless.borrow_mut().extend(fs::read(format!("/proc/{pid}/comm")).unwrap_or_default());
    }));
    Ok(Box::new(move |outcome| {
        let raw = format!("{STEER}{mark}");
        let all = [said.borrow().as_slice(), &outcome.stderr, &outcome.stdout].concat();
        Ok(Judgement::escaped_if(contains(&all, raw.as_bytes()), "a program's name steers the terminal"))
    }))
}

/// Sets the title of a terminal.
const STEER: &str = "\u{1b}]2;";

fn called(mark: &str) -> io::Result<()> {
    sys!(SYS_prctl, libc::PR_SET_NAME, &raw::c(&format!("{STEER}{mark}"))).map(drop)
}

/// Each way of asking that is told. Nothing of it leads anywhere.
fn everything_refused() -> io::Result<()> {
    let datagrams = UdpSocket::bind("0.0.0.0:0")?;
    let mut query = b"\0\x07\x01\0\0\x01\0\0\0\0\0\0".to_vec();
    query.extend(b"\x04evil\x04test\0\0\x01\0\x01");
    // Without the jar's network some of these fail at once, which is as good.
    drop(datagrams.send_to(&query, "127.0.0.1:53"));
    drop(datagrams.send_to(b"x", "127.9.9.9:9"));
    let wait = Duration::from_millis(100);
    for port in [SERVED, SERVED + 1] {
        drop(TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::new(127, 9, 9, 9), port)), wait));
    }
    raw::pause(300)
}

/// The process that is started first may not grow: belljar where there is one, else the attack, which keeps a careless record.
fn flooded(stage: &mut Stage) -> io::Result<Judge> {
    granted(stage);
    // A busy machine makes fewer in the same time; only the box is not waited for.
    stage.arg(if stage.launcher.is_some() { FLOOD_TIME } else { 10 * FLOOD_TIME });
    let peak = Rc::new(Cell::new(0));
    let seen = Rc::clone(&peak);
    stage.watches.push(Box::new(move |pid| {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let word = line.and_then(|rest| rest.split_whitespace().next());
        seen.set(seen.get().max(word.and_then(|word| word.parse().ok()).unwrap_or(0)));
    }));
    Ok(Box::new(move |_| {
        let evidence = format!("{} KiB at the peak, {MOST} allowed", peak.get());
        Ok(Judgement::escaped_if(peak.get() > MOST, &evidence))
    }))
}

fn flood(args: &[String]) -> io::Result<()> {
    let (until, mut record) = (Instant::now() + Duration::from_secs(proof::number(args, 0)?), Vec::new());
    for number in 0..FLOOD {
        if Instant::now() > until {
            break;
        }
        let [a, b, c, d] = number.to_be_bytes();
        let there = SocketAddr::from((Ipv4Addr::new(127, 1 + b, c, d), 1 + u16::from(a)));
        let refused = TcpStream::connect_timeout(&there, Duration::from_secs(1));
        record.push(format!("{refused:?} {there}{}", " ".repeat(RECORD)));
    }
    // Nothing of it may be gone before it was measured.
    raw::pause(200)?;
    raw::print(format!("{} records\n", record.len()).as_bytes())
}

/// A connection of the runner's own, outside, and a record of what was refused.
fn innocent(stage: &mut Stage) -> io::Result<Judge> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let stream = TcpStream::connect(listener.local_addr()?)?;
    let (own, peer, record) = (stream.local_addr()?, stream.peer_addr()?, stage.host.join("events"));
    grant(stage, peer.port());
    stage.belljar_flags(&["--events", &record.to_string_lossy()]);
    stage.arg(own);
    stage.arg(peer);
    stage.path_arg(&record);
    let name = format!("\"pid\":{},", std::process::id());
    stage.arg(&name);
    Ok(Box::new(move |_| {
        let told = fs::read_to_string(&record).unwrap_or_default();
        drop((listener, stream));
        Ok(Judgement::escaped_if(told.contains(&name), "the record names a process of the host"))
    }))
}

/// Connects from the same address to the same one, in a network of its own; and writes what it wants to be read.
fn accuse(args: &[String]) -> io::Result<()> {
    let [own, peer] = [raw::inet(raw::text(args, 0)?)?, raw::inet(raw::text(args, 1)?)?];
    let written = fs::File::options().create(true).append(true).open(raw::text(args, 2)?);
    drop(written.and_then(|mut record| record.write_all(raw::text(args, 3)?.as_bytes())));
    let socket = raw::fd(sys!(SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0))?;
    sys!(SYS_bind, socket.as_raw_fd(), &raw const own, size_of_val(&own))?;
    sys!(SYS_connect, socket.as_raw_fd(), &raw const peer, size_of_val(&peer))?;
    raw::pause(300)
}

/// Somebody outside sends a canary to a port at which nobody waits; the kernel's answer quotes it.
fn heard(stage: &mut Stage) -> io::Result<Judge> {
    let canary = canary::fresh()?;
    let (socket, words) = (UdpSocket::bind("127.0.0.1:0")?, canary.clone());
    let closed = UdpSocket::bind("127.0.0.1:0")?.local_addr()?;
    stage.watches.push(Box::new(move |_| {
        // A refusal of the one before is this one's error.
        drop(socket.send_to(words.as_bytes(), closed));
    }));
    Ok(files::not_printed(canary))
}

fn hear() -> io::Result<()> {
    let socket = raw::fd(sys!(SYS_socket, libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP))?;
    let (mut packet, until) = ([0u8; 2048], Instant::now() + Duration::from_millis(500));
    while Instant::now() < until {
        let got = sys!(SYS_read, socket.as_raw_fd(), packet.as_mut_ptr(), packet.len())?;
        raw::print(packet.get(..got).unwrap_or_default())?;
    }
    Ok(())
}
