//! Workers of the library beside what they replace: starts beside other ways to have a confined process, calls beside a bare round
//! trip over a pair of sockets, a large buffer beside a copy of it.

use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use belljar::policy::Policy;
use belljar::worker::{Buffer, BufferMut, Bytes, Entry, Worker, Zygote};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};
use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use serde::{Deserialize, Serialize};

/// Gives back what it gets.
pub(crate) static ECHO: Entry<Bytes, Bytes> = Entry::new("echo", |bytes, _| bytes);
/// The first byte of each page, added up.
pub(crate) static SUM: Entry<Buffer, u64> = Entry::new("sum", |buffer, _| sum(&buffer));

const PATIENCE: Duration = Duration::from_secs(10);
const KIB: usize = 1024;
const LARGE: usize = 64 << 20;
/// Calls of one sample.
const CALLS: u32 = 200;

fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().step_by(4096).map(|byte| u64::from(*byte)).sum()
}

/// What is asked.
#[derive(Debug, Deserialize)]
struct Request {
    rounds: usize,
    seconds: u64,
    /// Runs `/bin/true` in a box of another kind.
    box_of_true: Vec<String>,
}

/// What was found: microseconds, one per round.
#[derive(Debug, Default, Serialize)]
struct Found {
    worker: Vec<f64>,
    forked: Vec<f64>,
    spawn: Vec<f64>,
    boxed: Vec<f64>,
    bare: Vec<f64>,
    call: Vec<f64>,
    handed: Vec<f64>,
    copied: Vec<f64>,
    /// Memory of a waiting worker's own in KiB; none where it may not be looked at.
    private: Option<u64>,
}

/// Reads a request from standard input and prints the findings.
pub(crate) fn run(_: &[String]) -> Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let request: Request = serde_json::from_str(&text).context("the request")?;
    Ok(serde_json::to_string(&measure(&request)?)?)
}

fn measure(request: &Request) -> Result<Found> {
    let (zygote, mut found) = (Zygote::start(&Policy::none(), &ECHO)?, Found::default());
    let sparing = Zygote::builder(&Policy::none(), &ECHO).spare(0).start()?;
    let mut summing = Zygote::start(&Policy::none(), &SUM)?.spawn()?;
    let (one, all) = processors()?;
    sched_setaffinity(None, &one)?;
    let (mut worker, bare) = (Zygote::start(&Policy::none(), &ECHO)?.spawn()?, Bare::start()?);
    sched_setaffinity(None, &all)?;
    let large = large()?;
    found.private = private(&worker);
    let start = Instant::now();
    for round in 0..request.rounds + 2 {
        if round > 4 && start.elapsed() > Duration::from_secs(request.seconds) {
            break;
        }
        let mut note = |list: fn(&mut Found) -> &mut Vec<f64>, time: f64| {
            // The first two rounds warm up.
            if round >= 2 {
                list(&mut found).push(time);
            }
        };
        note(|found| &mut found.worker, started(&zygote)?);
        note(|found| &mut found.forked, started(&sparing)?);
        note(|found| &mut found.spawn, ran(&["/bin/true".to_owned()])?);
        note(|found| &mut found.boxed, ran(&request.box_of_true)?);
        sched_setaffinity(None, &one)?;
        note(|found| &mut found.bare, bare.round_trips()?);
        note(|found| &mut found.call, calls(&mut worker)?);
        sched_setaffinity(None, &all)?;
        if round % 10 == 0 {
            note(|found| &mut found.handed, handed(&mut summing, &large)?);
            note(|found| &mut found.copied, copied(&large));
        }
    }
    Ok(found)
}

/// The one that this runs on, and all that it may run on. Both ends of a round trip stay on one: waking a virtual processor that
/// sleeps takes longer than a call, and whether that happens is the scheduler's choice.
pub(crate) fn processors() -> Result<(CpuSet, CpuSet)> {
    let mut one = CpuSet::new();
    one.set(sched_getcpu());
    Ok((one, sched_getaffinity(None)?))
}

pub(crate) fn micros(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e6
}

/// From nothing to a worker that is sealed off and waits.
fn started(zygote: &Zygote<Bytes, Bytes>) -> Result<f64> {
    let start = Instant::now();
    let worker = zygote.spawn()?;
    let time = micros(start);
    worker.end();
    Ok(time)
}

/// Start to exit.
fn ran(words: &[String]) -> Result<f64> {
    let Some((program, arguments)) = words.split_first() else { return Ok(f64::NAN) };
    let start = Instant::now();
    let status = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    ensure!(status.success(), "{program}: {status}");
    Ok(micros(start))
}

/// One call, 1 KiB there and 1 KiB back.
fn calls(worker: &mut Worker<Bytes, Bytes>) -> Result<f64> {
    let request = Bytes(vec![7; KIB]);
    let start = Instant::now();
    for _ in 0..CALLS {
        ensure!(worker.call(&request, PATIENCE)?.0.len() == KIB, "a short reply");
    }
    Ok(micros(start) / f64::from(CALLS))
}

fn large() -> Result<Buffer> {
    let mut large = BufferMut::new(LARGE)?;
    large.fill(1);
    Ok(large.seal()?)
}

fn handed(worker: &mut Worker<Buffer, u64>, large: &Buffer) -> Result<f64> {
    let start = Instant::now();
    ensure!(worker.call(large, PATIENCE)? == sum(large), "another buffer");
    Ok(micros(start))
}

fn copied(large: &Buffer) -> f64 {
    let start = Instant::now();
    let copy = std::hint::black_box(large.to_vec());
    std::hint::black_box(sum(&copy));
    micros(start)
}

/// A process that sends back what it gets, and nothing else.
pub(crate) struct Bare {
    socket: OwnedFd,
    child: Child,
}

impl Bare {
    pub(crate) fn start() -> Result<Self> {
        let (socket, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        let child = Command::new(std::env::current_exe()?).arg("bounce").stdin(theirs).spawn()?;
        Ok(Self { socket, child })
    }

    pub(crate) fn round_trips(&self) -> Result<f64> {
        let (out, mut back) = ([7; KIB], [0; KIB]);
        let start = Instant::now();
        for _ in 0..CALLS {
            send(&self.socket, &out, SendFlags::empty())?;
            ensure!(recv(&self.socket, &mut back, RecvFlags::empty())?.1 == KIB, "a short packet");
        }
        Ok(micros(start) / f64::from(CALLS))
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // It ends with its socket.
        rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both).ok();
        self.child.wait().ok();
    }
}

/// The other end of the bare round trip: standard input is the socket.
pub(crate) fn bounce(_: &[String]) -> Result<String> {
    let (socket, mut packet) = (rustix::stdio::stdin(), [0; 2 * KIB]);
    loop {
        let (_, len) = recv(socket, &mut packet, RecvFlags::empty())?;
        if len == 0 {
            return Ok(String::new());
        }
        send(socket, packet.get(..len).unwrap_or_default(), SendFlags::empty())?;
    }
}

/// Memory that nobody shares with this worker, in KiB.
fn private(worker: &Worker<Bytes, Bytes>) -> Option<u64> {
    let about = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", worker.pidfd()?.as_raw_fd())).ok()?;
    let pid = about.lines().find_map(|line| line.strip_prefix("Pid:"))?.trim().to_owned();
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let own = |line: &str| {
        let amount = line.strip_prefix("Private_Clean:").or_else(|| line.strip_prefix("Private_Dirty:"))?;
        amount.trim().trim_end_matches(" kB").parse::<u64>().ok()
    };
    Some(rollup.lines().filter_map(own).sum())
}
