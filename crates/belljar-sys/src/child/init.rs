//! Init: runs its ops, starts the program, reaps, passes signals on, and ends the tree.

use linux_raw_sys::general as g;

use super::Sequence;
use super::aside::Aside;
use super::op::{KEPT_MOUNTS, Op, State};
use super::rights::Rights;
use crate::abi::Rusage;
use crate::call::{self, Errno, Fd};
use crate::wire::{Command, Ended, Event, Failure, SIZE};

/// Whatever the caller's mask is, the jar's folders are what they are meant to be.
const MASK: u32 = 0o022;

/// What init and the program's process share until exec: they run on the same memory, one after the other.
struct Shared<'a> {
    sequence: &'a Sequence<'a>,
    state: State,
    failure: Option<Failure>,
}

/// The child's whole life.
pub(crate) fn run(sequence: &Sequence<'_>, status: Fd) -> ! {
    let aside = Aside::new();
    let state = State {
        status,
        terminal: -1,
        mask: -1,
        ruleset: -1,
        ticket: None,
        texts: [-1; 4],
        sent: Rights::none(),
        mounts: [-1; KEPT_MOUNTS],
        aside,
        clones_with: true,
        own_pids: sequence.own_pids,
        dies_with_parent: false,
        umask: call::umask(MASK),
    };
    let mut shared = Shared { sequence, state, failure: None };
    if let Err(failure) = apply(sequence.init, &mut shared.state, 0) {
        fail(status, failure);
    }
    // Where the caller ignores it, children would vanish without a word.
    if let Err(errno) = call::default_signal(g::SIGCHLD) {
        fail(status, Failure { phase: 0, at: u64::MAX, errno });
    }
    let program = match start(&mut shared) {
        Ok(pid) => pid,
        Err(errno) => fail(status, Failure { phase: 0, at: u64::MAX, errno }),
    };
    if let Some(failure) = shared.failure {
        fail(status, failure);
    }
    if sequence.announce && Event::Started.send(status).is_err() {
        end_tree(sequence);
    }
    attend(sequence, program, status)
}

fn fail(status: Fd, failure: Failure) -> ! {
    // The supervisor sees the closed socket when this cannot be sent.
    crate::call::unheard(Event::Failed(failure).send(status));
    call::exit(125)
}

