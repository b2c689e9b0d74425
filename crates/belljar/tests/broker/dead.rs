//! A network mount whose server no longer answers: whoever asks it for a path waits, and nobody else does.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command as Plain;
use std::time::Duration;

use super::alike::TRACE;
use super::stalls::compiled;
use super::support::has;
use super::support::jars::{self, Place};

const AT: &str = "BELLJAR_DEAD";

/// What `dead.c` ends with where the kernel lets this user mount nothing.
const CANNOT: i32 = 77;

#[test]
fn a_dead_mount_delays_no_other_thread_and_the_deadline_answers() {
    if !super::has_broker() {
        return;
    }
    let place = Place::new();
    let (Some(mounts), Some(_)) = (compiled(&place, "dead"), compiled(&place, "stalls")) else { return };
    let net = place.granted().join("net");
    std::fs::create_dir(&net).unwrap();
    std::fs::set_permissions(&net, PermissionsExt::from_mode(0o777)).unwrap();
    let own = std::env::current_exe().unwrap();
    let run = |program: &Path, words: &[&str]| {
        let mut command: Plain = jars::as_jar_user(mounts.to_str().unwrap());
        command.arg(&net).arg(program).args(words).env(AT, place.granted()).current_dir(place.granted());
        // The deadline is the same for the test, only sooner.
        command.env("BELLJAR_TEST_BROKER", "hasty");
        command.output().unwrap()
    };
    let control = run(Path::new("/usr/bin/timeout"), &["1", "sh", "-c", "cat net/last; cat net/dead"]);
    if !has("fuse", control.status.code() != Some(CANNOT)) {
        return;
    }
    assert_eq!(control.status.code(), Some(124), "without a jar it waits for ever: {control:?}");
    let inside = run(&own, &["dead::inside", "--exact", "--ignored", "--nocapture"]);
    assert!(inside.status.success(), "{}", String::from_utf8_lossy(&inside.stderr));
}

/// Not a test: what runs beside the mount.
#[test]
#[ignore = "started by the other tests"]
fn inside() {
    let granted = PathBuf::from(std::env::var_os(AT).expect("started by the other tests"));
    let mut command = belljar::Command::new(granted.join("stalls"));
    command.args(["dead", "3"]).policy(jars::policy(&granted, TRACE)).current_dir(&granted);
    let done = jars::finish(command.timeout(Duration::from_secs(120))).unwrap();
    assert_eq!(done.out, "served 50\nmeanwhile 0\nopened 0 late 3 failed 0\n", "{done:?}");
    let told = done.report.denials().find(|event| event.object.ends_with("net/dead"));
    assert_eq!(told.map(|event| event.count), Some(3), "{:?}", done.report.events);
}
