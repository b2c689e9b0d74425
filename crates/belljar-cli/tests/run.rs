//! Runs of programs: what the caller sees of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use seen::{Folder, belljar, command, json, see};

#[test]
fn a_normal_run_shows_the_program_and_nothing_else() {
    let seen = belljar(["run", "--", "/bin/echo", "hello"]);
    assert_eq!((seen.status, seen.out.as_str(), seen.err.as_str()), (0, "hello\n", ""));
}

/// Command, exit status, last words.
const STATUS: &[(&[&str], i32, &str)] = &[
    (&["sh", "-c", "exit 0"], 0, ""),
    (&["sh", "-c", "exit 7"], 7, "hint: belljar run --explain says"),
    (&["sh", "-c", "exit 125"], 125, "hint: belljar run --explain says"),
    (&["sh", "-c", "kill -TERM $$"], 128 + 15, "belljar: signal 15 (SIGTERM) ended the program\n"),
    (
        &["sh", "-c", "kill -KILL $$"],
        128 + 9,
        "belljar: signal 9 (SIGKILL) ended the program\nhint: belljar did not",
    ),
    (&["sh", "-c", "kill -SEGV $$"], 128 + 11, "belljar: signal 11 (SIGSEGV) ended the program\n"),
];

#[test]
fn the_status_is_the_programs_own() {
    for (args, status, said) in STATUS {
        let seen = belljar(["run", "--"].iter().chain(*args));
        assert_eq!(seen.status, *status, "{args:?}: {seen:?}");
        assert!(seen.err.starts_with(said) && seen.err.is_empty() == said.is_empty(), "{args:?}: {seen:?}");
    }
}

