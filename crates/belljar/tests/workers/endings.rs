use std::time::{Duration, Instant};

use belljar::worker::{Limits, ProtocolError, Seal, SetupError, WorkerError};

use crate::acts::{self, Act, Outcome};
use crate::{LONG, able, builder, gone, number, small};

/// A mishap and the error that it must be.
type Mishap = (Act, fn(&WorkerError) -> bool);

const MISHAPS: &[Mishap] = &[
    (Act::Panic, |error| matches!(error, WorkerError::Panicked { said } if said.contains("of its own will"))),
    (Act::Abort, |error| matches!(error, WorkerError::Crashed { signal: 6, .. })),
    (Act::Exit(3), |error| matches!(error, WorkerError::Exited { code: 3, .. })),
    (Act::Exit(0), |error| matches!(error, WorkerError::Exited { code: 0, .. })),
    (Act::Recurse(u64::MAX), |error| matches!(error, WorkerError::Crashed { signal: 6 | 11, .. })),
    (Act::Allocate(1 << 40), |error| matches!(error, WorkerError::OutOfMemory { .. })),
    (Act::Touch(1 << 30), |error| matches!(error, WorkerError::OutOfMemory { .. })),
];

/// Every mishap is an error that says which, and the next worker is as good as the first.
#[test]
fn every_end_has_its_error_and_the_program_goes_on() {
    if !able() {
        return;
    }
    let zygote = small();
    for (act, expected) in MISHAPS {
        let mut worker = zygote.spawn().unwrap();
        let error = worker.call(act, LONG).unwrap_err();
        assert!(expected(&error), "{act:?}: {error:?}");
        gone(&mut worker);
        let mut next = zygote.spawn().unwrap();
        assert_eq!(number(&mut next, Act::Warmed(2)), 4, "after {error}");
    }
}

#[test]
fn who_does_not_reply_in_time_is_ended() {
    if !able() {
        return;
    }
    let zygote = small();
    for act in [Act::Spin, Act::Sleep(60_000), Act::Flood] {
        let mut worker = zygote.spawn().unwrap();
        let begun = Instant::now();
        let error = worker.call(&act, Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, WorkerError::TimedOut { .. }), "{error:?}");
        assert!(begun.elapsed() >= Duration::from_millis(50));
        assert!(has_ended(&worker), "{act:?}");
        gone(&mut worker);
    }
    let mut worker = zygote.spawn().unwrap();
    assert!(matches!(worker.call(&Act::Sleep(1), LONG), Ok(Outcome::Done)));
}

/// A pidfd is readable once its process has ended.
fn has_ended(worker: &crate::Acting) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut set = [PollFd::from_borrowed_fd(worker.pidfd().unwrap(), PollFlags::IN)];
    poll(&mut set, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() == 1
}

#[test]
fn last_words_are_told_and_steer_no_terminal() {
    if !able() {
        return;
    }
    let zygote = small();
    let mut worker = zygote.spawn().unwrap();
    let words = format!("{}\x1b]0;title\x07\n\u{202e}end", "x".repeat(1000));
    // Far more than the socket takes at once: the parent reads along.
    for _ in 0..50 {
        assert!(matches!(worker.call(&Act::Words(words.clone()), LONG), Ok(Outcome::Done)));
    }
    let error = worker.call(&Act::Abort, LONG).unwrap_err().to_string();
    assert!(error.contains("x\\u{1b}]0;title\\u{7}\\n\\u{202e}end"), "{error}");
    assert!(error.len() < 20_000 && error.chars().all(|one| one == ' ' || one.is_ascii_graphic()), "{error}");
}

#[test]
fn a_strict_seal_ends_who_oversteps_it() {
    if !able() {
        return;
    }
    let zygote = builder(&acts::ACTS).seal(Seal::new().kill_others()).start().unwrap();
    let mut worker = zygote.spawn().unwrap();
    assert_eq!(number(&mut worker, Act::Warmed(1)), 1);
    let error = worker.call(&Act::Pipe, LONG).unwrap_err();
    assert!(matches!(error, WorkerError::Violation { .. }), "{error:?}");
    let wider =
        builder(&acts::ACTS).seal(Seal::new().allow("pipe").allow("pipe2").kill_others()).start().unwrap();
    assert!(matches!(wider.spawn().unwrap().call(&Act::Pipe, LONG), Ok(Outcome::Done)));
}

