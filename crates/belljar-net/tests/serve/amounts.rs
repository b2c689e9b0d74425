//! Many connections, and the budgets that hold them.

use std::time::{Duration, Instant};

use crate::world::{Setup, World, echo, echoes};

fn setup(port: u16) -> Setup {
    Setup::new(port).allow(&format!("a.test:{port}")).name("a.test", &["127.0.0.1"])
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn ten_thousand_connections() {
    let mut setup = setup(echo());
    setup.budgets.per_second = 100_000;
    let world = setup.start();
    let addr = world.query("a.test", simple_dns::TYPE::A).1[0];
    let serve = |world: &World, count: usize| {
        for round in 0..count {
            assert!(echoes(&mut world.connect_to(addr), "some bytes"), "{round}");
        }
    };
    serve(&world, 2000);
    let before = descriptors();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| serve(&world, 1000));
        }
    });
    assert_eq!(world.seen.connections.lock().unwrap().len(), 10_000);
    assert_eq!(*world.names.asked.lock().unwrap(), ["a.test"]);
    let after = descriptors();
    assert!(after < before + 200, "{before} descriptors, then {after}");
}

#[test]
fn a_full_house_lets_the_next_one_wait() {
    let mut setup = setup(echo());
    setup.budgets.open = 2;
    let world = setup.start();
    let mut guests: Vec<_> = (0..2).map(|_| world.connect("a.test")).collect();
    assert!(guests.iter_mut().all(|guest| echoes(guest, "x")));
    let mut third = world.connect("a.test");
    third.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(!echoes(&mut third, "x"), "no place yet");
    drop(guests.pop());
    third.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut answer = [0];
    std::io::Read::read_exact(&mut third, &mut answer).unwrap();
    assert_eq!(&answer, b"x");
    assert!(echoes(&mut guests[0], "still served"));
}

#[test]
fn new_connections_come_at_their_rate() {
    let mut setup = setup(echo());
    (setup.budgets.burst, setup.budgets.per_second) = (5, 20);
    let world = setup.start();
    let start = Instant::now();
    for _ in 0..15 {
        assert!(echoes(&mut world.connect("a.test"), "x"));
    }
    assert!(start.elapsed() >= Duration::from_millis(450), "{:?}", start.elapsed());
}