#[test]
fn what_cannot_be_run_is_told_from_what_is_not_there() {
    let absent = belljar(["run", "--", "no-such-program-anywhere"]);
    assert_eq!(absent.status, 127, "{absent:?}");
    assert!(absent.err.contains("no-such-program-anywhere"), "{absent:?}");
    let empty = belljar(["run", "--", ""]);
    assert!(empty.status == 127 && empty.err.contains("'': not found"), "{empty:?}");
    let place = Folder::new("outside");
    let outside = place.write("program", "#!/bin/sh\n");
    let by_path = ["run", "-p", "@base", "--cwd", "/usr", "--"].iter().map(OsStr::new);
    let ungranted = belljar(by_path.chain([outside.as_os_str()]));
    let grant = format!("grant it with -r {}\n", outside.display());
    assert!(ungranted.status == 127 && ungranted.err.contains(&grant), "{ungranted:?}");
    let data = belljar(["run", "--", "/etc/passwd"]);
    assert_eq!(data.status, 126, "{data:?}");
    let folder = belljar(["run", "--", "/usr"]);
    assert!(folder.status == 126 && folder.err.contains("hint: it is a folder"), "{folder:?}");
    let bare = place.write("bare", "exit 3\n");
    std::fs::set_permissions(&bare, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let bare = [OsStr::new("run"), OsStr::new("-r"), bare.as_os_str(), OsStr::new("--"), bare.as_os_str()];
    let bare = belljar(bare);
    assert!(bare.status == 126 && bare.err.contains("hint: a script needs"), "{bare:?}");
}

#[test]
fn a_program_that_no_search_path_leads_to_is_named() {
    let seen = see(command(["run", "--", "true"]).env("PATH", "relative"));
    assert_eq!(seen.status, 127, "{seen:?}");
    assert!(seen.err.contains("not found: true"), "{seen:?}");
}

#[test]
fn a_time_limit_ends_the_run_with_124_and_a_word() {
    let seen = belljar(["run", "-t", "300ms", "--", "sleep", "30"]);
    assert_eq!(seen.status, 124, "{seen:?}");
    assert!(seen.err.starts_with("belljar: ") && seen.err.contains("time limit"), "{seen:?}");
    let quiet = belljar(["run", "-q", "-t", "300ms", "--", "sleep", "30"]);
    assert_eq!((quiet.status, quiet.err.as_str()), (124, ""));
}

#[test]
fn a_log_beyond_the_callers_limit_ends_the_run_with_a_word() {
    let folder = Folder::new("log-limit");
    let (log, report) = (folder.path().join("log"), folder.path().join("report"));
    let belljar = env!("CARGO_BIN_EXE_belljar");
    let script = format!(
        "ulimit -f 4; {belljar} run -- sh -c 'head -c 9000 /dev/zero; grep SigBlk /proc/self/status >&2; sleep 9' >> {}",
        log.display()
    );
    let seen = see(std::process::Command::new("bash").args(["-c", &script]));
    assert!(seen.status == 125 && seen.err.contains("File too large"), "{seen:?}");
    assert_eq!(std::fs::metadata(log).unwrap().len(), 4096);
    // The program itself is ended as it would be outside.
    let script = format!("ulimit -f 4; {belljar} run -- sh -c 'exec head -c 9000 /dev/zero > /tmp/x'");
    let seen = see(std::process::Command::new("bash").args(["-c", &script]));
    assert_eq!(seen.status, 128 + 25, "{seen:?}");
    let script = format!("ulimit -f 0; {belljar} run --report {} -- true", report.display());
    let seen = see(std::process::Command::new("bash").args(["-c", &script]));
    assert!(seen.status == 125 && seen.err.contains("report cannot be written"), "{seen:?}");
}

/// A stopped init hears no words: what ends it is the kernel.
#[test]
fn a_stopped_jar_dies_with_its_supervisor() {
    let mut child = command(["run", "--", "sleep", "30"]).spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let until = Instant::now() + Duration::from_secs(60);
    let init = loop {
        let listed = std::fs::read_to_string(&children).unwrap();
        let init = listed.trim().to_owned();
        let has_program = std::fs::read_to_string(format!("/proc/{init}/task/{init}/children"));
        if has_program.is_ok_and(|listed| !listed.is_empty()) {
            break init;
        }
        assert!(Instant::now() < until, "no program was started");
        std::thread::yield_now();
    };
    let stop = std::process::Command::new("kill").args(["-STOP", &init]).status().unwrap();
    assert!(stop.success());
    child.kill().unwrap();
    child.wait().unwrap();
    let status = format!("/proc/{init}/stat");
    let lives = || std::fs::read_to_string(&status).is_ok_and(|stat| !stat.contains(") Z "));
    while lives() && Instant::now() < until {
        std::thread::yield_now();
    }
    let survived = lives();
    let killed = std::process::Command::new("kill").args(["-KILL", &init]).output().unwrap();
    assert!(!survived, "init lived on: {killed:?}");
}

#[test]
fn standard_input_reaches_the_program() {
    let mut child = command(["run", "--", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("belljar starts");
    child.stdin.take().expect("a pipe").write_all(b"through the wall").expect("room in the pipe");
    assert_eq!(child.wait_with_output().expect("belljar ends").stdout, b"through the wall");
}

/// Children of all threads of a process, also those that have ended and nobody has waited for.
fn children(pid: u32) -> Vec<String> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
    let of = |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("children"));
    let texts = threads.filter_map(|thread| of(thread.ok()?).ok());
    texts.flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Root's grants are translated by user namespaces, each of which a process held until it was open.
#[test]
fn while_a_program_runs_its_init_is_the_only_child() {
    let folder = Folder::new("only-child");
    let grant = folder.path().to_string_lossy().into_owned();
    let mut child = command(["run", "-w", &*grant, "--", "sh", "-c", "echo up; exec cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("belljar starts");
    let mut up = [0; 3];
    child.stdout.as_mut().expect("a pipe").read_exact(&mut up).expect("the program runs");
    let until = Instant::now() + Duration::from_secs(60);
    while children(child.id()).len() != 1 && Instant::now() < until {
        std::thread::yield_now();
    }
    assert_eq!(children(child.id()).len(), 1, "{:?}", children(child.id()));
    drop(child.stdin.take());
    assert!(child.wait().expect("belljar ends").success());
}

#[test]
fn a_command_named_like_a_flag_is_a_command() {
    let folder = Folder::new("flag-name");
    let program = folder.write("--read", "#!/bin/sh\necho \"ran $0 $*\"\n");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).expect("chmod");
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let seen =
        see(command(["run", "-r", &*folder.path().to_string_lossy(), "--", "--read", "--report", "x"])
            .env("PATH", path));
    assert_eq!(seen.status, 0, "{seen:?}");
    assert!(seen.out.ends_with("--read --report x\n"), "{seen:?}");
}

#[test]
fn verbose_says_what_held_each_rule() {
    let seen = belljar(["run", "-v", "-m", "512M", "--", "true"]);
    assert_eq!(seen.status, 0, "{seen:?}");
    assert!(seen.err.starts_with("belljar: the program exited with 0\nbelljar: used wall "), "{seen:?}");
    assert!(seen.err.contains("seccomp"), "{seen:?}");
}

/// Programs look up the address of their own name: Java's `getLocalHost`, Erlang's nodes, `hostname -f`.
#[test]
fn the_jars_own_name_has_an_address() {
    let own = "use Sys::Hostname; print join '.', unpack 'C4', scalar gethostbyname hostname";
    for net in ["none", "no.test"] {
        let seen = belljar(["run", "-n", net, "--", "perl", "-e", own]);
        assert_eq!((seen.status, seen.out.as_str()), (0, "127.0.0.1"), "{net}: {seen:?}");
    }
}

#[test]
fn only_the_granted_folder_can_be_written() {
    let folder = Folder::new("written");
    let script = "echo in > made; echo out > /usr/belljar-was-here";
    let place = folder.path().to_string_lossy().into_owned();
    let seen = see(command(["run", "-w", &place, "--", "sh", "-c", script]).current_dir(folder.path()));
    assert_ne!(seen.status, 0, "{seen:?}");
    assert_eq!(std::fs::read_to_string(folder.path().join("made")).expect("made"), "in\n");
    assert!(!std::path::Path::new("/usr/belljar-was-here").try_exists().expect("stat"));
}

#[test]
fn a_shell_is_opened() {
    let mut child = command(["shell"])
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("belljar starts");
    child.stdin.take().expect("a pipe").write_all(b"echo $((6*7)); exit 3\n").expect("room");
    let output = child.wait_with_output().expect("belljar ends");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), &b"42\n"[..]));
}

