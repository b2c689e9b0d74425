//! A server that nobody has to trust before its clients have proved who they are, after OpenSSH's: a child without any rights
//! speaks with the stranger, and its monitor signs and verifies for it, each in its phase and no more often than that.
//!
//! ```console
//! $ cargo run -p belljar --example preauth
//! ```
//!
//! ```text
//! stranger ◄─ socket ─► child: @preauth, one descriptor      monitor: keys and accounts
//!    "BJ-1.0 client"      │ Ask::Banner  (phase Version, once)    │
//!    nonce                │ Ask::Sign    (phase KeyExchange, once)│
//!    user, password       │ Ask::Verify  (phase Auth, 3 times)    │
//! ```
//!
//! The clients are part of the demonstration. Some of them send what makes the child do as an attacker wishes who has taken it
//! over: that is as far as they get. The signature is a toy; a real server signs with a key of its own choice in the same place.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it shows what happened; its child tries what it may not"
)]

use std::error::Error;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use belljar::policy::Policy;
use belljar::worker::{
    self, Descriptor, Entry, Monitor, Needs, Parent, Permit, Session, WorkerError, Zygote,
};
use serde::{Deserialize, Serialize};

/// What the child may ask its monitor for.
#[derive(Serialize, Deserialize)]
enum Ask {
    Banner,
    Sign(Vec<u8>),
    Verify { user: String, password: String },
}

#[derive(Serialize, Deserialize)]
enum Told {
    Banner(String),
    Signature(u64),
    Accepted(bool),
}

struct Login;

impl Needs for Login {
    type Ask = Ask;
    type Told = Told;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Version,
    KeyExchange,
    Auth,
    Done,
}

/// The privileged half: it alone knows the key and the passwords.
struct Host {
    key: u64,
    accounts: &'static [(&'static str, &'static str)],
    user: Option<String>,
}

impl Monitor for Host {
    type Needs = Login;
    type Phase = Phase;
    const TABLE: &'static [Permit<Phase>] = &[
        Permit::once(Phase::Version, "Banner"),
        Permit::once(Phase::KeyExchange, "Sign"),
        Permit::at_most(Phase::Auth, "Verify", 3),
        Permit::never(Phase::Done, "Verify"),
    ];

    fn answer(&mut self, ask: Ask, phase: &mut Phase) -> Told {
        match ask {
            Ask::Banner => {
                *phase = Phase::KeyExchange;
                Told::Banner("BJ-1.0 belljar".to_owned())
            }
            Ask::Sign(what) => {
                *phase = Phase::Auth;
                Told::Signature(signature(self.key, &what))
            }
            Ask::Verify { user, password } => {
                let known = self.accounts.contains(&(user.as_str(), password.as_str()));
                if known {
                    *phase = Phase::Done;
                    self.user = Some(user);
                }
                Told::Accepted(known)
            }
        }
    }
}

/// A toy: see above.
fn signature(key: u64, what: &[u8]) -> u64 {
    what.iter().fold(key, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3))
}

static LOGIN: Entry<Descriptor, Result<(), String>, Login> = Entry::new("login", |socket, monitor| {
    handshake(&File::from(socket.into_owned()), monitor).map_err(|error| error.to_string())
});

/// The child: reads what strangers send. A `File` reads and writes by the two calls that it has.
fn handshake(socket: &File, monitor: &mut Parent<Login>) -> io::Result<()> {
    let mut input = BufReader::new(socket).take(4096);
    let version = line(&mut input)?;
    let Some(client) = version.strip_prefix("BJ-1.0 ") else {
        return Err(io::Error::other("not the protocol"));
    };
    taken_over(client, monitor)?;
    let Told::Banner(banner) = monitor.ask(&Ask::Banner) else { return Err(unexpected()) };
    say(socket, &banner)?;
    let mut nonce = [0; 32];
    input.read_exact(&mut nonce)?;
    let transcript = [version.as_bytes(), &nonce].concat();
    let Told::Signature(signature) = monitor.ask(&Ask::Sign(transcript)) else { return Err(unexpected()) };
    say(socket, &format!("{signature:016x}"))?;
    loop {
        let (user, password) = (line(&mut input)?, line(&mut input)?);
        match monitor.ask(&Ask::Verify { user, password }) {
            Told::Accepted(true) => return say(socket, "welcome"),
            Told::Accepted(false) => say(socket, "no")?,
            _ => return Err(unexpected()),
        }
    }
}

