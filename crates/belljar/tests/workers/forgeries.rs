use std::time::Duration;

use belljar::worker::{ProtocolError, WorkerError};

use crate::acts::{Act, FORGERIES, Forgery, Outcome};
use crate::asks::session;
use crate::{LONG, able, gone, small};

#[test]
fn every_forged_message_ends_its_worker() {
    if !able() {
        return;
    }
    let zygote = small();
    for forgery in FORGERIES {
        let mut worker = zygote.spawn().unwrap();
        let error = worker.call_with(&Act::Forge(*forgery), LONG, &mut session()).unwrap_err();
        assert!(matches!(error, WorkerError::Protocol(_)), "{forgery:?}: {error:?}");
        gone(&mut worker);
    }
}

#[test]
fn a_reply_counts_once_and_to_its_own_request() {
    if !able() {
        return;
    }
    let zygote = small();
    for forgery in [Forgery::Replay, Forgery::Early] {
        let mut worker = zygote.spawn().unwrap();
        assert!(matches!(worker.call(&Act::Forge(forgery), LONG), Ok(Outcome::Done)), "{forgery:?}");
        let second = worker.call(&Act::Pid, Duration::from_secs(2));
        match (forgery, second) {
            (Forgery::Replay, Err(WorkerError::Protocol(ProtocolError::Number { due: 2, found: 1 }))) => {
                gone(&mut worker);
            }
            // A worker may lie about any answer; that it knew the next number gains it nothing.
            (Forgery::Early, Ok(Outcome::Done)) => {}
            (_, other) => panic!("{forgery:?}: {other:?}"),
        }
    }
}

#[test]
fn a_question_counts_once() {
    if !able() {
        return;
    }
    let mut worker = small().spawn().unwrap();
    let error = worker.call_with(&Act::Forge(Forgery::RepeatedAsk), LONG, &mut session()).unwrap_err();
    let replayed = ProtocolError::Number { due: 2, found: 1 };
    assert!(matches!(&error, WorkerError::Protocol(why) if *why == replayed), "{error:?}");
}