#[test]
fn a_program_that_is_not_ready_says_why() {
    if !able() {
        return;
    }
    let error = builder(&acts::ABSENT).start().unwrap_err();
    let WorkerError::Setup { why, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*why, SetupError::NoEntry("absent".to_owned()));
    let error = builder(&acts::BURNT).start().unwrap_err();
    let WorkerError::Setup { why: SetupError::Step { step, .. }, said } = &error else { panic!("{error:?}") };
    assert!(step == "warming up" && said.contains("burnt"), "{error}");
    let error = builder(&acts::ECHO).program("/bin/true").start().unwrap_err();
    assert!(matches!(error, WorkerError::Setup { why: SetupError::Silent, .. }), "{error:?}");
    let error = builder(&acts::ECHO).program("/nowhere/at-all").start().unwrap_err();
    assert!(matches!(error, WorkerError::Start(_)), "{error:?}");
    let error = builder(&acts::ECHO).seal(Seal::new().allow("no-such-call")).start().unwrap_err();
    assert!(matches!(error, WorkerError::Setup { why: SetupError::Filter(_), .. }), "{error:?}");
}

#[test]
fn the_end_of_the_zygote_is_the_end_of_its_workers() {
    if !able() {
        return;
    }
    let zygote = small();
    let mut worker = zygote.spawn().unwrap();
    assert!(!zygote.is_gone());
    let parent = number(&mut worker, Act::Pid);
    assert!(parent > 1);
    drop(zygote);
    assert_eq!(number(&mut worker, Act::Warmed(3)), 9, "a worker keeps its zygote");
}

#[test]
fn a_limit_is_a_workers_own() {
    if !able() {
        return;
    }
    let zygote = builder(&acts::ACTS).limits(Limits::memory(200 << 20)).start().unwrap();
    let mut workers: Vec<_> = (0..3).map(|_| zygote.spawn().unwrap()).collect();
    for worker in &mut workers {
        assert_eq!(number(worker, Act::Allocate(100 << 20)), 100 << 20);
    }
}

/// What it does to its own channel and socket is no fault of its zygote, and stops nobody else.
#[test]
fn who_hides_how_it_ends_is_to_blame_and_keeps_nobody_waiting() {
    if !able() {
        return;
    }
    let zygote = small();
    let mut deaf = zygote.spawn().unwrap();
    let error = deaf.call(&Act::Deaf, LONG).unwrap_err();
    assert!(matches!(error, WorkerError::Protocol(ProtocolError::Closed)), "{error:?}");
    let mut left = zygote.spawn().unwrap();
    assert!(matches!(left.call(&Act::Leave, LONG), Ok(Outcome::Done)));
    while !has_ended(&left) {
        std::thread::yield_now();
    }
    // The first may have been forked before.
    for _ in 0..3 {
        assert_eq!(number(&mut zygote.spawn().unwrap(), Act::Warmed(2)), 4);
    }
    // What its parent took of its words meanwhile made room for the zygote's.
    let error = left.call(&Act::Sleep(1), LONG).unwrap_err();
    let closed = matches!(error, WorkerError::Protocol(ProtocolError::Closed));
    assert!(closed || matches!(error, WorkerError::Exited { code: 3, .. }), "{error:?}");
}

#[test]
fn a_reply_that_is_too_long_is_said_to_be() {
    if !able() {
        return;
    }
    let zygote = builder(&acts::ACTS).limits(Limits::memory(512 << 20)).start().unwrap();
    let error = zygote.spawn().unwrap().call(&Act::Reply((64 << 20) + 1), LONG).unwrap_err();
    assert!(matches!(&error, WorkerError::Exited { said, .. } if said.contains("longer than")), "{error:?}");
}
