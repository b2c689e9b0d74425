//! The threads of a supervisor that answer calls, stopped at each of their system calls.

use std::collections::HashMap;
use std::fs;
use std::io;

use super::kernel::{nap, small, sys};
use crate::processes;

/// `SECCOMP_IOCTL_NOTIF_RECV`.
const RECEIVE: u64 = 0xC050_2100;
/// Where a record of a call has the number of its caller.
const CALLER: u64 = 8;
const ENTRY: u8 = 1;
const EXIT: u8 = 2;
/// The kernel's word for a stop at a system call.
const AT_CALL: i32 = libc::SIGTRAP | 0x80;

/// `struct ptrace_syscall_info`, as far as it is used.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Call {
    kind: u8,
    rest: [u8; 23],
    /// Number of the call, or its result.
    number: u64,
    args: [u64; 6],
    more: [u64; 4],
}

/// What stands between two stops.
enum Stop {
    Enters(Call),
    Leaves(u64),
    /// Neither: a signal, or a beginning.
    Other,
    Gone,
}

/// How a thread goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It stands still behind another system call.
    Another,
    /// It has given its answer, and waits for the next call.
    Answered,
    /// It waits for another thread.
    Rests,
}

/// One thread: the call that it is in.
#[derive(Clone, Copy, Default)]
struct Thread {
    call: Call,
}

/// The threads.
pub(super) struct Steps {
    supervisor: u32,
    name: &'static str,
    threads: HashMap<i32, Thread>,
    /// The one that has received a call and stands still.
    serving: Option<i32>,
}

impl Steps {
    /// Those of this name.
    pub(super) fn of(supervisor: u32, name: &'static str) -> Steps {
        Steps { supervisor, name, threads: HashMap::new(), serving: None }
    }

    /// The supervisor is no more.
    pub(super) fn is_over(&self) -> bool {
        matches!(processes::state(self.supervisor), None | Some('Z'))
    }

    /// The caller of the next call, as soon as a thread has received it, which stands still then; none when the supervisor ended.
    pub(super) fn caller(&mut self) -> io::Result<Option<i32>> {
        let received = self.received()?;
        self.serving = received.map(|(thread, _)| thread);
        Ok(received.map(|(_, caller)| caller))
    }

    /// Lets the thread that stands still make so many system calls more.
    pub(super) fn make(&mut self, count: u32) -> io::Result<Next> {
        let mut next = Next::Another;
        for _ in 0..count {
            if next == Next::Another {
                next = self.on()?;
            }
        }
        Ok(next)
    }

    /// Lets the thread go on until it waits.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        while self.on()? == Next::Another {}
        Ok(())
    }

    fn on(&mut self) -> io::Result<Next> {
        let Some(thread) = self.serving else { return Ok(Next::Rests) };
        let next = self.left_another(thread)?;
        if next != Next::Another {
            self.serving = None;
        }
        Ok(next)
    }

    /// Waits until no thread is left of a supervisor that ends: it is not over before.
    pub(super) fn outlive(&mut self) -> io::Result<()> {
        for thread in self.threads.keys().copied().collect::<Vec<_>>() {
            while !matches!(self.stop(thread, 0)?, Some(Stop::Gone)) {
                go_on(thread)?;
            }
        }
        Ok(())
    }

    /// Waits until some thread has received a call: the thread, which stands still, and the caller.
    fn received(&mut self) -> io::Result<Option<(i32, i32)>> {
        while !self.is_over() {
            self.seize()?;
            for thread in self.threads.keys().copied().collect::<Vec<_>>() {
                match self.stop(thread, libc::WNOHANG)? {
                    Some(Stop::Leaves(0)) if self.receives(thread) => {
                        return Ok(Some((thread, self.maker(thread)?)));
                    }
                    Some(Stop::Gone) | None => {}
                    Some(_) => go_on(thread)?,
                }
            }
            nap(1);
        }
        Ok(None)
    }

    /// Lets a thread go on until it has made another system call, or makes one that waits.
    fn left_another(&mut self, thread: i32) -> io::Result<Next> {
        loop {
            go_on(thread)?;
            let waits = match self.stop(thread, 0)? {
                Some(Stop::Leaves(_)) => return Ok(Next::Another),
                Some(Stop::Enters(call)) if is_receipt(&call) => Next::Answered,
                Some(Stop::Enters(call)) if is_rest(&call) => Next::Rests,
                Some(Stop::Gone) | None => return Ok(Next::Rests),
                Some(_) => continue,
            };
            return go_on(thread).map(|()| waits);
        }
    }

    /// Takes hold of threads that it has not seen.
    fn seize(&mut self) -> io::Result<()> {
        let Ok(entries) = fs::read_dir(format!("/proc/{}/task", self.supervisor)) else { return Ok(()) };
        for entry in entries.flatten() {
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            let Ok(thread) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
            if name.trim_end() == self.name && !self.threads.contains_key(&thread) {
                sys!(SYS_ptrace, libc::PTRACE_SEIZE, thread, 0, libc::PTRACE_O_TRACESYSGOOD)?;
                sys!(SYS_ptrace, libc::PTRACE_INTERRUPT, thread, 0, 0)?;
                self.threads.insert(thread, Thread::default());
            }
        }
        Ok(())
    }

    /// The next stop of a thread; none when it has not come.
    fn stop(&mut self, thread: i32, how: i32) -> io::Result<Option<Stop>> {
        let mut status = 0i32;
        match sys!(SYS_wait4, thread, &mut status, libc::__WALL | how, 0) {
            Ok(0) => return Ok(None),
            Ok(_) if libc::WIFSTOPPED(status) => {}
            _ => {
                self.threads.remove(&thread);
                return Ok(Some(Stop::Gone));
            }
        }
        if libc::WSTOPSIG(status) != AT_CALL {
            return Ok(Some(Stop::Other));
        }
        let mut call = Call::default();
        sys!(SYS_ptrace, libc::PTRACE_GET_SYSCALL_INFO, thread, size_of::<Call>(), &raw mut call)?;
        Ok(Some(match call.kind {
            ENTRY => {
                self.threads.insert(thread, Thread { call });
                Stop::Enters(call)
            }
            EXIT => Stop::Leaves(call.number),
            _ => Stop::Other,
        }))
    }

    fn receives(&self, thread: i32) -> bool {
        self.threads.get(&thread).is_some_and(|thread| is_receipt(&thread.call))
    }

    /// Who made the call that a thread has just received.
    fn maker(&self, thread: i32) -> io::Result<i32> {
        let record = self.threads.get(&thread).map_or(0, |thread| thread.call.args[2]);
        let mut word = 0i32;
        let (own, other) = ([(&raw mut word) as u64, 4], [record + CALLER, 4]);
        small(sys!(SYS_process_vm_readv, thread, &own, 1, &other, 1, 0)?)?;
        Ok(word)
    }
}

fn is_receipt(call: &Call) -> bool {
    call.number == libc::SYS_ioctl as u64 && call.args[1] == RECEIVE
}

/// `FUTEX_WAIT` and `FUTEX_WAIT_BITSET`.
fn is_rest(call: &Call) -> bool {
    call.number == libc::SYS_futex as u64 && matches!(call.args[1] & 0x7F, 0 | 9)
}

/// To the next stop.
fn go_on(thread: i32) -> io::Result<()> {
    match sys!(SYS_ptrace, libc::PTRACE_SYSCALL, thread, 0, 0) {
        Err(error) if error.raw_os_error() != Some(libc::ESRCH) => Err(error),
        _ => Ok(()),
    }
}