fn apply(ops: &[Op<'_>], state: &mut State, phase: u64) -> Result<(), Failure> {
    let mut at = 0_u64;
    for op in ops {
        op.apply(state).map_err(|errno| Failure { phase, at, errno })?;
        at = at.wrapping_add(1);
    }
    Ok(())
}

/// Starts the program's process on init's memory; init sleeps until it has called exec or ended.
fn start(shared: &mut Shared<'_>) -> Result<i32, Errno> {
    let arg: *mut Shared<'_> = shared;
    let flags = u64::from(g::CLONE_VM | g::CLONE_VFORK | g::SIGCHLD);
    // SAFETY: the child goes on below init's own stack, whose pages need not be touched beforehand. Init uses neither until
    // the child leaves this memory: the kernel suspends it (CLONE_VFORK). `program` never returns and reads `arg` only.
    let pid = unsafe { clone_on_stack(flags, core::ptr::null_mut(), program, arg.cast()) };
    if pid < 0 {
        Err(Errno(i32::try_from(pid.unsigned_abs()).unwrap_or(0)))
    } else {
        Ok(i32::try_from(pid).unwrap_or(0))
    }
}

/// The program's process: its ops, the last of which is exec.
extern "C" fn program(arg: *mut u8) -> ! {
    // SAFETY: `start` passes a `Shared` that it borrows mutably and does not touch while this process uses its memory.
    let shared = unsafe { &mut *arg.cast::<Shared<'_>>() };
    let ops = shared.sequence.program;
    if shared.state.umask != MASK {
        call::umask(shared.state.umask);
    }
    let failure = match apply(ops, &mut shared.state, 1) {
        Err(failure) => failure,
        Ok(()) => Failure { phase: 1, at: u64::MAX, errno: Errno::INVAL },
    };
    shared.failure = Some(failure);
    call::exit(125)
}

/// `clone(2)` with shared memory, for a child that only waits to be ended: by whoever started it, with him, at once when he was
/// gone before that was asked for, and after ten seconds in any case.
///
/// # Safety
/// `flags` hold `CLONE_VM`, without which the child would share nothing but cost a copy; all signals are blocked: no handler may
/// run on the stack, which is the caller's.
pub(crate) unsafe fn clone_waiting(flags: u64) -> isize {
    let parent = call::getpid();
    let result: isize;
    // SAFETY: the child touches neither stack nor memory: it makes its calls from registers and never comes back. The parent
    // sees an ordinary system call that clobbers rcx and r11.
    unsafe {
        core::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            // prctl(PR_SET_PDEATHSIG, SIGKILL)
            "mov eax, 157",
            "mov edi, 1",
            "mov esi, 9",
            "syscall",
            // getppid() == r12, or to the end
            "mov eax, 110",
            "syscall",
            "cmp rax, r12",
            "jne 3f",
            // poll(NULL, 0, 10000)
            "mov eax, 7",
            "xor edi, edi",
            "xor esi, esi",
            "mov edx, 10000",
            "syscall",
            // exit_group(125)
            "3:",
            "mov eax, 231",
            "mov edi, 125",
            "syscall",
            "ud2",
            "2:",
            inlateout("rax") 56_isize => result,
            in("rdi") flags,
            in("rsi") 0,
            in("rdx") 0,
            in("r10") 0,
            in("r8") 0,
            in("r12") parent,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// `clone(2)` with shared memory (`CLONE_VM` is among `flags`): the child calls `entry(arg)` on its own stack, or, where that
/// is null, below the caller's.
///
/// # Safety
/// `stack` is the end of a stack that nobody else uses until the child leaves this memory, or null while `CLONE_VFORK` is
/// among `flags`; `entry` never returns.
pub(crate) unsafe fn clone_on_stack(
    flags: u64,
    stack: *mut u8,
    entry: extern "C" fn(*mut u8) -> !,
    arg: *mut u8,
) -> isize {
    let top = stack.map_addr(|address| address & !0xF);
    let result: isize;
    // SAFETY: the child never comes back to this frame: it calls `entry` on its own stack, or below all that lives on the
    // caller's (the stack is one that a call may be made on, as the options do not say otherwise). The parent sees an
    // ordinary system call that clobbers rcx and r11.
    unsafe {
        core::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r13",
            "call r12",
            "ud2",
            "2:",
            inlateout("rax") 56_isize => result,
            in("rdi") flags,
            in("rsi") top,
            in("rdx") 0,
            in("r10") 0,
            in("r8") 0,
            in("r12") entry,
            in("r13") arg,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    result
}

/// Waits for the program, for commands, and for the end of the supervisor.
fn attend(sequence: &Sequence<'_>, program: i32, status: Fd) -> ! {
    // Nothing of the caller stays open here: readers of the program's output must see its end.
    let mut errands = sequence.errands;
    if sequence.close_after_start && super::action::close_all_but(status, errands).is_err() {
        end_tree(sequence);
    }
    let Ok(children) = call::signalfd(1 << (g::SIGCHLD.wrapping_sub(1))) else { end_tree(sequence) };
    let mut spent = Rusage::default();
    // What ended before the descriptor was there is still pending: every signal is blocked.
    loop {
        match call::poll_each([children, status, errands]) {
            Ok([ended, commanded, asked]) => {
                if ended {
                    look(sequence, program, status, &mut spent);
                    // A child that ends after this makes it readable again; one that ended before is looked for below.
                    drain(children);
                    look(sequence, program, status, &mut spent);
                }
                if commanded {
                    obey(sequence, program, status);
                }
                if asked {
                    errands = run_errand(errands);
                }
            }
            Err(Errno::INTR) => {}
            Err(_) => end_tree(sequence),
        }
    }
}

/// Reaps, and ends with the program.
fn look(sequence: &Sequence<'_>, program: i32, status: Fd, spent: &mut Rusage) {
    match reap(program, spent) {
        (Some(result), true) => {
            kill_rest(sequence);
            call::children_usage(spent);
            finish(sequence, result, status, spent);
        }
        (Some(result), false) => finish(sequence, result, status, spent),
        (None, _) => {}
    }
}

fn drain(children: Fd) {
    let mut info = [0_u8; 128];
    crate::call::unheard(call::read(children, &mut info));
}

/// Collects every child that has ended, and what it and those below it have used: the program's status when it is among them,
/// and whether others live. Without a child there is no process below either: orphans become init's children.
fn reap(program: i32, spent: &mut Rusage) -> (Option<i32>, bool) {
    let mut result = None;
    let mut usage = Rusage::default();
    loop {
        match call::wait_any(true, &mut usage) {
            Ok((0, _)) => return (result, true),
            Ok((pid, status)) => {
                spent.gather(&usage);
                if pid == program {
                    result = Some(status);
                }
            }
            Err(Errno::INTR) => {}
            Err(errno) => return (result, errno != Errno::CHILD),
        }
    }
}

fn obey(sequence: &Sequence<'_>, program: i32, status: Fd) {
    let mut bytes = [0_u8; 2];
    match call::read(status, &mut bytes) {
        Ok(2) => {}
        Err(Errno::INTR) => return,
        // The supervisor is gone: so is the jar.
        _ => end_tree(sequence),
    }
    let sent = match Command::decode(bytes) {
        Some(Command::Signal(signal)) => call::kill(program, i32::from(signal)),
        Some(Command::SignalGroup(signal)) => call::kill(program.wrapping_neg(), i32::from(signal)),
        _ => end_tree(sequence),
    };
    // A program that has just ended needs no signal.
    crate::call::unheard(sent);
}

/// One request for a socket of the jar's network, answered with one; -1 when nobody will ask again.
fn run_errand(errands: Fd) -> Fd {
    let mut bytes = [0_u8; 2];
    let done = match call::read(errands, &mut bytes) {
        Ok(2) => match Command::decode(bytes) {
            Some(Command::Socket) => super::network::fresh(errands, false),
            Some(Command::SocketOfBoth) => super::network::fresh(errands, true),
            _ => Err(Errno::INVAL),
        },
        Err(Errno::INTR) => return errands,
        _ => Err(Errno::PIPE),
    };
    // A socket that cannot be made ends the errands, not the jar: the asker sees the end.
    if done.is_ok() {
        return errands;
    }
    call::close(errands);
    -1
}

/// Tells the supervisor: when it hears of the end, nothing else lives.
fn finish(sequence: &Sequence<'_>, result: i32, status: Fd, usage: &Rusage) -> ! {
    // Who succeeded has no need of an explanation, and no time for it.
    let unrouted = if result != 0 && sequence.own_pids { super::unrouted::count() } else { 0 };
    let ended = Ended { unrouted, ..ended(result, usage) };
    crate::call::unheard(Event::Ended(ended).send(status));
    call::exit(0)
}

fn ended(status: i32, usage: &Rusage) -> Ended {
    let micros = |seconds: i64, rest: i64| {
        let total = seconds.saturating_mul(1_000_000).saturating_add(rest);
        u64::try_from(total).unwrap_or(0)
    };
    Ended {
        status,
        user_us: micros(usage.user_sec, usage.user_usec),
        system_us: micros(usage.system_sec, usage.system_usec),
        max_rss_kib: u64::try_from(usage.maxrss).unwrap_or(0),
        unrouted: 0,
    }
}

/// The supervisor is gone or lost: no one to tell.
fn end_tree(sequence: &Sequence<'_>) -> ! {
    kill_rest(sequence);
    call::exit(125)
}

/// Kills and reaps until no child is left.
fn kill_rest(sequence: &Sequence<'_>) {
    if sequence.own_pids {
        // Everything in this PID namespace but init itself.
        crate::call::unheard(call::kill(-1, 9));
        while call::wait_any(false, &mut Rusage::default()).is_ok_and(|(pid, _)| pid != 0) {}
        return;
    }
    super::tree::kill_descendants();
}

const _: () = assert!(SIZE == 64);
