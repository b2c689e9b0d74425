//! A process confines itself: OpenBSD's `pledge` and `unveil`, and a policy for what is running already.
//!
//! ```no_run
//! # fn work() -> Result<(), Box<dyn std::error::Error>> {
//! belljar::unveil("/usr/share/dict", "r")?;
//! belljar::pledge("stdio rpath")?; // locks what is unveiled
//! let words = std::fs::read_to_string("/usr/share/dict/words")?;
//! belljar::pledge("stdio")?; // only ever fewer
//! # Ok(()) }
//! ```

mod error;
mod policy;
mod veil;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use belljar_bpf::{Action, Filter, Promises, parse_condition, syscall_name, syscall_number};
use belljar_sys::abi::SockFilter;
use belljar_sys::call;
use belljar_sys::violation::{self, Threads};

pub use error::ConfineError;
pub(crate) use error::kernel;
pub use policy::confine;
pub(crate) use policy::enter;
use veil::Unveiled;

/// What this process has promised and unveiled. The kernel's state belongs to the process as well.
#[derive(Debug)]
struct State {
    promises: Option<Promises>,
    unveiled: Vec<Unveiled>,
    /// No path is added any more, and the kernel holds the list.
    locked: bool,
    /// A policy holds.
    policy: bool,
}

static STATE: Mutex<State> =
    Mutex::new(State { promises: None, unveiled: Vec::new(), locked: false, policy: false });

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the caller is the only thread of its process, by the kernel's list where a filter refuses to tell.
fn is_alone() -> bool {
    match violation::threads() {
        Threads::One => true,
        Threads::Several => false,
        Threads::Untold => std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1),
    }
}

pub(crate) const NO_NEW_PRIVS: u32 = 38;
const LIMITED: &str = "a promise that is bound to paths";

/// Promises that this process, all its threads, and whatever it starts do no more than these words say. Any other system call
/// ends the process by `SIGSYS`, with a line on descriptor 2 that names the call and the promise it takes; with the promise
/// `error` it fails with `ENOSYS` instead.
///
/// Later calls can only promise less. Without `unveil` in the words, what [`unveil`] collected is locked. What each word
/// allows: `docs/promises.md`.
///
/// # Errors
/// A word that is no promise or has no meaning on Linux, a promise that was given up before, promises that the kernel cannot
/// hold beside unveiled paths, promises bound to paths (`dns`, `getpw`, `tty`, `tmppath`, `ps`, `vminfo`, unless `rpath` and the
/// like reach them anyhow) where Landlock cannot restrict all threads, or a step that the kernel refuses.
///
/// ```no_run
/// let rules = std::fs::read_to_string("/etc/app/rules")?;
/// belljar::pledge("stdio")?; // what was read is parsed with nothing in reach
/// println!("{} rules", rules.lines().count());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn pledge(promises: &str) -> Result<(), ConfineError> {
    let new: Promises = promises.parse()?;
    let mut state = state();
    if let Some(beyond) = state.promises.and_then(|old| new.beyond(old).next()) {
        return Err(ConfineError::Widens { promise: beyond.name() });
    }
    refuse_veiled(&state, new)?;
    if new.has("sendfd") && state.promises.is_none() {
        refuse_open_folders()?;
    }
    let filter = filter(new)?;
    hold_paths(&mut state, new)?;
    // With `error` too: a later set may be without it.
    if state.promises.is_none() {
        violation::announce(tell).map_err(kernel("handling SIGSYS"))?;
    }
    call::prctl(NO_NEW_PRIVS, 1).map_err(kernel("no_new_privs"))?;
    violation::seccomp_all(&filter).map_err(kernel("loading the filter for all threads"))?;
    state.promises = Some(new);
    Ok(())
}

/// Keeps a path visible: `r` read and list, `w` write, `x` execute, `c` create and remove, below it too. Once locked, by
/// [`lock_unveil`] or a [`pledge`] without `unveil`, no other path can be opened, created, removed or run (`EACCES`). Until
/// then nothing is held.
///
/// That a hidden path exists can still be seen (`stat`): Landlock does not guard names. Attributes and sockets by path are
/// held by the filter of [`pledge`]. A program that is started by `belljar run --unveil` sees nothing else at all.
///
/// # Errors
/// Locked already, letters other than these, a path that does not exist, or one that was unveiled with less.
///
/// ```no_run
/// belljar::unveil("/etc/ssl", "r")?;
/// belljar::unveil("/var/cache/app", "rwc")?;
/// belljar::lock_unveil()?;
/// # Ok::<(), belljar::ConfineError>(())
/// ```
pub fn unveil(path: impl AsRef<Path>, permissions: &str) -> Result<(), ConfineError> {
    let mut state = state();
    if state.locked {
        return Err(ConfineError::Locked);
    }
    veil::add(&mut state.unveiled, path.as_ref(), permissions)
}

