//! Boxes with known holes, for control runs: an attack that does not even get out of these proves nothing.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr,
};

use super::raw::{c, sys};

/// One weak box: its own words, then the command.
type Weak = fn(&[String]) -> io::Result<u8>;

const KINDS: &[(&str, Weak)] = &[
    ("userns", userns),
    ("chroot", chroot),
    ("pivot", pivot),
    ("landlock", landlock),
    ("sabotage", super::sabotage::main),
    ("successor", super::successor::main),
];

/// `escape weak KIND WORDS... CMD...`.
pub(crate) fn main(words: &[String]) -> io::Result<u8> {
    let [kind, words @ ..] = words else { return Err(io::Error::other("weak: KIND WORDS...")) };
    let kind =
        KINDS.iter().find(|(name, _)| name == kind).ok_or_else(|| io::Error::other("no such weak box"))?;
    (kind.1)(words)
}

/// Only tries whether an own user namespace is possible.
fn userns(_: &[String]) -> io::Result<u8> {
    own_namespaces().map(|()| 0)
}

/// `chroot` as old programs use it: the current folder is left outside, descriptors stay.
fn chroot(words: &[String]) -> io::Result<u8> {
    let [root, command @ ..] = words else { return Err(io::Error::other("weak chroot: ROOT CMD...")) };
    own_namespaces()?;
    std::env::set_current_dir(Path::new(root).join(".."))?;
    sys!(SYS_chroot, &c(root))?;
    exec(command)
}

/// `pivot_root` and detached old root, descriptors stay.
fn pivot(words: &[String]) -> io::Result<u8> {
    let [root, command @ ..] = words else { return Err(io::Error::other("weak pivot: ROOT CMD...")) };
    own_namespaces()?;
    let none = c("");
    sys!(SYS_mount, &none, &c("/"), &none, libc::MS_REC | libc::MS_PRIVATE)?;
    sys!(SYS_mount, &c(root), &c(root), &none, libc::MS_BIND | libc::MS_REC)?;
    std::env::set_current_dir(root)?;
    sys!(SYS_pivot_root, &c("."), &c("."))?;
    sys!(SYS_umount2, &c("."), libc::MNT_DETACH)?;
    std::env::set_current_dir("/")?;
    exec(command)
}

/// Landlock alone with every right it knows: BIN and the system readable, WORK writable, DATA readable without
/// execution, no TCP.
fn landlock(words: &[String]) -> io::Result<u8> {
    let [bin, work, data, command @ ..] = words else {
        return Err(io::Error::other("weak landlock: BIN WORK DATA CMD..."));
    };
    let abi = ABI::V6;
    let rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let rules = rules.handle_access(AccessFs::from_all(abi)).map_err(io::Error::other)?;
    let rules = rules.handle_access(AccessNet::from_all(abi)).map_err(io::Error::other)?;
    let mut rules = rules.create().map_err(io::Error::other)?;
    let read = AccessFs::from_read(abi);
    for (path, access) in [
        (bin.as_str(), read),
        ("/usr", read),
        ("/etc", read),
        ("/proc", read),
        ("/dev", read),
        (work, AccessFs::from_all(abi)),
        (data, AccessFs::ReadFile | AccessFs::ReadDir),
    ] {
        let fd = PathFd::new(path).map_err(io::Error::other)?;
        rules = rules.add_rule(PathBeneath::new(fd, access)).map_err(io::Error::other)?;
    }
    rules.restrict_self().map_err(io::Error::other)?;
    exec(command)
}

/// Root keeps its user namespace; others make one in which they are root.
fn own_namespaces() -> io::Result<()> {
    let root = rustix::process::geteuid().is_root();
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let user = if root { 0 } else { libc::CLONE_NEWUSER };
    sys!(SYS_unshare, libc::CLONE_NEWNS | user)?;
    if !root {
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
        fs::write("/proc/self/gid_map", format!("0 {gid} 1"))?;
    }
    Ok(())
}

fn exec(command: &[String]) -> io::Result<u8> {
    let [program, args @ ..] = command else { return Err(io::Error::other("no command")) };
    Err(Command::new(Path::new(program)).args(args).exec())
}