#[test]
fn the_report_tells_a_failed_start_from_a_program_that_says_125() {
    let folder = Folder::new("told");
    let report = folder.path().join("r.json");
    let argument = format!("--report={}", report.display());
    assert_eq!(belljar(["run", &argument, "--", "sh", "-c", "exit 125"]).status, 125);
    assert_eq!(json(&report)["verdict"]["kind"], "exited");
    assert_eq!(belljar(["run", &argument, "-m", "nonsense", "--", "true"]).status, 125);
    assert_eq!(json(&report)["verdict"]["kind"], "setup-failed");
}

#[test]
fn the_program_ignores_the_signals_that_its_caller_ignored() {
    let ask = ["grep", "SigIgn", "/proc/self/status"];
    let bare = see(std::process::Command::new(ask[0]).args(&ask[1..]));
    assert_eq!(belljar(["run", "--"].iter().chain(&ask)).out, bare.out);
}

#[test]
fn the_callers_file_mode_mask_is_the_programs_and_nothing_elses() {
    for mask in ["0022", "0177", "0777"] {
        let script = format!("umask {mask}; exec \"$0\" run -- sh -c 'umask; cd /tmp && echo made > new'");
        let seen = Command::new("sh").args(["-c", &script, env!("CARGO_BIN_EXE_belljar")]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&seen.stdout), format!("{mask}\n"), "{seen:?}");
        assert!(seen.status.success(), "{seen:?}");
    }
}
