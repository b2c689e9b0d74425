//! Files that a program has open are opened once more by their number, where the broker answers: as much as the descriptor gives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "seen/out.rs"]
mod out;
mod seen;
#[path = "seen/stage.rs"]
mod stage;

use std::fs::{self, File};

use out::asked;
use seen::{command, see};
use stage::Stage;

fn is_ready() -> bool {
    seen::is_ready(&["--require=fs=namespaces", "--", "python3", "-c", "1"])
}

#[test]
fn what_an_answer_has_granted_is_opened_by_its_number() {
    if !is_ready() {
        return;
    }
    let stage = Stage::new("reopened", &["once", "once"]);
    let script = "exec 3< $DIR/host/a 4>> $DIR/host/b; cat /dev/fd/3; cat /proc/self/fd/3; stat -L -c %s /dev/fd/3
        test -r /proc/self/fd/3 && echo more >> /dev/fd/4; (echo x >> /proc/thread-self/fd/3) 2>&- || echo no writing
        (echo x > /proc/self/fd/3) 2>&- || echo no emptying; (cat /dev/fd/4) 2>&- || echo no reading
        test -w /dev/fd/3 || echo none; (echo x > /dev/fd/3/y) 2>&- || echo no folder; cat $DIR/host/a
        python3 -c 'import os; fd = os.memfd_create(\"m\"); os.write(fd, b\"memory\\n\"); print(open(f\"/dev/fd/{fd}\").read(), end=\"\")'";
    let seen = stage.run(&[], script);
    let refused = "no writing\nno emptying\nno reading\nnone\nno folder\n";
    assert_eq!(seen.out, format!("text of a\ntext of a\n10\n{refused}text of a\nmemory\n"), "{seen:?}");
    assert_eq!(asked(&stage), ["read a", "write b"], "a number is no question");
    assert_eq!(fs::read_to_string(stage.path("host/a")).unwrap(), "text of a\n");
    assert_eq!(fs::read_to_string(stage.path("host/b")).unwrap(), "text of b\nmore\n");
}

#[test]
fn standard_input_is_opened_by_its_name() {
    if !is_ready() {
        return;
    }
    let stage = Stage::new("reopened-stdin", &[]);
    let script = "cat /dev/stdin; test -r /dev/stdin && stat -L -c %s /dev/stdin; (echo x > /dev/stdin) 2>&- || echo no";
    let stdin = File::open(stage.path("host/a")).unwrap();
    let seen = see(command(["run", "-q", "--trace", "--", "sh", "-c", script]).stdin(stdin));
    assert_eq!(seen.out, "text of a\n10\nno\n", "{seen:?}");
    // What a file of `/proc` shows depends on who opens it, and when.
    let own = File::open("/proc/self/status").unwrap();
    let seen = see(command(["run", "-q", "--trace", "--", "sh", "-c", "cat < /dev/stdin"]).stdin(own));
    assert_ne!((seen.status, seen.out.as_str()), (0, ""), "{seen:?}");
    assert!(!seen.out.contains("Name:"), "{seen:?}");
}
