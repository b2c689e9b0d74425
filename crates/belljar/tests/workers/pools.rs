use std::sync::Barrier;
use std::time::Duration;

use belljar::policy::Policy;
use belljar::worker::{Limits, Pool, PoolBuilder, WorkerError};

use crate::acts::{self, Act, Outcome};
use crate::{LONG, able, program};

type Acting = PoolBuilder<Act, Outcome, acts::Questions>;

fn builder() -> Acting {
    let pool = Pool::builder(&Policy::none(), &acts::ACTS).limits(Limits::memory(64 << 20));
    pool.workers(|workers| workers.program(program("worker_acts")))
}

#[test]
fn many_threads_are_answered_each_by_a_fresh_worker() {
    if !able() {
        return;
    }
    let pool = builder().size(3).queue(100).start().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8_u8 {
            let pool = &pool;
            scope.spawn(move || {
                for turn in 0..5 {
                    let secret = belljar::worker::Bytes(vec![thread; 100]);
                    assert!(matches!(pool.call(&Act::Keep(secret), LONG), Ok(Outcome::Done)));
                    let recalled = pool.call(&Act::Recall, LONG).unwrap();
                    assert!(
                        matches!(&recalled, Outcome::Bytes(kept) if kept.0.is_empty()),
                        "{turn}: {recalled:?}"
                    );
                }
            });
        }
    });
    let stats = pool.stats();
    assert_eq!((stats.started, stats.answered, stats.lost()), (80, 80, 0), "{stats:?}");
    assert_eq!((stats.busy, stats.waiting), (0, 0));
    assert!(stats.worked >= stats.longest_work && stats.to_string().contains("80 answered"), "{stats}");
}

#[test]
fn lost_workers_are_counted_and_replaced() {
    if !able() {
        return;
    }
    let pool = builder().size(2).start().unwrap();
    assert!(matches!(pool.call(&Act::Abort, LONG), Err(WorkerError::Crashed { .. })));
    assert!(matches!(pool.call(&Act::Panic, LONG), Err(WorkerError::Panicked { .. })));
    let late = pool.call(&Act::Spin, Duration::from_millis(30));
    assert!(matches!(late, Err(WorkerError::TimedOut { .. })), "{late:?}");
    assert!(matches!(pool.call(&Act::Allocate(1 << 40), LONG), Err(WorkerError::OutOfMemory { .. })));
    let forged = pool.call(&Act::Forge(acts::Forgery::Noise), LONG);
    assert!(matches!(forged, Err(WorkerError::Protocol(_))), "{forged:?}");
    assert!(matches!(pool.call(&Act::Warmed(3), LONG), Ok(Outcome::Number(9))));
    let stats = pool.stats();
    let lost = (stats.crashed, stats.timed_out, stats.out_of_memory, stats.protocol);
    assert_eq!((lost, stats.answered), ((2, 1, 1, 1), 1), "{stats:?}");
}

#[test]
fn what_exceeds_the_pool_waits_and_what_exceeds_the_queue_is_refused() {
    if !able() {
        return;
    }
    let pool = builder().size(1).queue(1).start().unwrap();
    let lent = pool.lease(LONG).unwrap();
    let full = pool.try_call(&Act::Pid, LONG);
    assert!(matches!(full, Err(WorkerError::Full { .. })), "{full:?}");
    let busy = pool.call(&Act::Pid, Duration::from_millis(20));
    assert!(matches!(busy, Err(WorkerError::Busy { .. })), "{busy:?}");
    let ready = Barrier::new(2);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| {
            ready.wait();
            pool.call(&Act::Warmed(4), LONG)
        });
        ready.wait();
        while pool.stats().waiting == 0 {
            std::thread::yield_now();
        }
        let second = pool.call(&Act::Pid, LONG);
        assert!(matches!(second, Err(WorkerError::Full { waiting: 1 })), "{second:?}");
        drop(lent);
        assert!(matches!(waits.join().unwrap(), Ok(Outcome::Number(16))));
    });
    let stats = pool.stats();
    assert_eq!((stats.refused, stats.answered), (3, 1), "{stats:?}");
    assert!(stats.longest_wait > Duration::ZERO);
}

