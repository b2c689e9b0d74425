//! A process of the host that takes the number of a process in a box while the supervisor answers that one's call.
//!
//! The box gets a PID namespace of its own around it, in which numbers can be chosen; in that of the host the same takes as many
//! forks as there are numbers. The supervisor is the program as it is: it is stopped from outside, as a busy machine would.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use super::kernel::{Page, nap, small, sys, wait};
use super::raw::{self, c};
use super::steps::{Next, Steps};
use crate::processes;

/// Where caller and successor have something of their own in memory.
pub(crate) const PLACE: usize = 0x10_0000_0000;
/// How far behind it results are written to.
pub(crate) const RESULT: usize = 2048;
/// The descriptor that both have.
pub(crate) const NUMBER: i32 = 9;
/// What lies where no result was written.
const FILLED: [u8; 64] = [0xAA; 64];
const PAGE: usize = 4096;
/// Whom a box of root runs as.
const NOBODY: u32 = 65_534;
/// How long a number may stay taken.
const PATIENCE: Duration = Duration::from_secs(2);
/// The program name of a process that may be ended.
pub(crate) const CALLER: &std::ffi::CStr = c"caller";
/// The program name of a thread that answers.
const BROKER: &str = "broker";

/// Memory at [`PLACE`] that says `text`.
pub(crate) fn memory(text: &str, sharing: i32) -> io::Result<Page> {
    let both = libc::PROT_READ | libc::PROT_WRITE;
    let flags = sharing | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
    let page = Page::at(PLACE, PAGE, both, flags)?;
    page.put(0, text.as_bytes());
    page.put(RESULT, &FILLED);
    Ok(page)
}

/// A pipe at [`NUMBER`] that belongs to whom the box runs as.
pub(crate) fn pipe() -> io::Result<()> {
    let (end, _other) = rustix::pipe::pipe()?;
    if rustix::process::geteuid().is_root() {
        sys!(SYS_fchown, std::os::fd::AsRawFd::as_raw_fd(&end), NOBODY, NOBODY)?;
    }
    sys!(SYS_dup2, std::os::fd::AsRawFd::as_raw_fd(&end), NUMBER)?;
    Ok(())
}

/// `escape weak successor TELLS ROUNDS TEXT BOX...`: runs the box, and lets a process with this text in its memory succeed each
/// caller. Into the file `TELLS` go the rounds, how many successors there were, and on a second line what one of them lost.
pub(super) fn main(words: &[String]) -> io::Result<u8> {
    let [tells, rounds, text, line @ ..] = words else {
        return Err(io::Error::other("successor: TELLS ROUNDS TEXT BOX..."));
    };
    let rounds = rounds.parse().map_err(io::Error::other)?;
    own_numbers()?;
    // The first process of a namespace takes all others with it.
    let first = raw::fork()?;
    if first != 0 {
        return Ok(u8::try_from(wait(first)? >> 8).unwrap_or(255));
    }
    sys!(SYS_prctl, libc::PR_SET_PDEATHSIG, libc::SIGKILL)?;
    sys!(SYS_mount, &c("proc"), &c("/proc"), &c("proc"), 0, 0)?;
    let status = Watched::start(text, line)?.follow(Path::new(tells), rounds)?;
    Ok(u8::try_from(status.code().unwrap_or(255)).unwrap_or(255))
}

/// Numbers and mounts of its own; the user stays who it is.
fn own_numbers() -> io::Result<()> {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let user = if uid == 0 { 0 } else { libc::CLONE_NEWUSER };
    sys!(SYS_unshare, libc::CLONE_NEWPID | libc::CLONE_NEWNS | user)?;
    if user != 0 {
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
        fs::write("/proc/self/gid_map", format!("{gid} {gid} 1"))?;
    }
    let none = c("");
    sys!(SYS_mount, &none, &c("/"), &none, libc::MS_REC | libc::MS_PRIVATE).map(drop)
}

/// The box, and what its successors have.
struct Watched {
    supervisor: Child,
    page: Page,
    before: Vec<u8>,
    mode: u32,
    /// Successors so far.
    count: u32,
    /// How many system calls after the receipt the next one comes.
    moment: u32,
    /// How often all moments have had their turn.
    rounds: u32,
}

impl Watched {
    fn start(text: &str, line: &[String]) -> io::Result<Watched> {
        let [program, args @ ..] = line else { return Err(io::Error::other("no box")) };
        let supervisor = Command::new(program).args(args).process_group(0).spawn()?;
        pipe()?;
        let page = memory(text, libc::MAP_SHARED)?;
        let before = page.get(0, PAGE);
        Ok(Watched { supervisor, page, before, mode: mode()?, count: 0, moment: 0, rounds: 0 })
    }