/// The hole in this parser: whoever calls himself so may do what he likes, with the child's rights.
fn taken_over(client: &str, monitor: &mut Parent<Login>) -> io::Result<()> {
    match client {
        "reads-files" => File::open("/etc/passwd").map(drop),
        "opens-sockets" => TcpStream::connect("127.0.0.1:80").map(drop),
        "starts-programs" => std::process::Command::new("/bin/sh").spawn().map(drop),
        "signs-anything" => {
            monitor.ask(&Ask::Sign(b"whatever".to_vec()));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn line(input: &mut impl io::BufRead) -> io::Result<String> {
    let mut line = String::new();
    match input.read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}

fn say(mut socket: &File, text: &str) -> io::Result<()> {
    socket.write_all(format!("{text}\n").as_bytes())
}

fn unexpected() -> io::Error {
    io::Error::other("the monitor answered another question")
}

const KEY: u64 = 0x5EED;
const ACCOUNTS: &[(&str, &str)] = &[("alice", "wonderland")];
/// `LoginGraceTime`.
const GRACE: Duration = Duration::from_secs(5);

/// One connection: a fresh child, a monitor in its first phase.
fn serve(
    zygote: &Zygote<Descriptor, Result<(), String>, Login>,
    socket: TcpStream,
) -> Result<String, WorkerError> {
    let host = Host { key: KEY, accounts: ACCOUNTS, user: None };
    let mut session = Session::new(host, Phase::Version)?;
    let done = zygote.spawn()?.call_with(&Descriptor::from(socket), GRACE, &mut session)?;
    Ok(match (done, &session.monitor().user) {
        (Ok(()), Some(user)) => format!("{user} is in"),
        (Ok(()), None) => "nobody is in, whatever the child says".to_owned(),
        (Err(error), _) => format!("refused: {error}"),
    })
}

/// A client: how it calls itself, and the passwords that it tries.
const CLIENTS: &[(&str, &[&str])] = &[
    ("client", &["wonderland"]),
    ("client", &["guess", "wonderland"]),
    ("client", &["guess", "guess", "guess", "wonderland"]),
    ("reads-files", &[]),
    ("opens-sockets", &[]),
    ("starts-programs", &[]),
    ("signs-anything", &[]),
];

fn visit(server: SocketAddr, name: &str, passwords: &[&str]) -> io::Result<()> {
    let mut socket = TcpStream::connect(server)?;
    let version = format!("BJ-1.0 {name}");
    socket.write_all(format!("{version}\n").as_bytes())?;
    let mut replies = BufReader::new(socket.try_clone()?);
    line(&mut replies)?;
    let nonce = [7; 32];
    socket.write_all(&nonce)?;
    let signed = format!("{:016x}", signature(KEY, &[version.as_bytes(), &nonce].concat()));
    if line(&mut replies)? != signed {
        return Err(io::Error::other("another server"));
    }
    for password in passwords {
        socket.write_all(format!("alice\n{password}\n").as_bytes())?;
        line(&mut replies)?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    worker::serve(&[&LOGIN]);
    let preauth = Policy::preset("@preauth")?;
    let zygote = Zygote::builder(&Policy::none(), &LOGIN).under(&preauth)?.start()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    for (name, passwords) in CLIENTS {
        let client = thread::spawn(move || visit(address, name, passwords));
        let (socket, _) = listener.accept()?;
        match serve(&zygote, socket) {
            Ok(outcome) => println!("{name} {passwords:?}: {outcome}"),
            Err(error) => println!("{name} {passwords:?}: {error}"),
        }
        // Clients that were cut off have nothing to add.
        drop(client.join());
    }
    Ok(())
}
