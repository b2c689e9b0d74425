//! Each limit, reached on purpose: who held it, what the verdict says, and that a program below it is left alone.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test program"
)]

mod support;

use std::fs::File;
use std::time::{Duration, Instant};

use belljar::probe::Cgroup;
use belljar::report::{LimitHeld, LimitKind, Report, Verdict};
use belljar::{Command, HostFacts, Stdio};
use support::jars::{self, Done, Place};
use support::{has, has_python, has_userns, watch};

type Flags<'a> = &'a [(&'a str, &'a str)];

/// Facts of this host without control groups: what everyone has.
fn plain() -> HostFacts {
    let mut facts = belljar::probe::probe();
    facts.cgroup = Cgroup::None;
    facts
}

fn run_on(facts: &HostFacts, flags: Flags<'_>, script: &str) -> (Place, Done) {
    let place = Place::new();
    let all: Vec<_> = [("-w", ".")].iter().chain(flags).copied().collect();
    let done = jars::finish(jars::shell(&place, &all, script).host(facts.clone())).unwrap();
    (place, done)
}

fn run(flags: Flags<'_>, script: &str) -> Done {
    run_on(&plain(), flags, script).1
}

fn held(report: &Report, limit: LimitKind) -> &LimitHeld {
    report.limits.iter().find(|held| held.limit == limit).unwrap_or_else(|| panic!("{report:?}"))
}

/// The limit ended the run, and the report says who held it.
fn hit(done: &Done, limit: LimitKind, code: u8, by: &str) {
    let verdict = match limit {
        LimitKind::Wall => Verdict::TimedOut,
        limit => Verdict::LimitHit { limit },
    };
    assert_eq!((done.report.verdict, done.report.verdict.exit_code()), (verdict, code), "{done:?}");
    let row = held(&done.report, limit);
    assert!(row.hit && row.by.contains(by), "{row:?}");
    assert!(done.report.reason.contains("limit was reached"), "{done:?}");
    assert!(done.report.hint.contains(" set it; --"), "{done:?}");
    let others = done.report.limits.iter().filter(|held| held.limit != limit);
    assert!(others.clone().all(|held| !held.hit), "{done:?}");
}

/// The program was refused something and went on.
fn told(done: &Done, limit: LimitKind, words: &str, by: &str) {
    assert_eq!(done.report.verdict, Verdict::Exited { code: 0 }, "{done:?}");
    assert!(done.out.contains(words), "{done:?}");
    assert!(held(&done.report, limit).by.contains(by), "{done:?}");
}

/// Python keeps this many MiB until it ends.
fn keep(mib: u32, seconds: u32) -> String {
    format!("python3 -c 'import time; x = bytearray({mib} << 20); time.sleep({seconds}); print(\"kept\")'")
}

fn ready() -> bool {
    has_userns() && has_python()
}

#[test]
fn wall_time_ends_every_process() {
    if !ready() {
        return;
    }
    let mark = watch::mark();
    let script = format!("trap '' TERM INT HUP; setsid sleep {mark} & sleep {mark}");
    let start = Instant::now();
    let done = run(&[("-t", "500ms")], &script);
    assert!((Duration::from_millis(450)..watch::LONG).contains(&start.elapsed()));
    hit(&done, LimitKind::Wall, 124, "clock");
    assert!(watch::marked(&mark).is_empty());
    assert_eq!(run(&[("-t", "30s")], "exit 0").report.verdict, Verdict::Exited { code: 0 });

    let place = Place::new();
    let mut command = jars::shell(&place, &[], "sleep 60");
    let report = command.timeout(Duration::from_millis(200)).spawn().unwrap().wait().unwrap();
    assert_eq!(report.verdict, Verdict::TimedOut, "Command::timeout is the same limit");
}

#[test]
fn processor_time_of_the_whole_tree_is_held() {
    if !ready() {
        return;
    }
    let spin = "while :; do :; done";
    hit(
        &run(&[("--cpu", "1s"), ("-t", "60s")], &format!("exec sh -c '{spin}'")),
        LimitKind::Cpu,
        124,
        "RLIMIT_CPU",
    );
    let many = format!("for i in 1 2 3 4; do ({spin}) & done; wait");
    let killed = run(&[("--cpu", "1s"), ("-t", "60s")], &many);
    hit(&killed, LimitKind::Cpu, 124, "watch");
    let used = killed.report.usage;
    assert!(used.user + used.system >= Duration::from_secs(1) && used.peak_memory > 0, "{used:?}");
    let idle = run(&[("--cpu", "1s"), ("-t", "60s")], "sleep 1.5");
    assert_eq!(idle.report.verdict, Verdict::Exited { code: 0 }, "waiting is no use of a processor");
}

