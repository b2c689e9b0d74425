//! Connections to a server of the host: how long until the first byte is back, and how fast many bytes come.
//!
//! `bench bytes` is the server, `bench reach WHAT HOST PORT AMOUNT` the client, which may run in a jar. `bench served` measures
//! the serving side of networks by name alone: direct, then through it, on loopback and in one process.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use belljar_net::{
    Budgets, Connected, Denial, Failed, Observer, Resolver, Rules, Service, Settings, Sockets,
};
use serde::Serialize;

const BLOCK: usize = 256 << 10;

/// What one client saw.
#[derive(Serialize)]
struct Reached {
    /// Median of the microseconds from `connect` to the first byte of the answer.
    first_byte_us: f64,
    /// Bytes per nanosecond of one long answer.
    gigabytes_per_second: f64,
}

/// Prints its port, then answers: eight bytes say how many are wanted.
pub(crate) fn bytes(_: &[String]) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?.port())?;
    serve(&listener)?;
    Ok(String::new())
}

fn serve(listener: &TcpListener) -> Result<()> {
    loop {
        let (socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        // A client that goes away early has what it wanted.
        std::thread::spawn(move || give(socket).ok());
    }
}

fn give(mut socket: TcpStream) -> Result<()> {
    let mut wanted = [0; 8];
    socket.read_exact(&mut wanted)?;
    let (mut left, block) = (u64::from_le_bytes(wanted), vec![0; BLOCK]);
    while left > 0 {
        let part = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        socket.write_all(block.get(..part).unwrap_or_default())?;
        left -= u64::try_from(part)?;
    }
    Ok(())
}

/// Reaches a server by name or address and prints one number: the median microseconds of so many rounds until the connection
/// is there (`connect`) or the first byte of an answer (`answer`), or the bytes per nanosecond of so many (`bytes`).
pub(crate) fn reach(words: &[String]) -> Result<String> {
    let [what, host, port, amount] = words else { anyhow::bail!("reach WHAT HOST PORT AMOUNT") };
    let to = (host.as_str(), port.parse()?).to_socket_addrs()?.next().context("no address")?;
    let number = match what.as_str() {
        "connect" => median(amount.parse()?, || Ok(TcpStream::connect(to).map(drop)?))?,
        "answer" => median(amount.parse()?, || take(to, 1))?,
        "bytes" => speed(to, amount.parse()?)?,
        _ => anyhow::bail!("connect, answer or bytes"),
    };
    Ok(number.to_string())
}

/// Median of the microseconds that a step takes.
fn median(rounds: u32, step: impl Fn() -> Result<()>) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        step()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).context("no rounds")?.as_secs_f64() * 1e6)
}

/// Bytes per nanosecond of one long answer.
fn speed(to: SocketAddr, bytes: u64) -> Result<f64> {
    let start = Instant::now();
    take(to, bytes)?;
    Ok(f64::from(u32::try_from(bytes >> 10)?) * 1024.0 / (start.elapsed().as_secs_f64() * 1e9))
}

fn measure(to: SocketAddr, rounds: u32, bytes: u64) -> Result<Reached> {
    let first_byte_us = median(rounds, || take(to, 1))?;
    Ok(Reached { first_byte_us, gigabytes_per_second: speed(to, bytes)? })
}

/// Asks for this many bytes and reads them all; the connection is closed without waiting for its end.
fn take(to: SocketAddr, bytes: u64) -> Result<()> {
    let mut socket = TcpStream::connect(to)?;
    socket.write_all(&bytes.to_le_bytes())?;
    let (mut left, mut block) = (bytes, vec![0; BLOCK.min(usize::try_from(bytes)?)]);
    while left > 0 {
        let count = socket.read(&mut block)?;
        anyhow::ensure!(count > 0, "{left} bytes are missing");
        left -= u64::try_from(count)?;
    }
    Ok(())
}

/// Direct and served, round after round.
#[derive(Serialize)]
struct Served {
    direct: Reached,
    served: Reached,
}

struct Silent;

impl Observer for Silent {
    fn denied(&self, _: Denial) {}
    fn connected(&self, _: Connected) {}
    fn failed(&self, _: Failed) {}
}

/// Every name is the own loopback.
struct Loopback;

impl Resolver for Loopback {
    fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }
}

/// Measures the service alone: `served ROUNDS BYTES`.
pub(crate) fn served(words: &[String]) -> Result<String> {
    let [rounds, bytes] = words else { anyhow::bail!("served ROUNDS BYTES") };
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let server = listener.local_addr()?;
    std::thread::spawn(move || serve(&listener));
    let stand_in = SocketAddr::from(([127, 18, 0, 1], server.port()));
    let service = start(server.port(), stand_in)?;
    let (rounds, bytes) = (rounds.parse()?, bytes.parse()?);
    let result =
        Served { direct: measure(server, rounds, bytes)?, served: measure(stand_in, rounds, bytes)? };
    service.end()?;
    Ok(serde_json::to_string(&result)?)
}

/// Serves `bench.test`, whose stand-in is the first of `127.18.0.0/15`.
fn start(port: u16, stand_in: SocketAddr) -> Result<Service> {
    let policy = belljar::policy::Policy::none().net(&format!("bench.test:{port}"))?;
    let policy = policy.net(&format!("127.0.0.1:{port}"))?;
    let (tcp, dns) = (TcpListener::bind(stand_in)?, std::net::UdpSocket::bind("127.0.0.1:0")?);
    let stub = dns.local_addr()?;
    let sockets = Sockets { tcp: vec![(port, tcp.into())], dns_udp: vec![dns.into()], ..Sockets::default() };
    let settings = Settings {
        resolver: Arc::new(Loopback),
        stand_ins: Ipv4Addr::new(127, 18, 0, 0),
        budgets: Budgets { burst: 1_000_000, ..Budgets::default() },
        ..Settings::default()
    };
    let service = Service::start_with(sockets, Rules::new(policy.net), Arc::new(Silent), settings)?;
    let client = std::net::UdpSocket::bind("127.0.0.1:0")?;
    client.set_read_timeout(Some(Duration::from_secs(5)))?;
    client.send_to(QUERY, stub)?;
    client.recv_from(&mut [0; 512])?;
    Ok(service)
}

/// Asks for the address of `bench.test`.
const QUERY: &[u8] = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x05bench\x04test\0\0\x01\0\x01";
