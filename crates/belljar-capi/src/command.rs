//! Commands.

use std::ffi::{c_char, c_int};
use std::time::Duration;

use belljar::Stdio as Source;

use crate::boundary::{copy, text};
use crate::child::Child;
use crate::fault::{Fault, done, guard};
use crate::policy::Policy;
use crate::report::Report;

/// A program to run under a policy. Any thread may use it, one at a time; one command starts any number of jars.
#[derive(Debug)]
pub struct Command(belljar::Command);

/// Where a standard descriptor of the program comes from.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdio {
    /// The caller's own.
    Inherit = 0,
    /// Nothing to read, and writes vanish.
    Null = 1,
    /// A pipe; belljar_child_take_fd gives the other end.
    Piped = 2,
}

/// A command under this policy. Without a word more it has the caller's standard descriptors, no arguments, and of the caller's
/// variables those that the policy names.
///
/// # Safety
/// `program` is NULL or a NUL-terminated text; `policy` is NULL or was made by this library and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn belljar_command_new(
    program: *const c_char,
    policy: Option<&Policy>,
) -> Option<Box<Command>> {
    guard(None, || {
        // SAFETY: as this function's.
        let mut command = belljar::Command::new(unsafe { text(program, "program") }?);
        command.policy(policy.ok_or(Fault::Null("policy"))?.0.clone());
        Ok(Some(Box::new(Command(command))))
    })
}

fn known(command: Option<&mut Command>) -> Result<&mut belljar::Command, Fault> {
    command.map(|command| &mut command.0).ok_or(Fault::Null("command"))
}

/// Adds an argument. 0, or -1 on failure.
///
/// # Safety
/// `command` is NULL or a living command; `arg` is NULL or a NUL-terminated text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn belljar_command_arg(command: Option<&mut Command>, arg: *const c_char) -> c_int {
    done(|| {
        // SAFETY: as this function's.
        known(command)?.arg(unsafe { text(arg, "arg") }?);
        Ok(())
    })
}

/// Sets a variable of the program, whatever the policy says about the caller's; with NULL for a value, keeps it away. 0, or -1 on
/// failure.
///
/// # Safety
/// `command` is NULL or a living command; `name` and `value` are NULL or NUL-terminated texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn belljar_command_env(
    command: Option<&mut Command>,
    name: *const c_char,
    value: *const c_char,
) -> c_int {
    done(|| {
        // SAFETY: as this function's.
        let name = unsafe { text(name, "name") }?;
        if value.is_null() {
            known(command)?.env_remove(name);
            return Ok(());
        }
        // SAFETY: as this function's.
        known(command)?.env(name, unsafe { text(value, "value") }?);
        Ok(())
    })
}

/// Folder that the program starts in, where the jar has it. 0, or -1 on failure.
///
/// # Safety
/// `command` is NULL or a living command; `folder` is NULL or a NUL-terminated text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn belljar_command_current_dir(
    command: Option<&mut Command>,
    folder: *const c_char,
) -> c_int {
    done(|| {
        // SAFETY: as this function's.
        known(command)?.current_dir(unsafe { text(folder, "folder") }?);
        Ok(())
    })
}

/// Wall-clock limit in milliseconds; the whole tree is ended when it is reached. 0, or -1 on failure.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_command_timeout(command: Option<&mut Command>, milliseconds: u64) -> c_int {
    done(|| {
        known(command)?.timeout(Duration::from_millis(milliseconds));
        Ok(())
    })
}

/// Where standard descriptor `stream` (0, 1 or 2) comes from: a value of belljar_stdio. 0, or -1 on failure.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_command_stdio(command: Option<&mut Command>, stream: c_int, from: c_int) -> c_int {
    done(|| {
        let from = match from {
            from if from == Stdio::Inherit as c_int => Source::Inherit,
            from if from == Stdio::Null as c_int => Source::Null,
            from if from == Stdio::Piped as c_int => Source::Piped,
            _ => return Err(Fault::NoSuch("source of a standard descriptor")),
        };
        set(known(command)?, stream, from)
    })
}

/// Makes a copy of descriptor `fd` standard descriptor `stream` (0, 1 or 2). The caller keeps its own. 0, or -1 on failure.
///
/// # Safety
/// `command` is NULL or a living command; no other thread closes `fd` meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn belljar_command_stdio_fd(
    command: Option<&mut Command>,
    stream: c_int,
    fd: c_int,
) -> c_int {
    done(|| {
        // SAFETY: as this function's.
        let own = unsafe { copy(fd) }?;
        set(known(command)?, stream, own.into())
    })
}

fn set(command: &mut belljar::Command, stream: c_int, from: Source) -> Result<(), Fault> {
    match stream {
        0 => command.stdin(from),
        1 => command.stdout(from),
        2 => command.stderr(from),
        _ => return Err(Fault::NoSuch("standard descriptor")),
    };
    Ok(())
}

/// Gives the program a copy of descriptor `fd` by name, for what it was opened for: its number stands in the program's variable
/// BELLJAR_FD_NAME. 0, or -1 on failure.
///
/// # Safety
/// `command` is NULL or a living command; `name` is NULL or a NUL-terminated text; no other thread closes `fd` meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn belljar_command_pass_fd(
    command: Option<&mut Command>,
    name: *const c_char,
    fd: c_int,
) -> c_int {
    done(|| {
        // SAFETY: as this function's.
        let name = unsafe { text(name, "name") }?;
        // SAFETY: as this function's.
        known(command)?.pass(name, unsafe { copy(fd) }?);
        Ok(())
    })
}

/// Starts the program; returns once its exec has succeeded. NULL on failure: nothing of the jar is left then.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_command_spawn(command: Option<&mut Command>) -> Option<Box<Child>> {
    guard(None, || Ok(Some(Box::new(Child::new(known(command)?.spawn()?)))))
}

/// Runs the program to its end. NULL on failure: it did not start, or could not be attended.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_command_run(command: Option<&mut Command>) -> Option<Box<Report>> {
    guard(None, || Ok(Some(Box::new(Report::new(&known(command)?.status()?)))))
}

/// Frees a command; NULL is nothing. Its children live on.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_command_free(command: Option<Box<Command>>) {
    guard((), || {
        drop(command);
        Ok(())
    });
}
