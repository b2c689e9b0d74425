//! Hosts that are made poorer on purpose. A test program starts one of its own ignored tests in such a host.

use std::ffi::{CString, OsStr};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use belljar_sys::abi::SockFilter;
use belljar_sys::spawn::Sequence;
use belljar_sys::wire::{self, Command, Event};
use belljar_sys::{Op, owned};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

pub(crate) const USER: u64 = 0x1000_0000;
pub(crate) const MOUNT: u64 = 0x0002_0000;

/// A host made poorer: what init and the program do before the test starts. With [`USER`] the ids are those of this host.
#[derive(Clone, Copy)]
pub(crate) struct Poorer<'a> {
    pub(crate) namespaces: u64,
    pub(crate) init: &'a [Op<'a>],
    pub(crate) program: &'a [Op<'a>],
}

/// Runs the ignored test `test` of this program there, with these variables and no others; it must pass.
pub(crate) fn run(test: &str, variables: &[(&str, &OsStr)], host: Poorer<'_>) {
    let this = text(std::env::current_exe().unwrap().as_os_str());
    let words = [this.clone()]
        .into_iter()
        .chain([test, "--exact", "--ignored", "--nocapture"].map(|word| text(word.as_ref())));
    let words: Vec<CString> = words.collect();
    let variables: Vec<CString> = variables
        .iter()
        .map(|(name, value)| text(&[OsStr::new(name), value].join(OsStr::new("="))))
        .collect();
    let (argv, envp) = (pointers(&words), pointers(&variables));
    let candidates = [this.as_c_str()];
    let exec = Op::Exec { candidates: &candidates, argv: &argv, envp: &envp };
    let program: Vec<Op<'_>> = host.program.iter().copied().chain([exec]).collect();
    start(test, Poorer { program: &program, ..host });
}

/// Runs ops as they are; the program must end with status 0.
fn start(test: &str, host: Poorer<'_>) {
    let (uid, gid) = (own(rustix::process::geteuid().as_raw()), own(rustix::process::getegid().as_raw()));
    let maps = match host.namespaces & USER {
        0 => vec![],
        _ if super::is_root() => vec![Op::AwaitGo],
        _ => vec![Op::IdMaps { uid: uid.as_bytes(), gid: gid.as_bytes() }],
    };
    let init: Vec<Op<'_>> = maps.iter().chain(host.init).copied().collect();
    let (child, ours) = child(&init, host.program, host.namespaces);
    if matches!(maps.first(), Some(Op::AwaitGo)) {
        map_all(child.pid, &ours);
    }
    let ended = last_word(&ours);
    assert_eq!(ended, 0, "{test} in the poorer host ended with status {ended:#x}");
    owned::reap(&child.pidfd).unwrap();
}

/// A child that does these ops, and where it says what became of them.
pub(crate) fn child(init: &[Op<'_>], program: &[Op<'_>], namespaces: u64) -> (owned::Child, OwnedFd) {
    let sequence = Sequence {
        init,
        program,
        namespaces,
        own_pids: false,
        announce: false,
        errands: -1,
        close_after_start: true,
    };
    let (ours, theirs) =
        rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .unwrap();
    (owned::spawn(&sequence, &theirs).unwrap(), ours)
}

/// Root maps every id to itself, as a container of root has them.
fn map_all(pid: i32, ours: &OwnedFd) {
    for map in ["uid_map", "gid_map"] {
        std::fs::write(format!("/proc/{pid}/{map}"), "0 0 4294967295").unwrap();
    }
    rustix::io::write(ours, &Command::Go.encode()).unwrap();
}

fn last_word(ours: &OwnedFd) -> i32 {
    let mut bytes = [0_u8; wire::SIZE];
    assert_eq!(rustix::io::read(ours, &mut bytes).unwrap(), wire::SIZE);
    match Event::decode(&bytes).unwrap() {
        Event::Ended(ended) => ended.status,
        other => panic!("the poorer host could not be made: {other:?}"),
    }
}

fn own(id: u32) -> String {
    format!("{id} {id} 1\n")
}

fn text(word: &OsStr) -> CString {
    CString::new(word.as_bytes()).unwrap()
}

fn pointers(words: &[CString]) -> Vec<*const u8> {
    words.iter().map(|word| word.as_ptr().cast()).chain([std::ptr::null()]).collect()
}

/// Answers as the default filters of container engines do.
pub(crate) fn container_filter() -> Vec<SockFilter> {
    const NO: u32 = 0x0005_0001;
    const NO_SUCH_CALL: u32 = 0x0005_0000 + 38;
    const YES: u32 = 0x7fff_0000;
    // unshare, setns, mount, umount2, pivot_root, open_tree, move_mount, fsopen, fsmount, mount_setattr
    const REFUSED: [u32; 10] = [272, 308, 165, 166, 155, 428, 429, 430, 432, 442];
    let load = |k| SockFilter { code: 0x20, jt: 0, jf: 0, k };
    let answer = |k| SockFilter { code: 0x06, jt: 0, jf: 0, k };
    let unless = |k, jf| SockFilter { code: 0x15, jt: 0, jf, k };
    let mut filter = vec![load(0)];
    filter.extend(REFUSED.iter().flat_map(|number| [unless(*number, 1), answer(NO)]));
    filter.extend([unless(435, 1), answer(NO_SUCH_CALL)]);
    // clone: any namespace flag
    let any_of = SockFilter { code: 0x45, jt: 0, jf: 1, k: 0x7E02_0000 };
    filter.extend([unless(56, 3), load(16), any_of, answer(NO), answer(YES)]);
    filter
}
