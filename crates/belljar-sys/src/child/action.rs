//! What ops do, where it takes more than one call.

use core::ffi::CStr;

use linux_raw_sys::{general as g, prctl as p};

use super::op::{Mount, PathRights, State, Walk};
use super::rights;
use crate::abi;
use crate::call::{self, CWD, Errno, Fd, Result};
use crate::wire::Event;

/// NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE and their locks, and KEEP_CAPS' lock.
pub(super) const SECURE_BITS: usize = 0b1110_1111;

pub(super) fn die_with_parent(state: &mut State) -> Result<()> {
    call::prctl(p::PR_SET_PDEATHSIG, 9)?;
    state.dies_with_parent = true;
    Ok(())
}

/// Closes the gaps between the kept descriptors; `keep` is ascending and does not hold the status socket.
pub(super) fn close_inherited(keep: &[Fd], status: Fd, witness: Fd) -> Result<()> {
    let mut next = 0_u32;
    let mut status_left = true;
    for &fd in keep {
        if status_left && status < fd {
            next = close_up_to(next, status)?;
            status_left = false;
        }
        next = close_up_to(next, fd)?;
    }
    if status_left {
        next = close_up_to(next, status)?;
    }
    call::close_range(next, u32::MAX, false)?;
    // A filter of a surrounding sandbox may have answered without closing anything.
    if witness >= 0 && call::is_open(witness) { Err(Errno::NOT_CONFINED) } else { Ok(()) }
}

/// Closes from `first` up to, not including, `kept`; returns what follows `kept`.
pub(super) fn close_up_to(first: u32, kept: Fd) -> Result<u32> {
    let kept = u32::try_from(kept).map_err(|_| Errno::INVAL)?;
    if first < kept {
        call::close_range(first, kept.saturating_sub(1), false)?;
    }
    Ok(kept.saturating_add(1))
}

/// The files stay open until init closes everything: each takes one write in its life.
pub(super) fn id_maps(uid: &[u8], gid: &[u8]) -> Result<()> {
    let maps: [(&CStr, &[u8]); 3] =
        [(c"/proc/self/setgroups", b"deny"), (c"/proc/self/uid_map", uid), (c"/proc/self/gid_map", gid)];
    for (path, text) in maps {
        call::write(call::open(path, g::O_WRONLY)?, text)?;
    }
    Ok(())
}

pub(super) fn await_go(state: &mut State) -> Result<()> {
    let mut go = [0_u8; 2];
    match state.sent.receive(state.status, &mut go)? {
        2 if go == crate::wire::Command::Go.encode() => Ok(()),
        _ => Err(Errno::PIPE),
    }
}

pub(super) fn become_user(uid: u32, gid: u32) -> Result<()> {
    call::drop_groups()?;
    call::become_user(uid, gid)
}

pub(super) fn new_root(at: &CStr, data: &CStr) -> Result<()> {
    call::mount(c"tmpfs", at, g::MS_NOSUID | g::MS_NODEV, data)?;
    call::chdir(at)
}

/// `mount(2)` takes paths only: a checked target is entered through a safe walk, and left again.
pub(super) fn mount(kind: &CStr, to: Walk<'_>, flags: u32, data: &CStr) -> Result<()> {
    match to {
        Walk::Plain(path) => call::mount(kind, path, flags, data),
        Walk::Checked(path) => {
            let (target, root) = (inside(path)?, call::open(c".", g::O_PATH)?);
            call::fchdir(target)?;
            call::mount(kind, c".", flags, data)?;
            call::fchdir(root)
        }
    }
}

pub(super) fn overlay(to: Walk<'_>, data: &CStr) -> Result<()> {
    mount(c"overlay", to, g::MS_NOSUID | g::MS_NODEV, data)
}

/// The folder stays with the supervisor after it was detached here.
pub(super) fn send_folder(status: Fd, path: &CStr) -> Result<()> {
    let folder = call::open(path, g::O_DIRECTORY)?;
    rights::hand_over(status, folder, Event::Folder)
}

/// The supervisor keeps the FIFO open for both, so that it never sees its end, and never waits in it.
pub(super) fn channel(status: Fd, requests: &CStr, replies: &CStr) -> Result<()> {
    call::make_fifo(requests, 0o600)?;
    call::make_file(replies, 0o600)?;
    let mut files = rights::Rights::none();
    files.add(call::open(requests, g::O_RDWR | g::O_NONBLOCK)?)?;
    files.add(call::open(replies, g::O_RDWR)?)?;
    files.send(status, Event::Channel)?;
    files.close();
    Ok(())
}

/// Leftovers of an earlier op are fine: rules may share parents.
pub(super) fn may_exist(done: Result<()>) -> Result<()> {
    match done {
        Err(Errno::EXIST) => Ok(()),
        other => other,
    }
}

