//! Running jars.

use std::ffi::c_int;
use std::os::fd::{IntoRawFd, OwnedFd};

use crate::fault::{Fault, done, guard};
use crate::report::Report;

/// A running jar. Any thread may use it, one at a time; belljar_killer ends it from another. Freeing it ends the jar.
#[derive(Debug)]
pub struct Child(belljar::Child);

/// Ends a jar, from any number of threads at the same time, also while one waits for it. It keeps nothing of the jar alive.
#[derive(Debug)]
pub struct Killer(belljar::Killer);

impl Child {
    pub(crate) fn new(child: belljar::Child) -> Self {
        Self(child)
    }
}

fn known(child: Option<&mut Child>) -> Result<&mut belljar::Child, Fault> {
    child.map(|child| &mut child.0).ok_or(Fault::Null("child"))
}

/// Pid of the jar's first process on this host, or -1.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_child_pid(child: Option<&Child>) -> c_int {
    guard(-1, || {
        let child = child.ok_or(Fault::Null("child"))?;
        Ok(c_int::try_from(child.0.id()).unwrap_or(-1))
    })
}

/// The caller's end of a pipe asked for by BELLJAR_STDIO_PIPED, close-on-exec, once: the caller closes it. -1 on failure.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_child_take_fd(child: Option<&mut Child>, stream: c_int) -> c_int {
    guard(-1, || {
        let child = known(child)?;
        let taken = match stream {
            0 => child.stdin.take().map(OwnedFd::from),
            1 => child.stdout.take().map(OwnedFd::from),
            2 => child.stderr.take().map(OwnedFd::from),
            _ => return Err(Fault::NoSuch("standard descriptor")),
        };
        taken.map(IntoRawFd::into_raw_fd).ok_or(Fault::NoStream)
    })
}

/// Waits for the end, after closing a standard input that was not taken. Nothing of the jar lives when this returns. NULL on failure.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_child_wait(child: Option<&mut Child>) -> Option<Box<Report>> {
    guard(None, || Ok(Some(Box::new(Report::new(&known(child)?.wait()?)))))
}

/// Whether the jar has ended: 1 or 0, or -1 on failure. After 1, belljar_child_wait does not wait.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_child_has_ended(child: Option<&mut Child>) -> c_int {
    guard(-1, || Ok(c_int::from(known(child)?.try_wait()?.is_some())))
}

/// Ends every process of the jar; none lives when this returns. 0, or -1 on failure.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_child_kill(child: Option<&mut Child>) -> c_int {
    done(|| Ok(known(child)?.kill()?))
}

/// Something that ends the jar from other threads. NULL on failure.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_child_killer(child: Option<&Child>) -> Option<Box<Killer>> {
    guard(None, || {
        let child = child.ok_or(Fault::Null("child"))?;
        Ok(Some(Box::new(Killer(child.0.killer()))))
    })
}

/// Ends every process of the jar; none lives when this returns. Nothing happens when it has ended. 0, or -1 on failure.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_killer_kill(killer: Option<&Killer>) -> c_int {
    done(|| Ok(killer.ok_or(Fault::Null("killer"))?.0.kill()?))
}

/// Frees a killer; NULL is nothing.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_killer_free(killer: Option<Box<Killer>>) {
    guard((), || {
        drop(killer);
        Ok(())
    });
}

/// Ends the jar, if it lives, and frees the child; NULL is nothing.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_child_free(child: Option<Box<Child>>) {
    guard((), || {
        drop(child);
        Ok(())
    });
}
