//! Calls that wait for somebody who does not come: the rest of the jar is served all the same, and each caller gets an answer.

use std::path::PathBuf;
use std::process::Command as Plain;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use belljar::broker::{Judge, Request, Verdict};

use super::alike::TRACE;
use super::support::has;
use super::support::jars::{self, Done, Place};
use super::support::watch;

/// Compiled into the granted folder.
pub(super) fn compiled(place: &Place, name: &str) -> Option<PathBuf> {
    let built = place.granted().join(name);
    let source = format!("{}/tests/broker/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let done = Plain::new("gcc").args(["-O1", "-static", "-pthread", "-o"]).arg(&built).arg(source).status();
    has("gcc", done.is_ok_and(|status| status.success())).then_some(built)
}

fn run(words: &[&str], prepare: impl FnOnce(&Place, &mut belljar::Command)) -> Option<Done> {
    if !super::has_broker() {
        return None;
    }
    let place = Place::new();
    let mut command = belljar::Command::new(compiled(&place, "stalls")?);
    command.args(words).policy(jars::policy(&place.granted(), TRACE)).current_dir(place.granted());
    command.timeout(Duration::from_secs(120));
    prepare(&place, &mut command);
    Some(jars::finish(&mut command).unwrap())
}

/// The same program without a jar.
fn free(words: &[&str]) -> Option<String> {
    let place = Place::new();
    let mut command = jars::as_jar_user(compiled(&place, "stalls")?.to_str().unwrap());
    let output = command.args(words).current_dir(place.granted()).output().unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Never answers about one path, until the test is over.
struct Silent {
    inner: Arc<dyn Judge>,
    about: PathBuf,
    over: Arc<(Mutex<bool>, Condvar)>,
}

impl Judge for Silent {
    fn judge(&self, request: &Request<'_>) -> Verdict {
        if request.path() == Some(&self.about) {
            let over = self.over.0.lock().unwrap();
            drop(self.over.1.wait_while(over, |over| !*over).unwrap());
        }
        self.inner.judge(request)
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(1500)
    }
}

#[test]
fn hundreds_of_calls_that_nobody_decides_end_with_an_error_and_delay_no_others() {
    let over = Arc::new((Mutex::new(false), Condvar::new()));
    let released = Arc::clone(&over);
    let done = run(&["judged", "200"], |place, command| {
        let about = place.granted().join("slow");
        jars::file(&about, "slow");
        command.judge(move |inner| Arc::new(Silent { inner, about: about.clone(), over: Arc::clone(&over) }));
    });
    *released.0.lock().unwrap() = true;
    released.1.notify_all();
    let Some(done) = done else { return };
    assert_eq!(done.out, "served 50\nopened 0 late 200 failed 0\n", "{}", done.err);
    let told = done.report.denials().find(|event| event.rule.starts_with("whoever decides"));
    let told = told.unwrap_or_else(|| panic!("{:?}", done.report.events));
    assert_eq!((told.count, told.object.as_str()), (200, "slow"));
}

#[test]
fn hundreds_of_opens_that_wait_for_a_fifo_hold_no_thread() {
    for end in ["readers", "writers"] {
        let words = [end, "300"];
        let Some(done) = run(&words, |_, _| {}) else { return };
        assert_eq!(done.out, free(&words).unwrap(), "{end}: {}", done.err);
        assert_eq!(done.out, "served 50\nopened 300 late 0 failed 0\n", "{end}");
        assert!(done.report.denials().next().is_none(), "{:?}", done.report.events);
    }
}

#[test]
fn signals_end_or_repeat_the_wait_for_a_fifo_as_their_handlers_want() {
    for (mode, expected) in [("signal", "Interrupted system call\n"), ("restart", "opened\n")] {
        let Some(done) = run(&[mode], |_, _| {}) else { return };
        assert_eq!((done.out.as_str(), free(&[mode]).unwrap()), (expected, expected.to_owned()), "{mode}");
    }
}

#[test]
fn both_ends_of_two_fifos_find_each_other() {
    let Some(done) = run(&["pair"], |_, _| {}) else { return };
    assert_eq!(done.out, "b 0 0\n");
    assert_eq!(free(&["pair"]).as_deref(), Some("b 0 0\n"));
}

/// Breaks the thread that asks it about one path.
struct Broken {
    inner: Arc<dyn Judge>,
    about: PathBuf,
}

impl Judge for Broken {
    fn judge(&self, request: &Request<'_>) -> Verdict {
        assert_ne!(request.path(), Some(self.about.as_path()), "the test breaks the broker");
        self.inner.judge(request)
    }
}

#[test]
fn a_broker_that_fails_takes_the_jar_along() {
    if !super::has_broker() {
        return;
    }
    let place = Place::new();
    let (about, mark) = (place.granted().join("victim"), watch::mark());
    let mut command = jars::shell(&place, TRACE, &format!("sleep {mark} & cat victim; sleep {mark}"));
    command.judge(move |inner| Arc::new(Broken { inner, about: about.clone() }));
    let ended = jars::finish(command.timeout(Duration::from_secs(60)));
    assert!(ended.is_err_and(|error| error.to_string().contains("attending the jar")));
    assert!(watch::within(watch::LONG, || watch::marked(&mark).is_empty()));
}
