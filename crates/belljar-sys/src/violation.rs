//! The end of a process that did what it had not promised: its filter sends it `SIGSYS`, and the handler here says which call
//! it was before it ends the process by that signal.
//!
//! Everything below runs in a signal handler: it allocates nothing, takes no lock, and calls only `write` and what ends it.

use core::sync::atomic::{AtomicUsize, Ordering};

use syscalls::Sysno;

use crate::abi::SigAction;
use crate::call::{self, Errno, Result, raw};

/// Says what a call is called and which promise it takes; empty texts where that is unknown. Runs in a signal handler: it must
/// not allocate, lock, or panic.
pub type Tell = fn(number: u32, args: &[u64; 6]) -> (&'static str, &'static str);

/// The [`Tell`] in use, as an address; 0 = none.
static TELL: AtomicUsize = AtomicUsize::new(0);

const SIGSYS: usize = 31;
/// `SYS_SECCOMP`: the signal comes from a filter.
const BY_FILTER: i32 = 1;
/// Number of a call that every filter of promises refuses and that no kernel has had for twenty years (`create_module`).
const REFUSED: Sysno = Sysno::create_module;

const SA_SIGINFO: u64 = 4;
const SA_ONSTACK: u64 = 0x0800_0000;
const SA_RESTORER: u64 = 0x0400_0000;

core::arch::global_asm!(
    ".pushsection .text.belljar_violation_return,\"ax\",@progbits",
    "belljar_violation_return:",
    "mov eax, 15",
    "syscall",
    "ud2",
    ".popsection",
);

unsafe extern "C" {
    safe fn belljar_violation_return();
}

/// What the kernel says of the signal (`siginfo_t` of `SIGSYS`).
#[repr(C)]
struct Info {
    signal: i32,
    errno: i32,
    code: i32,
    pad: i32,
    address: usize,
    number: u32,
    arch: u32,
}
const _: () = assert!(size_of::<Info>() == 32);

/// The registers of the interrupted thread (the start of `ucontext_t`).
#[repr(C)]
struct Context {
    flags: u64,
    link: u64,
    stack: [u64; 3],
    r8: u64,
    r9: u64,
    r10: u64,
    r11_to_r15: [u64; 5],
    rdi: u64,
    rsi: u64,
    rbp: u64,
    rbx: u64,
    rdx: u64,
}

/// Lets this process say what it violated. Of several calls the last one counts.
///
/// # Errors
/// The kernel's.
pub fn announce(tell: Tell) -> Result<()> {
    TELL.store((tell as *const ()).expose_provenance(), Ordering::SeqCst);
    let handler = (violated as *const ()).expose_provenance();
    let restorer = (belljar_violation_return as *const ()).expose_provenance();
    let action = SigAction { handler, flags: SA_SIGINFO | SA_ONSTACK | SA_RESTORER, restorer, mask: 0 };
    let at = (&raw const action).expose_provenance();
    // SAFETY: `action` lives until the call returns; the handler and its return path are code of this program, and the
    // handler never returns.
    unsafe { raw(Sysno::rt_sigaction, [SIGSYS, at, 0, 8, 0, 0]) }.map(drop)
}

extern "C" fn violated(_signal: i32, info: *const Info, context: *const Context) {
    // SAFETY: with SA_SIGINFO the kernel passes both, on this thread's stack.
    let info = unsafe { &*info };
    // SAFETY: as above.
    let context = unsafe { &*context };
    if info.code == BY_FILTER {
        let args = [context.rdi, context.rsi, context.rdx, context.r10, context.r8, context.r9];
        say(info.number, &args);
    }
    end();
}

fn say(number: u32, args: &[u64; 6]) {
    let address = TELL.load(Ordering::SeqCst);
    if address == 0 {
        return;
    }
    // SAFETY: `announce` stored a `Tell` there, and nothing else does.
    let tell =
        unsafe { core::mem::transmute::<*const (), Tell>(core::ptr::with_exposed_provenance(address)) };
    let (name, promise) = tell(number, args);
    let mut line = Line { bytes: [0; 160], len: 0 };
    line.add("belljar: ");
    if name.is_empty() {
        line.number(number)
    } else {
        line.add(name)
    }
    if promise.is_empty() {
        line.add(" refused: no promise holds it\n");
    } else {
        line.add(" refused: not promised: ");
        line.add(promise);
        line.add("\n");
    }
    // Where even this is not promised, the process ends here.
    call::unheard(call::write(2, line.text()));
}

/// The signal is blocked while its handler runs: a second one ends the process, whoever else handles it.
fn end() -> ! {
    // SAFETY: no pointer; no kernel does anything here.
    call::unheard(unsafe { raw(REFUSED, [0; 6]) });
    call::exit(128 + 31)
}

struct Line {
    bytes: [u8; 160],
    len: usize,
}

impl Line {
    fn add(&mut self, text: &str) {
        for byte in text.bytes() {
            if let Some(place) = self.bytes.get_mut(self.len) {
                *place = byte;
                self.len = self.len.wrapping_add(1);
            }
        }
    }

    fn number(&mut self, number: u32) {
        let (mut digits, mut left) = ([b'0'; 10], number);
        for digit in digits.iter_mut().rev() {
            *digit = b'0'.wrapping_add(u8::try_from(left % 10).unwrap_or(0));
            left /= 10;
        }
        self.add("call ");
        let text = core::str::from_utf8(&digits).unwrap_or("");
        let text = text.trim_start_matches('0');
        self.add(if text.is_empty() { "0" } else { text });
    }

    fn text(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

/// Loads a filter for every thread of this process, now and later.
///
/// # Errors
/// `ESRCH` when a thread has a filter that this one cannot be put on; then no thread has it. Otherwise the kernel's.
pub fn seccomp_all(filter: &[crate::abi::SockFilter]) -> Result<()> {
    const TSYNC: usize = 1;
    let len = u16::try_from(filter.len()).map_err(|_| Errno::INVAL)?;
    let program = crate::abi::SockFprog { len, filter: filter.as_ptr() };
    let at = (&raw const program).expose_provenance();
    // SAFETY: the program and its instructions are borrowed until the call returns; the kernel copies them.
    match unsafe { raw(Sysno::seccomp, [1, TSYNC, at, 0, 0, 0]) }? {
        0 => Ok(()),
        _ => Err(Errno(3)),
    }
}

/// Enforces a ruleset for every thread, where the kernel can (Landlock's version 8).
///
/// # Errors
/// `EINVAL` on kernels that cannot.
pub fn landlock_restrict_all(ruleset: call::Fd) -> Result<()> {
    const TSYNC: usize = 8;
    // SAFETY: no pointer.
    unsafe { raw(Sysno::landlock_restrict_self, [call::int(ruleset), TSYNC, 0, 0, 0, 0]) }.map(drop)
}

/// Whether a process has threads beside the calling one, as far as the kernel tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// The caller is the only one.
    One,
    /// There are others.
    Several,
    /// A filter around the process, as container engines load it, refuses the question.
    Untold,
}

/// Asks the kernel; changes nothing.
#[must_use]
pub fn threads() -> Threads {
    const CLONE_THREAD: usize = 0x10000;
    const INVALID: Errno = Errno(22);
    // SAFETY: no pointer; it changes nothing, and succeeds only for a process of one thread.
    match unsafe { raw(Sysno::unshare, [CLONE_THREAD, 0, 0, 0, 0, 0]) } {
        Ok(_) => Threads::One,
        Err(INVALID) => Threads::Several,
        Err(_) => Threads::Untold,
    }
}
