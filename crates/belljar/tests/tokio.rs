//! Jars among tasks of tokio.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "test program")]

mod support;

use std::future::Future;
use std::time::Duration;

use belljar::report::Verdict;
use belljar::{Command, Stdio};
use support::jars::{self, Place};
use support::{has_userns, watch};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const LONG: Duration = Duration::from_secs(60);

/// One thread for all tasks: whatever blocks it, blocks the test.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap().block_on(work)
}

fn place() -> Option<Place> {
    has_userns().then(Place::new)
}

#[test]
fn many_jars_are_waited_for_on_one_thread() {
    let Some(place) = place() else { return };
    block_on(async {
        let run = |number: u8| {
            let mut command =
                jars::shell(&place, &[], &format!("read never; sleep 0.2; echo {number} >&2; exit {number}"));
            tokio::spawn(async move { belljar::tokio::output(&mut command).await.unwrap() })
        };
        let tasks: Vec<_> = (0..16).map(run).collect();
        for (number, task) in (0..).zip(tasks) {
            let output = task.await.unwrap();
            assert_eq!(output.report.verdict, Verdict::Exited { code: number });
            assert_eq!(output.stderr, format!("{number}\n").into_bytes());
        }
    });
}

#[test]
fn streams_are_read_and_written_while_others_work() {
    let Some(place) = place() else { return };
    block_on(async {
        let mut command = jars::shell(&place, &[], "tr a-z A-Z");
        let mut child = belljar::tokio::spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped())).unwrap();
        let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let text = vec![b'x'; 1 << 20];
        let write = tokio::spawn(async move { input.write_all(&text).await.unwrap() });
        let mut loud = Vec::new();
        output.read_to_end(&mut loud).await.unwrap();
        write.await.unwrap();
        assert!(loud.len() == 1 << 20 && loud.iter().all(|byte| *byte == b'X'));
        assert!(child.wait().await.unwrap().success());
        assert!(child.wait().await.unwrap().success(), "the report stays");
        assert!(child.try_wait().unwrap().unwrap().success());
    });
}

#[test]
fn cancelling_and_killing_end_every_process() {
    let Some(place) = place() else { return };
    for limit in [None, Some(Duration::from_secs(600))] {
        let mark = watch::mark();
        let jar = || {
            let mut command = jars::shell(&place, &[], &format!("(setsid sleep {mark} &); sleep {mark}"));
            limit.map(|limit| command.timeout(limit));
            command
        };
        let lives = || watch::within(LONG, || watch::marked(&mark).len() == 2);
        block_on(async {
            let mut command = jar();
            let task = tokio::spawn(async move { belljar::tokio::status(&mut command).await.map(drop) });
            tokio::task::yield_now().await;
            assert!(lives());
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
            assert!(watch::marked(&mark).is_empty());

            let mut child = belljar::tokio::spawn(&mut jar()).unwrap();
            assert!(lives() && child.try_wait().unwrap().is_none());
            child.kill().await.unwrap();
            assert!(watch::marked(&mark).is_empty());
            assert_eq!(child.wait().await.unwrap().signal(), Some(9));

            let child = belljar::tokio::spawn(&mut jar()).unwrap();
            assert!(lives());
            drop(child);
            assert!(watch::marked(&mark).is_empty());
        });
    }
}

#[test]
fn limits_act_while_the_task_waits() {
    let Some(place) = place() else { return };
    block_on(async {
        let mut command = jars::shell(&place, &[], "sleep 600");
        let report = belljar::tokio::status(command.timeout(Duration::from_millis(200))).await.unwrap();
        assert_eq!(report.verdict, Verdict::TimedOut);
        let mut command = jars::shell(&place, &[("--output", "100k")], "while :; do echo 0123456789; done");
        let output = belljar::tokio::output(&mut command).await.unwrap();
        assert_eq!(output.stdout.len(), 100 * 1024);
    });
}

#[test]
fn the_example_counts_each_file_in_a_jar_of_its_own() {
    let Some(place) = place() else { return };
    let own = std::env::current_exe().unwrap();
    let example = own.parent().and_then(std::path::Path::parent).unwrap().join("examples/tokio");
    assert!(std::fs::metadata(&example).is_ok(), "build it first: cargo build -p belljar --example tokio");
    let files = ["one", "two"].map(|name| place.granted().join(name));
    files.iter().for_each(|file| jars::file(file, "a\nb\n"));
    let output = std::process::Command::new(example).args(&files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let counted = files.map(|file| format!("2 {}\n", file.display())).concat();
    assert_eq!(String::from_utf8_lossy(&output.stdout), counted);
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_jar() {
    let mut command = Command::new("/bin/true");
    assert!(belljar::tokio::spawn(&mut command).unwrap_err().to_string().contains("runtime"));
    fn crosses_threads<T: Send>(_: T) {}
    crosses_threads(belljar::tokio::output(&mut command));
}
