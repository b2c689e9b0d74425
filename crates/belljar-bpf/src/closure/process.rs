//! fork, vfork, clone and clone3: which of them makes a process, or a namespace, depends on the flags.

use super::{Calls, Standing};
use crate::error::{ClosureGap, GapKind};
use crate::filter::SeccompData;
use crate::spec::FilterSpec;
use crate::syscalls::syscall_number;

const MAKES_A_PROCESS: &str = "each makes a process";
const NAMESPACES: &str = "each makes new namespaces by its flags";
const FLAGS_IN_MEMORY: &str =
    "its flags are in memory, where no filter can read them; refuse it, or allow the group @nested";
const ARBITRARY_FLAGS: &str =
    "with any flags it makes new namespaces; write a condition on arg0 or allow the group @nested";

/// Flags of the C library's `fork`: SIGCHLD, CLONE_CHILD_SETTID, CLONE_CHILD_CLEARTID.
const FORK_FLAGS: u64 = 17 | 0x0100_0000 | 0x0020_0000;

/// One way to make a process.
struct Way {
    name: &'static str,
    standing: Standing,
    /// It still makes a process.
    works: bool,
    /// The policy's rule on it is about making processes.
    is_ruled: bool,
}

/// Gaps among the ways to make a process, and in the flags of clone.
pub(super) fn gaps(spec: &FilterSpec, calls: &Calls<'_>) -> Vec<ClosureGap> {
    let Some([fork, vfork, clone, clone3]) = ways(spec, calls) else { return Vec::new() };
    let mut found = flag_gaps(&clone, &clone3);
    let ways = [fork, vfork, clone, clone3];
    if let Some(ruled) = ways.iter().find(|way| way.is_ruled) {
        let open = ways.iter().filter(|way| way.works && !way.standing.restricted);
        found.extend(open.map(|way| gap(GapKind::Bypass, ruled.name, way.name, MAKES_A_PROCESS)));
    }
    found
}

fn ways(spec: &FilterSpec, calls: &Calls<'_>) -> Option<[Way; 4]> {
    let way = |name: &'static str| {
        let nr = syscall_number(name)?;
        let standing = calls.standing(nr);
        let works = spec.interpret(&SeccompData::x86_64(nr, [FORK_FLAGS, 0, 0, 0, 0, 0])).grants();
        // A rule on clone may be about namespaces or threads only; clone3 is refused in most filters anyway.
        let is_ruled = standing.restricted
            && match name {
                "clone" => !works,
                "clone3" => false,
                _ => true,
            };
        Some(Way { name, standing, works, is_ruled })
    };
    Some([way("fork")?, way("vfork")?, way("clone")?, way("clone3")?])
}

fn flag_gaps(clone: &Way, clone3: &Way) -> Vec<ClosureGap> {
    let (old, new) = (clone.standing, clone3.standing);
    let cases = [
        (old.opened && old.granted, GapKind::ArbitraryFlags, "clone", ARBITRARY_FLAGS),
        (new.opened && new.granted, GapKind::FlagsInMemory, "clone3", FLAGS_IN_MEMORY),
        (old.restricted && new.granted && !new.restricted, GapKind::Bypass, "clone3", NAMESPACES),
        (old.named && old.granted && !new.decided, GapKind::Undecided, "clone3", NAMESPACES),
    ];
    let holding = cases.into_iter().filter(|(holds, ..)| *holds);
    holding.map(|(_, kind, call, reason)| gap(kind, "clone", call, reason)).collect()
}

fn gap(kind: GapKind, ruled: &'static str, forgotten: &'static str, reason: &'static str) -> ClosureGap {
    ClosureGap { kind, ruled, forgotten, reason }
}
