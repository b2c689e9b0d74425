use std::io::Write;
use std::time::Duration;

use belljar::worker::{Bytes, Monitor, Permit, Session, SetupError, WorkerError};

use crate::acts::{Act, Ask, Outcome, Questions, Told};
use crate::{LONG, able, small};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Hello,
    Keys,
    Closed,
}

/// Signs, opens, and closes for good.
#[derive(Debug, Default)]
pub(crate) struct Clerk {
    signed: Vec<Vec<u8>>,
}

impl Monitor for Clerk {
    type Needs = Questions;
    type Phase = Phase;
    const TABLE: &'static [Permit<Phase>] = &[
        Permit::once(Phase::Hello, "Banner"),
        Permit::at_most(Phase::Keys, "Sign", 2),
        Permit::always(Phase::Keys, "Open"),
        Permit::always(Phase::Keys, "Stall"),
        Permit::always(Phase::Keys, "Shut"),
        Permit::never(Phase::Closed, "Shut"),
    ];

    fn answer(&mut self, ask: Ask, phase: &mut Phase) -> Told {
        match ask {
            Ask::Banner => {
                *phase = Phase::Keys;
                Told::Banner("hello".to_owned())
            }
            Ask::Sign(what) => {
                self.signed.push(what.0.clone());
                Told::Signature(Bytes(what.0.into_iter().rev().collect()))
            }
            Ask::Open(name) => Told::File((name == "list").then(|| {
                let mut file = tempfile::tempfile().unwrap();
                file.write_all(b"of the parent").unwrap();
                file.into()
            })),
            Ask::Shut => {
                *phase = Phase::Closed;
                Told::Nothing
            }
            Ask::Stall => {
                std::thread::sleep(Duration::from_millis(100));
                Told::Nothing
            }
        }
    }
}

pub(crate) fn session() -> Session<Clerk> {
    Session::new(Clerk::default(), Phase::Hello).unwrap()
}

fn sign(text: &str) -> Ask {
    Ask::Sign(Bytes(text.as_bytes().to_vec()))
}

#[test]
fn what_the_table_permits_is_answered() {
    if !able() {
        return;
    }
    let (mut worker, mut session) = (small().spawn().unwrap(), session());
    let asks = vec![Ask::Banner, sign("abc"), Ask::Open("list".into()), Ask::Open("other".into()), Ask::Shut];
    let told = worker.call_with(&Act::Ask(asks), LONG, &mut session).unwrap();
    let Outcome::Told(told) = told else { panic!("{told:?}") };
    let [Told::Banner(_), Told::Signature(signature), Told::File(Some(_)), Told::File(None), Told::Nothing] =
        &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!(signature.0, b"cba");
    assert_eq!((session.phase(), session.monitor().signed.len()), (Phase::Closed, 1));
}

/// Each row is a worker's questions and the one that is refused.
#[test]
fn out_of_phase_once_too_often_and_never_end_the_worker() {
    if !able() {
        return;
    }
    let zygote = small();
    let out_of_phase = |asks: Vec<Ask>| {
        let (mut worker, mut session) = (zygote.spawn().unwrap(), session());
        let error = worker.call_with(&Act::Ask(asks), LONG, &mut session).unwrap_err();
        crate::gone(&mut worker);
        (error, session)
    };
    let (error, session) = out_of_phase(vec![sign("too early")]);
    assert!(matches!(error, WorkerError::OutOfPhase { ask: "Sign", .. }), "{error:?}");
    assert!(session.monitor().signed.is_empty());
    let (error, _) = out_of_phase(vec![Ask::Banner, Ask::Banner]);
    assert!(matches!(error, WorkerError::OutOfPhase { ask: "Banner", .. }), "{error:?}");
    let (error, session) = out_of_phase(vec![Ask::Banner, sign("1"), sign("2"), sign("3")]);
    assert!(matches!(error, WorkerError::OverBudget { ask: "Sign", most: 2, .. }), "{error:?}");
    assert_eq!(session.monitor().signed.len(), 2);
    let (error, _) = out_of_phase(vec![Ask::Banner, Ask::Shut, Ask::Shut]);
    assert!(matches!(error, WorkerError::OutOfPhase { ask: "Shut", .. }), "{error:?}");
}

/// Once is once: also after the phase came back.
#[test]
fn budgets_are_those_of_the_session() {
    if !able() {
        return;
    }
    let (mut worker, mut session) = (small().spawn().unwrap(), session());
    worker.call_with(&Act::Ask(vec![Ask::Banner]), LONG, &mut session).unwrap();
    session.enter(Phase::Hello);
    let error = worker.call_with(&Act::Ask(vec![Ask::Banner]), LONG, &mut session).unwrap_err();
    assert!(matches!(error, WorkerError::OverBudget { ask: "Banner", most: 1, .. }), "{error:?}");
}

#[test]
fn who_has_no_monitor_may_ask_nothing_and_answers_take_from_the_time() {
    if !able() {
        return;
    }
    let zygote = small();
    let error = zygote.spawn().unwrap().call(&Act::Ask(vec![Ask::Banner]), LONG).unwrap_err();
    assert!(matches!(error, WorkerError::Protocol(_)), "{error:?}");
    let stalls = Act::Ask(vec![Ask::Banner, Ask::Stall, Ask::Stall, Ask::Stall]);
    let mut session = session();
    let error = zygote.spawn().unwrap().call_with(&stalls, Duration::from_millis(150), &mut session);
    assert!(matches!(error, Err(WorkerError::TimedOut { .. })), "{error:?}");
}

struct Typo;

impl Monitor for Typo {
    type Needs = Questions;
    type Phase = ();
    const TABLE: &'static [Permit<()>] = &[Permit::once((), "Baner")];

    fn answer(&mut self, _: Ask, (): &mut ()) -> Told {
        Told::Nothing
    }
}

struct Twice;

impl Monitor for Twice {
    type Needs = Questions;
    type Phase = ();
    const TABLE: &'static [Permit<()>] = &[Permit::once((), "Banner"), Permit::always((), "Banner")];

    fn answer(&mut self, _: Ask, (): &mut ()) -> Told {
        Told::Nothing
    }
}

#[test]
fn a_table_with_a_mistake_is_none() {
    for mistake in [Session::new(Typo, ()).err(), Session::new(Twice, ()).err()] {
        let Some(WorkerError::Setup { why: SetupError::Table(_), .. }) = mistake else {
            panic!("{mistake:?}")
        };
    }
}
