//! The layout as mount ops.

use std::ffi::CStr;
use std::path::Path;

use belljar_policy::Access;
use belljar_sys::Op;
use belljar_sys::child::Walk;

use super::layout::{Bind, Item};
use super::{Builder, aside, texts};
use crate::error::StartError;
use crate::plan::actions;

const RDONLY: u64 = 1;
const NOSUID: u64 = 2;
const NODEV: u64 = 4;
const NOEXEC: u64 = 8;

/// Attributes of everything that only belljar fills.
pub(super) const SEALED: u64 = RDONLY | NOSUID | NODEV;

/// Attributes of the jar's `/proc`.
pub(super) const PROC: u64 = SEALED | NOEXEC;

/// Attributes of the clone through which a passed file or folder is opened anew.
pub(super) fn passed(read_only: bool) -> u64 {
    if read_only { SEALED | NOEXEC } else { NOSUID | NODEV }
}

/// Memory of the channel for requests: the table of replies.
const CHANNEL_SIZE: u64 = 64 << 10;

/// Names that a memory-backed folder may hold: one per page of its size, so that empty files cost no more than full ones.
fn inodes(size: u64) -> u64 {
    (size / 4096).max(64)
}

pub(super) const MS_NOSUID: u32 = 2;
pub(super) const MS_NODEV: u32 = 4;
const MS_NOEXEC: u32 = 8;

/// Parts of `/proc` that tell about the host or its keys even to an ordinary user.
/// What only root may read or write there is refused by its mode: no jar has root's uid.
const MASKED: (&CStr, &[&CStr]) = (c"proc/keys", &[c"proc/key-users"]);

/// Above the folder of each user's services, which login managers make.
const SERVICES_OF_USERS: &str = "/run/user";

/// Devices that give nothing away.
const NODES: &[(&CStr, &str)] = &[
    (c"/dev/null", "null"),
    (c"/dev/zero", "zero"),
    (c"/dev/full", "full"),
    (c"/dev/random", "random"),
    (c"/dev/urandom", "urandom"),
    (c"/dev/tty", "tty"),
];

/// Names that programs expect beside the devices.
const DEV_LINKS: &[(&CStr, &str)] = &[
    (c"pts/ptmx", "ptmx"),
    (c"/proc/self/fd", "fd"),
    (c"/proc/self/fd/0", "stdin"),
    (c"/proc/self/fd/1", "stdout"),
    (c"/proc/self/fd/2", "stderr"),
];

pub(super) fn build<'a>(builder: &Builder<'a>, ops: &mut Vec<Op<'a>>) -> Result<(), StartError> {
    for item in &builder.layout.items {
        one(builder, item, ops)?;
    }
    aside::finish(builder, ops);
    texts::tidy(&builder.layout, ops);
    for item in &builder.layout.items {
        if let Item::Cover(at) = item {
            ops.push(Op::SetAttr { path: builder.storage.below(at)?, attrs: SEALED | NOEXEC });
        }
    }
    Ok(())
}

fn one<'a>(builder: &Builder<'a>, item: &Item, ops: &mut Vec<Op<'a>>) -> Result<(), StartError> {
    let to = builder.storage.below(item.at())?;
    let target = if builder.layout.in_memory(item.at()) { Walk::Plain(to) } else { Walk::Checked(to) };
    match item {
        Item::Dir(at) => ops.push(Op::Dir { path: to, mode: folder_mode(at) }),
        Item::File(_) => ops.push(Op::File { path: to, mode: 0o444 }),
        Item::Link { target, .. } => {
            ops.push(Op::Symlink { target: builder.storage.path(target)?, path: to });
        }
        Item::Bind(bind) if bind.access == Access::Cow => aside::overlay(builder, bind, target, ops)?,
        Item::Bind(bind) => ops.push(bind_op(builder, bind, target)?),
        Item::Root(bind) => {
            ops.push(bind_op(builder, bind, Walk::Plain(c"."))?);
            ops.push(Op::EnterRoot(c"/proc"));
        }
        // From the new root itself: the grant's own translation of owners stays.
        Item::Pin(_) => {
            let attrs = NOSUID | NODEV;
            ops.push(Op::Bind { from: Walk::Checked(to), to: Walk::Checked(to), attrs, keep: None });
        }
        Item::Cover(_) => ops.push(Op::Cover(to)),
        Item::Text { slot, .. } => ops.push(Op::PlaceText { slot: *slot, to: target }),
        Item::Mask(_) => ops.push(Op::Mask(target)),
        Item::Tmpfs(_, size) => ops.push(tmpfs(builder, target, *size, "1777", MS_NOSUID | MS_NODEV)?),
        Item::Channel(at) => channel(builder, at, to, ops)?,
        Item::Proc(_) => {
            let flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
            ops.push(Op::Mount { kind: c"proc", to: target, flags, data: c"" });
        }
        Item::Dev { at, shm, own } => dev(builder, at, *shm, *own, ops)?,
    }
    Ok(())
}

