//! The filter and Landlock: enforced on a child that then tries what must be refused. Each refusal counts only if the
//! same attempt succeeds without the protection.

use belljar_sys::abi::{LandlockRuleset, SockFilter};
use belljar_sys::child::{Forbidden, Network};
use belljar_sys::{Errno, Op};

use super::trial::{self, Spaces, Stopped};
use super::{Finding, Host, Status};

/// Opening the root must be refused.
const OPEN: Op<'_> = Op::SelfProbe(Forbidden { open: Some(c"/"), network: Network::Unasked, call: false });
/// `io_uring_setup` must be refused.
const CALL: Op<'_> = Op::SelfProbe(Forbidden { open: None, network: Network::Unasked, call: true });

/// Reading files and listing folders need a rule; there is none.
const READING: LandlockRuleset = LandlockRuleset { fs: 0b1100, net: 0, scoped: 0 };

/// Loads the number, answers EPERM to `io_uring_setup`, allows the rest.
const FILTER: [SockFilter; 4] = [
    SockFilter { code: 0x20, jt: 0, jf: 0, k: 0 },
    SockFilter { code: 0x15, jt: 0, jf: 1, k: 425 },
    SockFilter { code: 0x06, jt: 0, jf: 0, k: 0x0005_0001 },
    SockFilter { code: 0x06, jt: 0, jf: 0, k: 0x7fff_0000 },
];

/// What a jar lacks below this ABI of Landlock.
const LACKS: [(u32, &str); 5] = [
    (2, "files cannot be moved between folders inside a jar"),
    (3, "Landlock does not see truncation, so only mount flags refuse it"),
    (4, "Landlock does not see TCP, so only the network namespace and the filter hold it"),
    (5, "Landlock does not see device control"),
    (6, "Landlock does not see signals and abstract sockets, so only namespaces hold them"),
];

pub(super) fn seccomp(_: &Host) -> Finding {
    const ID: &str = "seccomp";
    let confined = trial::run(Spaces::NONE, &[], &[Op::NoNewPrivs, Op::Seccomp(&FILTER), CALL]);
    match (confined, trial::run(Spaces::NONE, &[], &[CALL])) {
        (Ok(()), Err(stopped)) if was_allowed(stopped) => {
            Finding::ok(ID, "a filter refused a call that worked without it")
        }
        (Ok(()), _) => Finding::ok(ID, "a filter was loaded; the tried call is refused here without it too"),
        (Err(stopped), _) => {
            let found = format!("no filter holds ({stopped})");
            Finding::lacking(ID, Status::Missing, found, "nothing can be contained: every jar needs a filter")
        }
    }
}

pub(super) fn landlock(host: &Host) -> Finding {
    const ID: &str = "landlock";
    const MEANS: &str = "files are held by mounts alone, and without user namespaces not at all";
    let confined = [Op::NoNewPrivs, Op::LandlockCreate(READING), Op::LandlockRestrict, OPEN];
    match (trial::run(Spaces::NONE, &[], &confined), trial::run(Spaces::NONE, &[], &[OPEN])) {
        (Ok(()), Err(stopped)) if was_allowed(stopped) => by_abi(host.facts.landlock),
        (Ok(()), _) => Finding::ok(ID, "enforced; the tried open is refused here without it too"),
        (Err(stopped), _) => {
            let (found, fix) = host.explain(stopped);
            Finding::lacking(ID, Status::Missing, found, MEANS).remedy(fix)
        }
    }
}

fn by_abi(abi: u32) -> Finding {
    const ID: &str = "landlock";
    let found = format!("ABI {abi}: an open was refused that worked without it");
    match LACKS.iter().find(|row| abi < row.0) {
        Some((_, lack)) => Finding::lacking(ID, Status::Weaker, found, lack),
        None => Finding::ok(ID, found),
    }
}

/// Domains can be nested sixteen deep: those that fail are around us already.
pub(super) fn domains() -> usize {
    const DEEPEST: usize = 16;
    if trial::reach(&[Op::LandlockCreate(READING)]) == 0 {
        return 0;
    }
    let mut ops = vec![Op::NoNewPrivs, Op::LandlockCreate(READING)];
    ops.extend([Op::LandlockRestrict; DEEPEST]);
    DEEPEST.saturating_sub(trial::reach(&ops).saturating_sub(2))
}

fn was_allowed(stopped: Stopped) -> bool {
    stopped.errno == Errno::NOT_CONFINED.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lack_of_an_abi_is_told() {
        assert_eq!(by_abi(7).status, Status::Ok);
        assert_eq!(by_abi(6).status, Status::Ok);
        for (abi, word) in [(1, "moved"), (2, "truncation"), (3, "TCP"), (4, "device"), (5, "signals")] {
            let finding = by_abi(abi);
            assert_eq!(finding.status, Status::Weaker);
            assert!(finding.means.contains(word), "{abi}: {}", finding.means);
        }
    }

    #[test]
    fn a_protection_that_is_not_loaded_is_seen_as_open() {
        let stopped = trial::run(Spaces::NONE, &[], &[OPEN]).expect_err("nothing forbids the open");
        assert!(was_allowed(stopped));
        assert_eq!(stopped.step, "self-probe");
    }

    #[test]
    fn the_domains_around_us_are_counted() {
        assert_eq!(domains(), 0);
        let two = [Op::NoNewPrivs, Op::LandlockCreate(READING), Op::LandlockRestrict, Op::LandlockRestrict];
        assert_eq!(trial::reach(&two), two.len());
    }

    #[test]
    fn a_step_that_fails_is_named_with_its_answer() {
        let steps = [Op::NoNewPrivs, Op::Chdir(c"/no such folder"), Op::NewSession];
        let stopped = trial::run(Spaces::NONE, &steps, &[]).expect_err("the folder is absent");
        assert_eq!(stopped, Stopped { step: "chdir", errno: 2 });
        assert_eq!(stopped.to_string(), "chdir: No such file or directory");
    }
}
