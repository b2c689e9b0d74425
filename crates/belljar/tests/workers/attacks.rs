//! What a worker that was taken over tries. Each attack first succeeds in this process, or in the same program without a seal.

use crate::acts::{Act, Outcome, alone};
use crate::support::jars::Place;
use crate::{LONG, able, number, small};

fn refused(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused(_))
}

/// What reaches for something of the host.
pub(crate) fn on_host(place: &Place) -> [Act; 10] {
    let path = |name: &str| place.outside().join(name).to_str().unwrap().to_owned();
    [
        Act::Open(path("secret")),
        Act::Create(path("made")),
        Act::Open("/".to_owned()),
        Act::Status(path("secret")),
        Act::Listen,
        Act::Datagram,
        Act::Socketpair,
        Act::Start("/bin/true".to_owned()),
        Act::Thread,
        Act::Pipe,
    ]
}

#[test]
fn nothing_of_the_host_is_reached() {
    if !able() {
        return;
    }
    let place = Place::new();
    let zygote = small();
    for attack in on_host(&place) {
        assert!(!refused(&alone(&attack)), "{attack:?} works without belljar");
        let mut worker = zygote.spawn().unwrap();
        let outcome = worker.call(&attack, LONG).unwrap();
        assert!(refused(&outcome), "{attack:?}: {outcome:?}");
    }
}

/// Workers of one zygote see each other's numbers. Nothing that they know of one another can be used.
#[test]
fn siblings_and_the_zygote_are_not_ended() {
    if !able() {
        return;
    }
    let zygote = small();
    let (mut worker, mut sibling) = (zygote.spawn().unwrap(), zygote.spawn().unwrap());
    let victim = i32::try_from(number(&mut sibling, Act::Pid)).unwrap();
    for pid in [1, 2, victim] {
        let outcome = worker.call(&Act::Kill(pid), LONG).unwrap();
        assert!(refused(&outcome), "{pid}: {outcome:?}");
    }
    assert_eq!(number(&mut sibling, Act::Warmed(7)), 49);
    assert_eq!(number(&mut zygote.spawn().unwrap(), Act::Warmed(8)), 64);
    // The control: the same call works on a process of one's own.
    let mut own = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    assert!(!refused(&alone(&Act::Kill(i32::try_from(own.id()).unwrap()))));
    own.wait().unwrap();
}

/// What one worker was given is in no other, looked for from outside in all that it can write to.
#[test]
fn nothing_of_one_request_is_in_the_next_worker() {
    if !able() {
        return;
    }
    let canary: Vec<u8> = (0..64_u8).map(|at| at.wrapping_mul(37) ^ 0xA5).collect();
    let zygote = small();
    let mut first = zygote.spawn().unwrap();
    let kept = first.call(&Act::Keep(belljar::worker::Bytes(canary.clone())), LONG).unwrap();
    assert!(matches!(kept, Outcome::Done));
    let mut second = zygote.spawn().unwrap();
    assert!(crate::bytes(&mut second, Act::Recall).is_empty());
    let looks = [crate::cycles::writable_memory(&first), crate::cycles::writable_memory(&second)];
    if let [Some(first), Some(second)] = &looks {
        assert!(holds(first, &canary), "the control: it is found where it is");
        assert!(!second.is_empty() && !holds(second, &canary[..16]));
    }
    crate::support::has(crate::cycles::LOOK, looks.iter().all(Option::is_some));
    assert_eq!(crate::bytes(&mut first, Act::Recall), canary);
}

fn holds(memory: &[u8], canary: &[u8]) -> bool {
    memory.windows(canary.len()).any(|window| window == canary)
}
