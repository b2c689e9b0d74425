//! The jar's network, made by a process of its own while init builds the root. A network namespace takes the kernel longer
//! than all others together; on two processors it is ready when the root is.

use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicI32, Ordering};

use linux_raw_sys::general as g;

use super::init::clone_on_stack;
use super::network;
use crate::call::{self, Errno, Fd, Result};

/// Stack of the process aside. It makes a few system calls.
const STACK: usize = 4096;
/// The ioctl that opens the network namespace of a socket.
const SIOCGSKNS: u32 = 0x894C;

/// The process that makes the network, as init sees it.
#[derive(Debug)]
pub(crate) struct Aside {
    /// 0 = none was started.
    pid: i32,
    answers: Answers,
    stack: MaybeUninit<[u8; STACK]>,
}

/// What it leaves for init, who reads it when the process is gone. Error numbers are below 0.
#[derive(Debug)]
struct Answers {
    /// A socket of the new namespace, open in init's table too.
    made: AtomicI32,
    /// The loopback is up: 0.
    up: AtomicI32,
}

impl Aside {
    pub(crate) const fn new() -> Self {
        let answers = Answers { made: AtomicI32::new(-1), up: AtomicI32::new(-1) };
        Self { pid: 0, answers, stack: MaybeUninit::uninit() }
    }

    /// Starts the process.
    pub(super) fn begin(&mut self) -> Result<()> {
        let top = self.stack.as_mut_ptr().cast::<u8>().wrapping_add(STACK);
        let arg = (&raw mut self.answers).cast();
        // SAFETY: stack and answers lie in `self`, which outlives the process: init's `run` holds it and never returns, and
        // with init all of its PID namespace ends. Nobody else uses the stack; `make` never returns.
        let pid = unsafe { clone_on_stack(u64::from(g::CLONE_VM | g::CLONE_FILES), top, make, arg) };
        if pid < 0 {
            return Err(Errno(i32::try_from(pid.unsigned_abs()).unwrap_or(0)));
        }
        self.pid = i32::try_from(pid).unwrap_or(0);
        Ok(())
    }

    /// Waits for its end and enters the namespace that it made.
    pub(super) fn join(&self) -> Result<()> {
        call::wait_for(self.pid)?;
        let socket = answer(&self.answers.made)?;
        let namespace = call::ioctl(socket, SIOCGSKNS, 0)?;
        call::enter_namespace(Fd::try_from(namespace).unwrap_or(-1), g::CLONE_NEWNET)
    }

    /// Brings the loopback up, or says how the process fared with it.
    pub(super) fn loopback(&self) -> Result<()> {
        if self.pid == 0 { network::loopback() } else { answer(&self.answers.up).map(drop) }
    }
}

fn answer(of: &AtomicI32) -> Result<i32> {
    let value = of.load(Ordering::Acquire);
    if value < 0 { Err(Errno(value.wrapping_neg())) } else { Ok(value) }
}

fn told(result: Result<i32>) -> i32 {
    result.unwrap_or_else(|Errno(number)| number.wrapping_neg())
}

extern "C" fn make(arg: *mut u8) -> ! {
    // SAFETY: `begin` passes its `Answers`, which live as long as this process and are atomics.
    let answers = unsafe { &*arg.cast::<Answers>() };
    let socket = call::unshare(g::CLONE_NEWNET).and_then(|()| network::fresh_socket());
    if let Ok(socket) = socket {
        answers.up.store(told(network::raise_loopback(socket).map(|()| 0)), Ordering::Release);
    }
    answers.made.store(told(socket), Ordering::Release);
    call::exit(0)
}
