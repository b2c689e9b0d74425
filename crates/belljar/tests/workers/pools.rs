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
