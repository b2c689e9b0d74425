//! A worse host than this one: a filter below the box makes kernel calls fail, or answer "done" and do nothing.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::raw::sys;

/// One call that is taken away. With `bits`, only calls whose first argument has one of them.
struct Taken {
    way: &'static str,
    call: i64,
    bits: u32,
    errno: i32,
}

const fn taken(way: &'static str, call: i64, errno: i32) -> Taken {
    Taken { way, call, bits: 0, errno }
}

/// Namespaces that a container engine refuses.
const NAMESPACES: u32 = 0x7e02_0000;

/// What each way takes away; `WAY=fake` turns the error into success without effect.
const TABLE: &[Taken] = &[
    Taken { way: "userns", call: libc::SYS_unshare, bits: NAMESPACES, errno: libc::EPERM },
    Taken { way: "userns", call: libc::SYS_clone, bits: NAMESPACES, errno: libc::EPERM },
    taken("userns", libc::SYS_clone3, libc::ENOSYS),
    taken("landlock", libc::SYS_landlock_create_ruleset, libc::ENOSYS),
    taken("restrict", libc::SYS_landlock_restrict_self, libc::EPERM),
    taken("mounts", libc::SYS_open_tree, libc::ENOSYS),
    taken("mounts", libc::SYS_move_mount, libc::ENOSYS),
    taken("mounts", libc::SYS_fsopen, libc::ENOSYS),
    taken("mounts", libc::SYS_mount_setattr, libc::ENOSYS),
    taken("pivot", libc::SYS_pivot_root, libc::EPERM),
    taken("detach", libc::SYS_umount2, libc::EPERM),
    taken("attributes", libc::SYS_mount_setattr, libc::ENOSYS),
    taken("close", libc::SYS_close_range, libc::ENOSYS),
    taken("seccomp", libc::SYS_seccomp, libc::ENOSYS),
    Taken { way: "seccomp", call: libc::SYS_prctl, bits: libc::PR_SET_SECCOMP as u32, errno: libc::EINVAL },
    taken("rights", libc::SYS_capset, libc::EPERM),
];

/// `escape weak sabotage WAY[=fake],... CMD...`.
pub(super) fn main(words: &[String]) -> io::Result<u8> {
    let [ways, program, args @ ..] = words else {
        return Err(io::Error::other("weak sabotage: WAYS CMD..."));
    };
    let filter = filter(ways)?;
    let program_of_filter = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_ptr().cast_mut() };
    sys!(SYS_prctl, libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)?;
    sys!(SYS_prctl, libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program_of_filter)?;
    Err(Command::new(program).args(args).exec())
}

fn filter(ways: &str) -> io::Result<Vec<libc::sock_filter>> {
    let mut filter = Vec::new();
    for way in ways.split(',') {
        let (way, fake) = way.split_once('=').map_or((way, false), |(way, _)| (way, true));
        let rows: Vec<&Taken> = TABLE.iter().filter(|taken| taken.way == way).collect();
        if rows.is_empty() {
            return Err(io::Error::other(format!("no such way: {way}")));
        }
        rows.iter().for_each(|taken| append(&mut filter, taken, fake));
    }
    filter.push(statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW));
    Ok(filter)
}

/// Five instructions: number, first argument, answer.
fn append(filter: &mut Vec<libc::sock_filter>, taken: &Taken, fake: bool) {
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    // An option number is compared as a whole, flags by any common bit.
    let compare =
        if taken.call == libc::SYS_prctl { equal } else { libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K };
    let errno = if fake { 0 } else { taken.errno as u32 };
    filter.push(statement(load, 0));
    if taken.bits == 0 {
        filter.push(libc::sock_filter { code: equal as u16, jt: 0, jf: 1, k: taken.call as u32 });
    } else {
        filter.push(libc::sock_filter { code: equal as u16, jt: 0, jf: 3, k: taken.call as u32 });
        filter.push(statement(load, 16));
        filter.push(libc::sock_filter { code: compare as u16, jt: 0, jf: 1, k: taken.bits });
    }
    filter.push(statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | errno));
}

fn statement(code: u32, value: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: 0, jf: 0, k: value }
}