#[test]
fn a_lease_is_one_worker_for_one_client() {
    if !able() {
        return;
    }
    let pool = builder().size(1).start().unwrap();
    let mut lease = pool.lease(LONG).unwrap();
    assert!(matches!(lease.call(&Act::Keep(belljar::worker::Bytes(vec![5])), LONG), Ok(Outcome::Done)));
    let kept = lease.call(&Act::Recall, LONG).unwrap();
    assert!(matches!(&kept, Outcome::Bytes(kept) if kept.0 == [5]), "{kept:?}");
    drop(lease);
    let next = pool.call(&Act::Recall, LONG).unwrap();
    assert!(matches!(&next, Outcome::Bytes(kept) if kept.0.is_empty()), "{next:?}");
}

/// A run in a process of its own, which looks for the one that it ends.
#[test]
fn a_zygote_that_is_killed_is_replaced() {
    if able() {
        crate::cycles::alone("pools::loses_its_zygote");
    }
}

#[test]
#[ignore = "runs in a process of its own: a_zygote_that_is_killed_is_replaced"]
fn loses_its_zygote() {
    let before = crate::cycles::descriptors();
    {
        let pool = builder().size(2).start().unwrap();
        let steady = crate::cycles::descriptors();
        for round in 0..3 {
            let seen = pool.stats();
            assert_eq!((seen.restarted, seen.failed, seen.busy), (round * 2, round * 4, 0), "{seen:?}");
            lost_while_idle(&pool);
            assert_eq!((pool.stats().restarted, pool.stats().failed), (round * 2 + 1, round * 4 + 2));
            lost_while_at_work(&pool);
            assert_eq!(crate::cycles::descriptors(), steady);
        }
        // Init, zygote and a spare worker.
        crate::cycles::settles(3);
    }
    assert_eq!(crate::cycles::descriptors(), before);
    crate::cycles::settles(0);
}

type Answering = Pool<Act, Outcome, acts::Questions>;

/// A worker ends with its zygote; who asks next has one of the next zygote.
fn lost_while_idle(pool: &Answering) {
    let mut idle = pool.lease(LONG).unwrap();
    kill_zygote();
    let lost = idle.call(&Act::Pid, LONG);
    assert!(matches!(lost, Err(WorkerError::ZygoteGone)), "{lost:?}");
    assert!(matches!(idle.call(&Act::Pid, LONG), Err(WorkerError::Gone)));
    drop(idle);
    let next = pool.call(&Act::Warmed(5), LONG);
    assert!(matches!(next, Ok(Outcome::Number(25))), "{next:?}");
}

/// Calls that are under way fail, and not only at their deadline.
fn lost_while_at_work(pool: &Answering) {
    let before = pool.stats().started;
    std::thread::scope(|scope| {
        let calls = [(); 2].map(|()| scope.spawn(|| pool.call(&Act::Sleep(60_000), LONG * 2)));
        while pool.stats().started < before + 2 {
            std::thread::yield_now();
        }
        kill_zygote();
        for call in calls {
            let lost = call.join().unwrap();
            assert!(matches!(lost, Err(WorkerError::ZygoteGone)), "{lost:?}");
        }
    });
    assert!(matches!(pool.call(&Act::Warmed(6), LONG), Ok(Outcome::Number(36))));
}

/// From outside, as somebody with the user's rights can: the child of the newest jar's first process. Its workers have been ended
/// when this returns.
pub(crate) fn kill_zygote() {
    let inits = crate::cycles::children(std::process::id());
    let zygotes = || inits.iter().flat_map(|init| crate::cycles::children(*init)).collect::<Vec<_>>();
    let zygote = *zygotes().last().expect("a zygote");
    let pid = rustix::process::Pid::from_raw(i32::try_from(zygote).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    while zygotes().contains(&zygote) {
        std::thread::yield_now();
    }
}