pub(super) fn keep_text(state: &mut State, slot: usize, name: &CStr, text: &[u8]) -> Result<()> {
    let kept = state.texts.get_mut(slot).ok_or(Errno::INVAL)?;
    call::make_file(name, 0o444)?;
    call::write_file(name, text)?;
    *kept = call::clone_path(name)?;
    Ok(())
}

pub(super) fn place_text(state: &State, slot: usize, to: Walk<'_>) -> Result<()> {
    let kept = *state.texts.get(slot).ok_or(Errno::INVAL)?;
    // MOUNT_ATTR_RDONLY | NOSUID | NODEV | NOEXEC
    attach(kept, to, 0b1111)?;
    call::close(kept);
    Ok(())
}

pub(super) fn walk(dir: Fd, path: &CStr, resolve: u32) -> Result<Fd> {
    // Without O_NOFOLLOW: with it the kernel would hand out a final symlink itself instead of refusing it.
    let flags = u64::from(g::O_PATH | g::O_CLOEXEC);
    call::openat2(dir, path, abi::OpenHow { flags, mode: 0, resolve: u64::from(resolve) })
}

pub(super) fn bind(
    state: &mut State,
    from: Walk<'_>,
    to: Walk<'_>,
    attrs: u64,
    keep: Option<usize>,
) -> Result<()> {
    let source = match from {
        Walk::Plain(path) => Source::Path(path),
        Walk::Checked(path) => Source::Opened(walk(CWD, path, g::RESOLVE_NO_SYMLINKS)?),
    };
    let tree = clone_with(state, source, attrs)?;
    if let Some(kept) = keep.and_then(|at| state.mounts.get_mut(at)) {
        *kept = tree;
    }
    put(tree, to)
}

/// Puts a clone that the supervisor made in its place. It may still share mounts with the host: what is mounted on it here,
/// like a nested grant or a cover, would appear there as well.
pub(super) fn attach(tree: Fd, to: Walk<'_>, attrs: u64) -> Result<()> {
    let attr =
        abi::MountAttr { set: attrs, propagation: u64::from(g::MS_PRIVATE), ..abi::MountAttr::default() };
    call::mount_setattr(tree, c"", true, attr)?;
    put(tree, to)
}

/// What is cloned: a path that needs no walk of its own, or what a walk has led to.
#[derive(Clone, Copy)]
enum Source<'a> {
    Path(&'a CStr),
    Opened(Fd),
}

/// A detached clone with everything below it, which has these attributes before anybody can reach it.
fn clone_with(state: &mut State, source: Source<'_>, attrs: u64) -> Result<Fd> {
    let attr = abi::MountAttr { set: attrs, ..abi::MountAttr::default() };
    if state.clones_with {
        let done = match source {
            Source::Path(path) => call::clone_path_with(path, attr),
            Source::Opened(fd) => call::clone_tree_with(fd, attr),
        };
        match done {
            // An older kernel, or a filter around this one that does not know the call: it is two calls then.
            Err(Errno::NOSYS | Errno::PERM) => state.clones_with = false,
            done => return done,
        }
    }
    let tree = match source {
        Source::Path(path) => call::clone_path(path)?,
        Source::Opened(fd) => call::clone_tree(fd)?,
    };
    set_attr(tree, c"", true, attrs)?;
    Ok(tree)
}

fn put(tree: Fd, to: Walk<'_>) -> Result<()> {
    match to {
        Walk::Plain(path) => call::move_mount_to(tree, path),
        Walk::Checked(path) => call::move_mount(tree, inside(path)?),
    }
}

/// A path of the new root, walked without symlinks and never above it.
fn inside(path: &CStr) -> Result<Fd> {
    walk(CWD, path, g::RESOLVE_NO_SYMLINKS | g::RESOLVE_BENEATH)
}

pub(super) fn set_attr(fd: Fd, path: &CStr, recursive: bool, attrs: u64) -> Result<()> {
    call::mount_setattr(fd, path, recursive, abi::MountAttr { set: attrs, ..abi::MountAttr::default() })
}

pub(super) fn bind_node(from: &CStr, to: &CStr) -> Result<()> {
    may_exist(call::make_file(to, 0o666))?;
    call::mount_over(from, to)
}

pub(super) fn cover(path: &CStr) -> Result<()> {
    let target = inside(path)?;
    call::move_mount(call::fresh_tmpfs(c"1m", c"0555")?, target)
}

/// A path that this host lacks needs no mask. Without the mask itself nothing is hidden, and that is no success.
pub(super) fn mask(state: &mut State, target: Walk<'_>) -> Result<()> {
    match put(next_mask(state)?, target) {
        Err(Errno::NOENT) => Ok(()),
        done => done,
    }
}

/// One call in place of two: a bind has the attributes of the mount that it comes from.
pub(super) fn mask_alike(state: &mut State, alike: &CStr, path: &CStr) -> Result<()> {
    match call::mount_over(alike, path) {
        Err(_) => mask(state, Walk::Plain(path)),
        done => done,
    }
}