/// Folders of users' services are private by convention, and programs use no other: GnuPG passes it over.
fn folder_mode(at: &Path) -> u32 {
    let private = at.strip_prefix(SERVICES_OF_USERS).is_ok_and(|below| below != Path::new(""));
    if private { 0o700 } else { 0o755 }
}

/// Memory of its own, filled and handed to the supervisor; the jar sees it through a second mount that it cannot write to. Into
/// a FIFO one writes all the same.
fn channel<'a>(
    builder: &Builder<'a>,
    at: &Path,
    to: &'a CStr,
    ops: &mut Vec<Op<'a>>,
) -> Result<(), StartError> {
    let storage = builder.storage;
    let flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    ops.push(tmpfs(builder, Walk::Plain(to), CHANNEL_SIZE, "0755", flags)?);
    let [requests, replies] = [actions::REQUESTS, actions::REPLIES].map(|name| storage.below(&at.join(name)));
    ops.push(Op::Channel { requests: requests?, replies: replies? });
    let attrs = SEALED | NOEXEC;
    ops.push(Op::Bind { from: Walk::Checked(to), to: Walk::Plain(to), attrs, keep: None });
    Ok(())
}

pub(super) fn bind_op<'a>(builder: &Builder<'a>, bind: &Bind, to: Walk<'a>) -> Result<Op<'a>, StartError> {
    let attrs = match bind.access {
        Access::Write => NOSUID | NODEV,
        Access::ReadNoexec => RDONLY | NOSUID | NODEV | NOEXEC,
        _ => RDONLY | NOSUID | NODEV,
    };
    let keep = builder.layout.number(bind);
    if bind.inner {
        return Ok(Op::Bind { from: Walk::Checked(builder.storage.below(&bind.at)?), to, attrs, keep });
    }
    if let Some(number) = builder.sent(bind) {
        return Ok(Op::BindSent { number, to, attrs });
    }
    let from = builder.storage.path(&bind.from)?;
    // Only root can change what the entries of the host's root are.
    let top = bind.from.parent() == Some(Path::new("/"));
    Ok(Op::Bind { from: if top { Walk::Plain(from) } else { Walk::Checked(from) }, to, attrs, keep })
}

pub(super) fn tmpfs<'a>(
    builder: &Builder<'a>,
    to: Walk<'a>,
    size: u64,
    mode: &str,
    flags: u32,
) -> Result<Op<'a>, StartError> {
    let data = builder
        .storage
        .text("mount options", format!("mode={mode},size={size},nr_inodes={}", inodes(size)).as_bytes())?;
    Ok(Op::Mount { kind: c"tmpfs", to, flags, data })
}

fn dev<'a>(
    builder: &Builder<'a>,
    at: &Path,
    shm: u64,
    own: bool,
    ops: &mut Vec<Op<'a>>,
) -> Result<(), StartError> {
    let storage = builder.storage;
    if own {
        let at = Walk::Checked(storage.below(at)?);
        ops.push(tmpfs(builder, at, 1 << 20, "0755", MS_NOSUID | MS_NOEXEC)?);
    }
    for (from, name) in NODES {
        ops.push(Op::BindNode { from, to: storage.below(&at.join(name))? });
    }
    let pts = storage.below(&at.join("pts"))?;
    ops.push(Op::Dir { path: pts, mode: 0o755 });
    // The kernel has a few thousand terminals for all jars and containers together.
    let options = c"newinstance,ptmxmode=0666,mode=0620,max=256";
    ops.push(Op::Mount {
        kind: c"devpts",
        to: Walk::Plain(pts),
        flags: MS_NOSUID | MS_NOEXEC,
        data: options,
    });
    let shm_at = storage.below(&at.join("shm"))?;
    ops.push(Op::Dir { path: shm_at, mode: 0o755 });
    ops.push(tmpfs(builder, Walk::Plain(shm_at), shm, "1777", MS_NOSUID | MS_NODEV)?);
    for (target, name) in DEV_LINKS {
        ops.push(Op::Symlink { target, path: storage.below(&at.join(name))? });
    }
    Ok(())
}

/// Null devices on a mount that forbids devices: they cannot be opened.
pub(super) fn mask_proc(ops: &mut Vec<Op<'_>>) {
    let (mask, others) = MASKED;
    ops.push(Op::Mask(Walk::Plain(mask)));
    ops.extend(others.iter().map(|path| Op::MaskAlike { mask, path }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_users_services_are_private() {
        for (path, mode) in [
            ("/run", 0o755),
            ("/run/user", 0o755),
            ("/run/user/1000", 0o700),
            ("/run/user/1000/gnupg", 0o700),
            ("/run/users", 0o755),
        ] {
            assert_eq!(folder_mode(Path::new(path)), mode, "{path}");
        }
    }
}
