//! This kernel takes the compiled filters and gives the verdicts that the evaluator gives.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::thread;

use belljar_bpf::{Action, Filter, SeccompData, groups, syscall_number};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket};
use seccompiler::{apply_filter, sock_filter};

/// Runs `work` in a thread of its own under `filter`; the other threads stay free.
fn under<T: Send + 'static>(filter: &Filter, work: impl FnOnce() -> T + Send + 'static) -> T {
    let insns = filter.insns().iter();
    let program: Vec<sock_filter> =
        insns.map(|i| sock_filter { code: i.code, jt: i.jt, jf: i.jf, k: i.k }).collect();
    let confined = thread::spawn(move || {
        apply_filter(&program).unwrap();
        work()
    });
    confined.join().unwrap()
}

#[test]
fn every_group_loads() {
    for group in groups().filter(|group| group.never_granted().is_none()) {
        let filter = Filter::builder()
            .allow_group("@default")
            .unwrap()
            .allow_group(group.name())
            .unwrap()
            .compile()
            .unwrap();
        assert!(under(&filter, || std::fs::metadata("/").is_ok()), "{}", group.name());
    }
}

#[test]
fn sockets_get_the_verdict_of_the_evaluator() {
    let families = [1, 2, 10, 15, 16, 17, 38, 40, 44].map(AddressFamily::from_raw);
    let kinds = [SocketType::STREAM, SocketType::DGRAM, SocketType::RAW, SocketType::SEQPACKET];
    let filter = Filter::builder().allow_group("@default").unwrap().deny(
        "socket",
        Some("arg0 == 1"),
        Action::Errno(121),
    );
    let filter = filter.unwrap().compile().unwrap();
    let seen =
        under(&filter, move || families.map(|family| kinds.map(|kind| socket(family, kind, None).err())));
    let mut refused = 0;
    for (family, of_family) in families.into_iter().zip(seen) {
        for (kind, error) in kinds.into_iter().zip(of_family) {
            let args = [family.as_raw().into(), kind.as_raw().into(), 0, 0, 0, 0];
            match filter.eval(&SeccompData::x86_64(syscall_number("socket").unwrap(), args)) {
                Action::Errno(errno) => {
                    refused += 1;
                    assert_eq!(error, Some(Errno::from_raw_os_error(errno.into())), "{args:?}");
                }
                // A host may lack a family.
                _ => assert!(matches!(error, None | Some(Errno::AFNOSUPPORT)), "{args:?} {error:?}"),
            }
        }
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn a_refused_open_is_refused() {
    let calls = ["openat", "open", "openat2", "creat"];
    let denied = calls.iter().fold(Filter::builder().allow_group("@default").unwrap(), |builder, call| {
        builder.deny(call, None, Action::Errno(13)).unwrap()
    });
    let denied = denied.compile().unwrap();
    let error =
        under(&denied, || std::fs::File::open("/proc/self/status").err().and_then(|e| e.raw_os_error()));
    assert_eq!(error, Some(13));
}