#[test]
fn memory_of_the_tree_is_watched_where_no_group_counts() {
    if !ready() {
        return;
    }
    let flags = [("-m", "100M"), ("-t", "60s")];
    let three = format!("{0} & {0} & {0} & wait; echo end", keep(60, 20));
    hit(&run(&flags, &three), LimitKind::Memory, 137, "watch");
    let one = run(&flags, &keep(60, 0));
    assert_eq!((one.report.verdict, one.out.as_str()), (Verdict::Exited { code: 0 }, "kept\n"));
    assert!(one.report.usage.peak_memory > 60 << 20, "{:?}", one.report.usage);
    let more = run(&flags, &format!("{} || echo refused", keep(200, 0)));
    told(&more, LimitKind::Memory, "refused", "RLIMIT_DATA");
    assert!(more.err.contains("MemoryError"), "{more:?}");
}

#[test]
fn memory_is_held_by_a_group_where_there_is_one() {
    let mut facts = belljar::probe::probe();
    facts.cgroup = belljar::probe::cgroup();
    let found = !matches!(facts.cgroup, Cgroup::None);
    if !ready() || !has("cgroup", found) {
        return;
    }
    let flags = [("-m", "100M"), ("-t", "60s")];
    // The kernel ends the largest: the program itself.
    let (_, done) = run_on(&facts, &flags, &format!("{} & sleep 0.3; exec {}", keep(30, 20), keep(85, 20)));
    assert_eq!(done.report.verdict, Verdict::LimitHit { limit: LimitKind::Memory }, "{done:?}");
    let row = held(&done.report, LimitKind::Memory);
    assert!(row.hit && row.by.contains("cgroup"), "{row:?}");
    let (_, one) = run_on(&facts, &flags, &keep(60, 0));
    assert_eq!(one.report.verdict, Verdict::Exited { code: 0 }, "{one:?}");
    assert!(!held(&one.report, LimitKind::Memory).hit);
    let (_, forks) =
        run_on(&facts, &[("--pids", "6")], "for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done; wait");
    assert!(held(&forks.report, LimitKind::Pids).by.contains("cgroup"), "{forks:?}");
}

