//! Programs that work against the broker: names that change under it, signals that interrupt it, strings at the edge of what
//! is mapped, callers that die.

use std::path::PathBuf;
use std::process::Command as Plain;
use std::time::{Duration, Instant};

use super::alike::TRACE;
use super::spy::Spy;
use super::support::has;
use super::support::jars::{self, Place};

/// The attacker, compiled into the granted folder.
fn attacker(place: &Place) -> Option<PathBuf> {
    let built = place.granted().join("hostile");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/broker/hostile.c");
    let done = Plain::new("gcc").args(["-O1", "-static", "-pthread", "-o"]).arg(&built).arg(source).status();
    has("gcc", done.is_ok_and(|status| status.success())).then_some(built)
}

/// Runs the attacker without a jar and in one whose judge refuses the file "secret".
fn both(words: &[&str]) -> Option<(String, String)> {
    if !super::has_broker() {
        return None;
    }
    let run = |place: &Place, jarred: bool| {
        jars::file(&place.granted().join("secret"), "the secret");
        let attacker = attacker(place)?;
        if !jarred {
            let mut command = jars::as_jar_user(attacker.to_str().unwrap());
            let output = command.args(words).current_dir(place.granted()).output().unwrap();
            return Some(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let mut command = belljar::Command::new(&attacker);
        command.args(words).policy(jars::policy(&place.granted(), TRACE)).current_dir(place.granted());
        command.timeout(Duration::from_secs(120));
        Spy::default().on(&mut command, &place.granted().join("secret"));
        Some(jars::finish(&mut command).unwrap().out)
    };
    Some((run(&Place::new(), false)?, run(&Place::new(), true)?))
}

#[test]
fn a_name_that_changes_after_the_check_leads_nowhere() {
    // The control: whoever checks a name in memory and uses it afterwards opens the secret.
    let Some((naive, _)) = both(&["naive", "2"]) else { return };
    assert_eq!(naive, "allowed 1 secret 1\n");
    let (free, jarred) = both(&["race", "2"]).unwrap();
    assert_eq!(free, "allowed 1 secret 1\n", "without a judge both are opened");
    assert_eq!(jarred, "allowed 1 secret 0\n");
}

#[test]
fn calls_happen_once_whatever_signals_come() {
    for mode in ["storm", "restart"] {
        let Some((_, jarred)) = both(&[mode, "1500"]) else { return };
        assert_eq!(jarred, "made 1500 other 0\n", "{mode}");
    }
}

#[test]
fn strings_at_the_edge_are_read_as_the_kernel_reads_them() {
    let Some((free, jarred)) = both(&["strings"]) else { return };
    assert_eq!(jarred, free);
    assert!(free.starts_with("fits 1\n") && free.contains("\nshared -1 14 1\n"), "{free}");
}

#[test]
fn callers_that_die_leave_the_broker_to_the_others() {
    let start = Instant::now();
    let Some((free, jarred)) = both(&["churn", "150"]) else { return };
    assert_eq!((free.as_str(), jarred.as_str()), ("alive 1\n", "alive 1\n"));
    assert!(start.elapsed() < Duration::from_secs(60));
}

/// A call that waits for another holds up neither its process nor the rest.
#[test]
fn fifos_that_nobody_opens_delay_nobody() {
    if !super::has_broker() {
        return;
    }
    let script = "mkfifo f; p=; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do cat f > /dev/null & p=\"$p $!\"; done; \
                  sleep 0.2; s=$(date +%s%N); for i in 1 2 3 4 5 6 7 8 9 10; do cat victim > /dev/null; done; \
                  e=$(date +%s%N); echo $(( (e - s) / 10000000 )); kill $p; wait; exec 3<> f; echo done";
    let place = Place::new();
    let done = jars::finish(jars::shell(&place, TRACE, script).timeout(Duration::from_secs(60))).unwrap();
    let (took, rest) = done.out.split_once('\n').unwrap_or_else(|| panic!("{done:?}"));
    // Held up they would take for ever; a busy machine takes its time.
    assert!(took.parse::<u32>().unwrap() < 1000, "{took} ms for each cat");
    assert_eq!(rest, "done\n");
}