/// The mask cannot be opened: devices are refused on its mount. Its clones keep its attributes.
fn next_mask(state: &mut State) -> Result<Fd> {
    if state.mask >= 0 {
        return call::clone_tree(state.mask);
    }
    // MOUNT_ATTR_RDONLY | NOSUID | NODEV | NOEXEC
    state.mask = clone_with(state, Source::Path(c"/dev/null"), 0b1111)?;
    Ok(state.mask)
}

pub(super) fn drop_bounding(last: u32) -> Result<()> {
    for capability in 0..=last {
        match call::prctl(p::PR_CAPBSET_DROP, call::word(capability)) {
            // One past this kernel's last capability.
            Err(Errno::INVAL) => break,
            done => done?,
        };
    }
    Ok(())
}

pub(super) fn landlock_path(state: &State, rights: PathRights<'_>) -> Result<()> {
    let mount = match rights.mount {
        Mount::Unknown => -1,
        Mount::Sent(number) => state.sent.get(number)?,
        Mount::Kept(at) => state.mounts.get(at).copied().unwrap_or(-1),
    };
    // The paths have no symlinks: one that has come since would lead the right elsewhere.
    let opened = if mount >= 0 { Ok(mount) } else { walk(CWD, rights.path, g::RESOLVE_NO_SYMLINKS) };
    let fd = match opened {
        Err(Errno::NOENT | Errno::ACCES | Errno::LOOP | Errno::NOTDIR) if rights.optional => return Ok(()),
        other => other?,
    };
    call::landlock_path(state.ruleset, &abi::LandlockPath { allowed: rights.allowed, parent_fd: fd })?;
    // Exec closes the rest; optional ones can be many. A mount of before may be needed again.
    if rights.optional && mount < 0 {
        call::close(fd);
    }
    Ok(())
}

/// The supervisor's runtime ignores SIGPIPE; a program must not inherit that.
pub(super) fn reset_signals() -> Result<()> {
    call::default_signal(13)?;
    call::set_signal_mask(0)
}

/// Tries the candidates in order, as a shell's search does: a refused one is remembered, a missing one is not.
pub(super) fn exec(
    candidates: &[&CStr],
    argv: &[*const u8],
    envp: &[*const u8],
    ticket: Option<call::Ticket>,
) -> Errno {
    let mut worst = Errno::NOENT;
    for path in candidates {
        let done = match ticket {
            // SAFETY: `Exec` is built from null-terminated arrays whose strings the parent keeps until the child is gone.
            None => unsafe { call::execve(path, argv.as_ptr(), envp.as_ptr()) },
            // SAFETY: as above.
            Some(ticket) => unsafe { call::execve_by(ticket, path, argv.as_ptr(), envp.as_ptr()) },
        };
        match done {
            Errno::NOENT | Errno::NOTDIR => {}
            Errno::ACCES => worst = Errno::ACCES,
            other => return other,
        }
    }
    worst
}

/// Closes every descriptor but two, of which the second may be -1: none.
pub(super) fn close_all_but(status: Fd, errands: Fd) -> Result<()> {
    let kept = [errands];
    close_inherited(if errands < 0 { &[] } else { &kept }, status, -1)
}

/// The listener is gone here before the program starts: only the supervisor answers.
pub(super) fn broker(state: &State, filter: &[abi::SockFilter]) -> Result<()> {
    let listener = call::seccomp_listener(filter)?;
    hand_over_listener(state, call::Ticket::NONE, listener)
}

/// What the filter hands over it also refuses without a listener, with `ENOSYS`: somebody around this jar may have one already,
/// and no other is possible then.
pub(super) fn telling_seccomp(state: &State, filter: &[abi::SockFilter]) -> Result<()> {
    let Ok(listener) = call::seccomp_listener(filter) else { return call::seccomp(filter) };
    if hand_over_listener(state, call::Ticket::NONE, listener).is_err() {
        call::close(listener);
    }
    Ok(())
}

/// The kernel makes listeners close-on-exec, and exec is a few calls away. Until then this process would wait for itself if nobody
/// else had the listener any more, so it keeps its own only where it ends together with the supervisor.
fn hand_over_listener(state: &State, ticket: call::Ticket, listener: Fd) -> Result<()> {
    rights::show_by(ticket, state.status, listener, Event::Listener)?;
    if !(state.own_pids && state.dies_with_parent) {
        call::close(listener);
    }
    Ok(())
}

/// From here on the child itself can do only what the program may, and what its ticket opens.
pub(super) fn promise(
    state: &mut State,
    filter: &[abi::SockFilter],
    ticket: call::Ticket,
    tells: bool,
) -> Result<()> {
    if tells {
        let listener = call::seccomp_listener(filter)?;
        hand_over_listener(state, ticket, listener)?;
    } else {
        call::seccomp(filter)?;
    }
    state.ticket = Some(ticket);
    call::knows(ticket)
}
