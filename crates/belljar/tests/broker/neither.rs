//! A host that has neither namespaces nor Landlock for a jar: the filter and the broker alone decide about paths.

use belljar::HostFacts;
use belljar::error::{PlanError, StartError};
use belljar::plan::{Call, Engine, plan};
use belljar::probe::Userns;
use belljar_bpf::{Action, Filter, Insn, SeccompData};

use super::support::jars::{self, Place};

fn poor() -> HostFacts {
    let mut facts = belljar::probe::probe();
    (facts.userns, facts.landlock) = (Userns::Refused, 0);
    facts
}

const FLAGS: &[(&str, &str)] = &[("-p", "@strict"), ("-w", ".")];
const WEAKER: &[(&str, &str)] =
    &[("-p", "@strict"), ("-w", "."), ("--allow-weaker", "fs"), ("--allow-weaker", "ipc")];

#[test]
fn nothing_starts_until_the_gap_is_accepted_by_name_and_two_layers_are_not_pretended() {
    if !super::has_broker() {
        return;
    }
    let place = Place::new();
    let start = |flags: &[(&str, &str)]| jars::finish(jars::shell(&place, flags, "echo ran").host(poor()));
    let refused = start(FLAGS).unwrap_err();
    assert!(
        matches!(&refused, StartError::Plan(PlanError::NotEnforceable { gaps }) if gaps.iter().any(|gap| gap.to_string().contains("can be run"))),
        "{refused:?}"
    );
    assert_eq!(start(WEAKER).unwrap().out, "ran\n");
    // There is one wall, whatever else is accepted.
    let twice = [FLAGS, &[("--allow-weaker", "ipc"), ("--require", "fs=2")]].concat();
    let unmet = start(&twice).unwrap_err();
    let named = matches!(
        unmet,
        StartError::Plan(PlanError::RequirementUnmet { .. } | PlanError::NotEnforceable { .. })
    );
    assert!(named, "{unmet:?}");
}

/// Every call of this kernel that takes a path, but for those about sockets.
const PATHS: &[&str] = &[
    "open",
    "stat",
    "lstat",
    "access",
    "execve",
    "truncate",
    "chdir",
    "rename",
    "mkdir",
    "rmdir",
    "creat",
    "link",
    "unlink",
    "symlink",
    "readlink",
    "chmod",
    "chown",
    "lchown",
    "mknod",
    "uselib",
    "statfs",
    "pivot_root",
    "chroot",
    "acct",
    "mount",
    "umount2",
    "swapon",
    "swapoff",
    "quotactl",
    "setxattr",
    "lsetxattr",
    "getxattr",
    "lgetxattr",
    "listxattr",
    "llistxattr",
    "removexattr",
    "lremovexattr",
    "utime",
    "utimes",
    "mq_open",
    "mq_unlink",
    "inotify_add_watch",
    "openat",
    "mkdirat",
    "mknodat",
    "fchownat",
    "futimesat",
    "newfstatat",
    "unlinkat",
    "renameat",
    "linkat",
    "symlinkat",
    "readlinkat",
    "fchmodat",
    "faccessat",
    "utimensat",
    "fanotify_mark",
    "name_to_handle_at",
    "open_by_handle_at",
    "renameat2",
    "execveat",
    "statx",
    "open_tree",
    "move_mount",
    "fsconfig",
    "fspick",
    "mount_setattr",
    "openat2",
    "faccessat2",
    "fchmodat2",
    "setxattrat",
    "getxattrat",
    "listxattrat",
    "removexattrat",
    "open_tree_attr",
    "file_getattr",
    "file_setattr",
];

/// What only the kernel can do for a caller; `EXCEPTIONS` of the conformance list says what follows.
const LEFT: &[&str] = &["chdir", "execve", "execveat"];

#[test]
fn every_call_that_takes_a_path_is_refused_or_handed_over() {
    let mut host = poor();
    (host.kernel, host.seccomp_notify, host.yama) = ((6, 18), true, 0);
    let policy =
        jars::policy("/".as_ref(), &[("-p", "@strict"), ("--allow-weaker", "fs"), ("--allow-weaker", "ipc")]);
    let plan = plan(&policy, &host, Call::default()).unwrap();
    assert_eq!(plan.engine, Engine::Broker);
    let insn = |&(code, jt, jf, k): &(u16, u8, u8, u32)| Insn { code, jt, jf, k };
    let raise = |filter: &belljar::plan::FilterPlan| {
        Filter::from_insns(filter.instructions.iter().map(insn).collect())
    };
    let (own, handed) = (raise(&plan.filter), raise(&plan.broker.as_ref().unwrap().filter));
    for call in PATHS {
        let Some(nr) = belljar_bpf::syscall_number(call) else { continue };
        // Flags of every kind: no form of a call goes past both.
        for word in [0, 1, 2, 0x40, 0x241, 0x10000, 0x20_0000, 0x41_0000, u64::MAX] {
            for place in 1..6 {
                let mut args = [0; 6];
                args[place] = word;
                let data = SeccompData::x86_64(nr, args);
                let passes = own.eval(&data) == Action::Allow && handed.eval(&data) == Action::Allow;
                assert_eq!(passes, LEFT.contains(call), "{call} {args:x?}");
            }
        }
    }
}