/// Hides every path that is not unveiled, for good.
///
/// # Errors
/// Locked already, a path with less than one above it, a promise that reaches hidden paths, a kernel whose Landlock is too old
/// or cannot restrict all threads of this process.
///
/// ```no_run
/// belljar::unveil("/srv/pictures", "r")?;
/// belljar::lock_unveil()?;
/// assert!(std::fs::File::open("/etc/passwd").is_err());
/// # Ok::<(), belljar::ConfineError>(())
/// ```
pub fn lock_unveil() -> Result<(), ConfineError> {
    let mut state = state();
    if state.locked {
        return Err(ConfineError::Locked);
    }
    veil::refuse_narrower_below(&state.unveiled)?;
    if let Some(promises) = state.promises {
        refuse_beside_veil(promises)?;
    }
    let reach = veil::able("unveil", "")?;
    veil::enforce(&state.unveiled, false, state.promises, reach)?;
    state.locked = true;
    Ok(())
}

/// Landlock guards neither attributes nor sockets by path.
const BEYOND_VEIL: &[(&str, &str)] = &[
    (
        "fattr",
        "Landlock does not guard attributes: change them before promising, or start the program with belljar run",
    ),
    (
        "chown",
        "Landlock does not guard owners: change them before promising, or start the program with belljar run",
    ),
    (
        "unix",
        "Landlock does not guard sockets by path: connect before promising, or start the program with belljar run",
    ),
];

fn refuse_veiled(state: &State, new: Promises) -> Result<(), ConfineError> {
    if state.unveiled.is_empty() && !state.locked {
        return Ok(());
    }
    veil::refuse_narrower_below(&state.unveiled)?;
    // Where more may be unveiled, this is asked again at the end.
    if new.has("unveil") && !state.locked { Ok(()) } else { refuse_beside_veil(new) }
}

fn refuse_beside_veil(promises: Promises) -> Result<(), ConfineError> {
    match BEYOND_VEIL.iter().find(|(promise, _)| promises.has(promise)) {
        Some((promise, why)) => Err(ConfineError::Veiled { promise, why }),
        None => Ok(()),
    }
}

/// No filter sees what is sent: a folder must not be open.
fn refuse_open_folders() -> Result<(), ConfineError> {
    let failed = |source| ConfineError::Kernel { step: "looking at open descriptors", source };
    let entries = std::fs::read_dir("/proc/self/fd").map_err(failed)?;
    // Paths alone: entries would keep the descriptor of this list open, which is a folder too.
    let open: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    let is_folder = |path: &&std::path::PathBuf| std::fs::metadata(path).is_ok_and(|file| file.is_dir());
    match open.iter().find(is_folder) {
        Some(path) => Err(ConfineError::OpenFolder {
            fd: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        }),
        None => Ok(()),
    }
}

/// Lets Landlock hold what the filter cannot see: which paths.
fn hold_paths(state: &mut State, new: Promises) -> Result<(), ConfineError> {
    let veils = !state.locked && !state.unveiled.is_empty() && !new.has("unveil");
    let bound = veil::bound_to_paths(new);
    let may_restrict = state.promises.is_none_or(|old| old.has("unveil"));
    match bound {
        // What an earlier pledge bound to paths stays bound.
        Some(promise) if !may_restrict && state.promises.and_then(veil::bound_to_paths) != Some(promise) => {
            return Err(ConfineError::NeedsUnveil { promise });
        }
        None if !veils => {}
        _ if !may_restrict => {}
        Some(_) => {
            let reach =
                veil::able(LIMITED, ", or promise rpath (for tmppath also wpath and cpath) beside it")?;
            veil::enforce(&state.unveiled, !veils, Some(new), reach)?;
        }
        None => {
            let reach = veil::able("unveil", "")?;
            veil::enforce(&state.unveiled, false, Some(new), reach)?;
        }
    }
    state.locked |= !new.has("unveil");
    Ok(())
}

/// The promises' filter, with what a process needs to end itself by a signal, and the handler's own signal out of reach.
fn filter(promises: Promises) -> Result<Vec<SockFilter>, ConfineError> {
    let mut builder = promises.rules(Action::Trap)?;
    if promises.has("stdio") {
        let own = format!("arg0 == {}", rustix::process::getpid().as_raw_nonzero());
        builder = planned(builder, "tgkill", &own, Action::Allow)?;
        builder = planned(builder, "rt_sigaction", "arg0 == SIGSYS && arg1 != 0", Action::EPERM)?;
    }
    let insns = builder.compile()?;
    Ok(lower(&insns))
}

fn planned(
    builder: belljar_bpf::FilterBuilder,
    call: &'static str,
    when: &str,
    action: Action,
) -> Result<belljar_bpf::FilterBuilder, ConfineError> {
    let condition = |source| belljar_bpf::RuleError::Condition { syscall: call.to_owned(), source };
    let when = parse_condition(when).map_err(condition)?;
    Ok(builder.planned(syscall_number(call).unwrap_or(u32::MAX), Some(&when), action)?)
}

fn lower(filter: &Filter) -> Vec<SockFilter> {
    let insn = |insn: &belljar_bpf::Insn| SockFilter { code: insn.code, jt: insn.jt, jf: insn.jf, k: insn.k };
    filter.insns().iter().map(insn).collect()
}

/// Runs in a signal handler: looks into constant tables and nowhere else.
fn tell(number: u32, args: &[u64; 6]) -> (&'static str, &'static str) {
    let promise = belljar_bpf::promise_for(number, args).unwrap_or("");
    (syscall_name(number).unwrap_or(""), promise)
}