#[test]
fn processes_are_counted_per_jar() {
    if !ready() {
        return;
    }
    let mark = watch::mark();
    let script = format!(
        "python3 -c 'import os
made = 0
for _ in range(30):
    try:
        if os.fork() == 0: os.execv(\"/bin/sleep\", [\"sleep\", \"{mark}\"])
        made += 1
    except BlockingIOError: break
print(\"made\", made, flush=True)
os.read(0, 1)'"
    );
    let place = Place::new();
    let jar = |pids| {
        let mut command = jars::shell(&place, &[("--pids", pids)], &script);
        command.host(plain()).stdin(Stdio::Piped).stdout(Stdio::Null).spawn().unwrap()
    };
    let first = jar("8");
    assert!(watch::within(watch::LONG, || watch::marked(&mark).len() >= 6));
    let second = jar("8");
    assert!(watch::within(watch::LONG, || watch::marked(&mark).len() >= 12), "each jar has its own count");
    assert!(watch::marked(&mark).len() <= 16);
    for mut child in [first, second] {
        drop(child.stdin.take());
        let report = child.wait().unwrap();
        assert_eq!(report.verdict, Verdict::Exited { code: 0 });
        assert!(held(&report, LimitKind::Pids).by.contains("RLIMIT_NPROC"), "{report:?}");
    }
    assert!(watch::marked(&mark).is_empty());
    let out = run(&[("--pids", "8")], &script).out;
    assert!(["made 6\n", "made 7\n"].contains(&out.as_str()), "{out}");
    assert_eq!(run(&[("--pids", "100")], &script).out, "made 30\n");
}

#[test]
fn a_file_ends_at_its_largest_size() {
    if !ready() {
        return;
    }
    let flags = [("--fsize", "1M")];
    let (place, done) =
        run_on(&plain(), &flags, "exec dd if=/dev/zero of=$G/big bs=64k count=64 status=none");
    hit(&done, LimitKind::Fsize, 153, "RLIMIT_FSIZE");
    assert_eq!(std::fs::metadata(place.granted().join("big")).unwrap().len(), 1 << 20);
    let (place, done) = run_on(&plain(), &flags, "dd if=/dev/zero of=$G/small bs=64k count=16 status=none");
    assert_eq!(done.report.verdict, Verdict::Exited { code: 0 });
    assert_eq!(std::fs::metadata(place.granted().join("small")).unwrap().len(), 1 << 20);
}

#[test]
fn descriptors_private_memory_and_tmp_are_refused_at_their_limit() {
    if !ready() {
        return;
    }
    let open = "python3 -c 'import os
kept = []
try:
    while len(kept) < 100: kept.append(os.dup(1))
except OSError as error: print(\"errno\", error.errno, len(kept) < 20)
else: print(\"all\")'";
    told(&run(&[("--files", "20")], open), LimitKind::Files, "errno 24 True", "RLIMIT_NOFILE");
    told(&run(&[("--files", "500")], open), LimitKind::Files, "all", "RLIMIT_NOFILE");
    let data = format!("{} 2>&1 || echo refused", keep(100, 0));
    told(&run(&[("--data", "64M")], &data), LimitKind::Data, "refused", "RLIMIT_DATA");
    told(&run(&[("--data", "200M")], &data), LimitKind::Data, "kept", "RLIMIT_DATA");
    let fill = "dd if=/dev/zero of=/tmp/big bs=64k count=64 2>&1; stat -c %s /tmp/big";
    let full = run(&[("--tmp", "1M")], fill);
    told(&full, LimitKind::Tmp, "No space left", "file system in memory");
    assert!(full.out.ends_with("1048576\n"), "{full:?}");
    told(&run(&[("--tmp", "8M")], fill), LimitKind::Tmp, "4194304", "file system in memory");
}

#[test]
fn output_ends_at_its_limit_in_files_and_in_pipes() {
    if !ready() {
        return;
    }
    for (limit, written, ended) in [("1000", 1000, true), ("100k", 20_000, false)] {
        let place = Place::new();
        let out = place.outside().join("out");
        let file = File::create(&out).unwrap();
        let script = "i=0; while [ $i -lt 1000 ]; do echo 0123456789012345678; i=$((i+1)); done";
        let mut command = jars::shell(&place, &[("--output", limit)], script);
        let streams = command.host(plain()).stdout(Stdio::From(file.try_clone().unwrap().into()));
        let report = streams.stderr(Stdio::From(file.into())).spawn().unwrap().wait().unwrap();
        assert_eq!(std::fs::metadata(out).unwrap().len(), written);
        let verdict = Verdict::LimitHit { limit: LimitKind::Output };
        assert_eq!(report.verdict == verdict, ended, "{report:?}");
        assert_eq!(held(&report, LimitKind::Output).hit, ended);
    }
    let endless = "while :; do echo 0123456789; echo 0123456789 >&2; done";
    let done = run(&[("--output", "300k")], endless);
    assert_eq!(done.report.verdict, Verdict::LimitHit { limit: LimitKind::Output });
    assert_eq!(done.out.len() + done.err.len(), 300 * 1024, "both streams count");
}

#[test]
fn no_limit_has_no_row() {
    if ready() {
        let place = Place::new();
        let mut command = Command::new("/bin/true");
        command.policy(jars::policy(&place.granted(), &[("-p", "@base")])).current_dir("/");
        assert_eq!(jars::finish(&mut command).unwrap().report.limits, []);
    }
}

#[test]
fn processor_time_of_children_that_nobody_waits_for_is_held() {
    if !ready() {
        return;
    }
    // The kernel drops the time of such children: a parent that ignores SIGCHLD waits for none.
    let turns = "import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(6):
    pid = os.fork()
    if pid == 0:
        while time.process_time() < 0.7: pass
        os._exit(0)
    try: os.waitpid(pid, 0)
    except ChildProcessError: pass
";
    let flags = [("--cpu", "2s"), ("-t", "60s")];
    hit(&run(&flags, &format!("exec python3 -c '{turns}'")), LimitKind::Cpu, 124, "watch");
    // Those that are waited for count once.
    let waited = turns.replace("signal.SIG_IGN", "signal.SIG_DFL").replace("range(6)", "range(2)");
    let done = run(&flags, &format!("exec python3 -c '{waited}'"));
    assert_eq!(done.report.verdict, Verdict::Exited { code: 0 }, "{done:?}");
}