    /// Until the box ends, something was lost, or each moment between receipt and answer has had so many turns.
    fn follow(mut self, tells: &Path, rounds: u32) -> io::Result<ExitStatus> {
        let mut steps = Steps::of(self.supervisor.id(), BROKER);
        let mut lost = "";
        while lost.is_empty() && self.rounds < rounds {
            let Some(caller) = steps.caller()? else { break };
            // The box has other processes, which it needs.
            if is_caller(caller) {
                lost = self.turn(&mut steps, caller)?;
                fs::write(tells, format!("{} {}\n{lost}", self.rounds, self.count))?;
            }
            steps.finish()?;
        }
        if !steps.is_over() {
            self.supervisor.kill()?;
        }
        steps.outlive()?;
        self.supervisor.wait()
    }

    /// One call, whose caller dies at the moment that is next; what its successor lost.
    fn turn(&mut self, steps: &mut Steps, caller: i32) -> io::Result<&'static str> {
        match steps.make(self.moment)? {
            Next::Another => {}
            Next::Rests => return Ok(""),
            Next::Answered => {
                (self.moment, self.rounds) = (0, self.rounds + 1);
                return Ok("");
            }
        }
        self.moment += 1;
        self.count += 1;
        let successor = self.succeed(caller)?;
        steps.finish()?;
        let lost = self.lost(successor)?;
        end(successor)?;
        Ok(lost)
    }

    /// Ends the caller and takes its number, once it is free.
    fn succeed(&self, caller: i32) -> io::Result<i32> {
        drop(sys!(SYS_kill, caller, libc::SIGKILL));
        let end = Instant::now() + PATIENCE;
        loop {
            match numbered(caller) {
                Ok(0) => idle(),
                Ok(pid) => return asleep(pid).map(|()| pid),
                Err(error) if error.raw_os_error() == Some(libc::EEXIST) && Instant::now() < end => nap(1),
                Err(error) => return Err(error),
            }
        }
    }

    /// What a successor has no more, or has gained.
    fn lost(&self, successor: i32) -> io::Result<&'static str> {
        if self.page.get(0, PAGE) != self.before {
            return Ok("its memory was written to");
        }
        if mode()? != self.mode {
            return Ok("its pipe has another mode");
        }
        let own = fs::read_dir("/proc/self/fd")?.count();
        let open = fs::read_dir(format!("/proc/{successor}/fd"))?.count();
        // Without the descriptor of its own folder that this process reads.
        Ok(if open + 1 > own { "it was given a descriptor" } else { "" })
    }
}

fn is_caller(pid: i32) -> bool {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    CALLER.to_str().is_ok_and(|caller| name.trim_end() == caller)
}

fn mode() -> io::Result<u32> {
    // SAFETY: the number is open for as long as this process lives.
    let pipe = unsafe { std::os::fd::BorrowedFd::borrow_raw(NUMBER) };
    Ok(rustix::fs::fstat(pipe)?.st_mode)
}

/// `clone3` with a number of choice; zero in the child.
fn numbered(number: i32) -> io::Result<i32> {
    let numbers = [number];
    let mut args = [0u64; 11];
    args[4] = libc::SIGCHLD as u64;
    args[8] = numbers.as_ptr().expose_provenance() as u64;
    args[9] = 1;
    small(sys!(SYS_clone3, args.as_ptr(), size_of_val(&args))?)
}

/// The successor: an ordinary process of the user whom the box runs as, which can be looked at and does nothing.
fn idle() -> ! {
    const HEADER: [u32; 2] = [0x2008_0522, 0];
    if rustix::process::geteuid().is_root() {
        drop(sys!(SYS_setgroups, 0, 0));
        drop(sys!(SYS_setresgid, NOBODY, NOBODY, NOBODY));
        drop(sys!(SYS_setresuid, NOBODY, NOBODY, NOBODY));
    }
    drop(sys!(SYS_capset, &HEADER, &[0u32; 6]));
    drop(sys!(SYS_prctl, libc::PR_SET_DUMPABLE, 1));
    loop {
        nap(1000);
    }
}

/// Waits until the successor is what it is going to be.
fn asleep(pid: i32) -> io::Result<()> {
    let pid = u32::try_from(pid).map_err(io::Error::other)?;
    let end = Instant::now() + PATIENCE;
    while processes::state(pid) != Some('S') {
        if Instant::now() > end {
            return Err(io::Error::other("the successor does not come to rest"));
        }
        nap(1);
    }
    Ok(())
}

fn end(pid: i32) -> io::Result<()> {
    sys!(SYS_kill, pid, libc::SIGKILL)?;
    wait(pid).map(drop)
}
