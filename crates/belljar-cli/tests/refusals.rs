//! What the filter refuses is told, refused all the same, and the flag that is named lets it through.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;

use seen::{Folder, belljar, json};
use serde_json::Value;

/// What it is, a program that makes the call and fails with its error number, the call, its object, its flag.
const CALLS: &[(&str, &str, &str, &str, Option<&str>)] = &[
    ("tracing", "syscall(101, 0, 0, 0, 0) == -1 and exit $!+0", "ptrace", "PTRACE_TRACEME", Some("--debug")),
    (
        "unix socket",
        "socket(S, 1, 1, 0) or exit $!+0",
        "socket",
        "AF_UNIX SOCK_STREAM",
        Some("--allow-syscall @socket-unix"),
    ),
    (
        "keyring",
        "syscall(250, 6, -3, 0, 0, 0) == -1 and $!+0 < 2 and exit $!+0",
        "keyctl",
        "",
        Some("--allow-syscall keyctl"),
    ),
    (
        "memory of old databases",
        "syscall(29, 0, 4096, 0x380) == -1 and exit $!+0",
        "shmget",
        "",
        Some("--allow-syscall @sysv-ipc"),
    ),
    (
        "an option of processes",
        "syscall(157, 8, 1, 0, 0, 0) == -1 and exit $!+0",
        "prctl",
        "PR_SET_KEEPCAPS",
        None,
    ),
    ("set-user-id", "chmod(04755, '/tmp') or exit $!+0", "chmod", "mode 4755", None),
    ("namespace", "syscall(272, 0x10000000) == -1 and exit $!+0", "unshare", "CLONE_NEWUSER", None),
    (
        "options of tracing",
        "syscall(101, 0x4200, 0, 0, 0) == -1 and $!+0 == 1 and exit 1",
        "ptrace",
        "PTRACE_SETOPTIONS",
        Some("--debug"),
    ),
];

fn run(folder: &Folder, more: &[&str], program: &str) -> (i32, Value) {
    let file = folder.path().join("r.json");
    let place = file.to_string_lossy().into_owned();
    let args = ["run", "--report", &place].into_iter().chain(more.iter().copied());
    let seen = belljar(args.chain(["--", "perl", "-e", program]));
    (seen.status, json(&file)["events"].clone())
}

/// What it is, a program that needs it, options, its object, its flag. `{}` is a folder of the host.
const THINGS: &[(&str, &str, &[&str], &str, &str)] = &[
    ("reading a file", "cat {}/a/f", &["--explain"], "{}/a/f", "--read {}/a/f"),
    ("listing a folder", "ls {}/a", &["--explain"], "{}/a", "--read {}/a"),
    ("looking at a file", "test -e {}/a/f", &["--explain"], "{}/a/f", "--read {}/a/f"),
    ("making a file", "echo x > {}/a/new", &["--explain"], "{}/a/new", "--write {}/a"),
    (
        "writing where reading is granted",
        "echo x > {}/a/f",
        &["--explain", "-r", "{}"],
        "{}/a/f",
        "--write {}/a/f",
    ),
    ("reading what a rule hides", "cat {}/a/f", &["--explain", "-p", "{}/p.toml"], "{}/a/f", "--read {}/a/f"),
    ("an odd name", "cat {}/a/b:c", &["--explain"], "{}/a/b:c", "--read {}/a/b\\:c"),
    (
        "a name of the network",
        "perl -e 'gethostbyname(q(other.test)) or exit 1'",
        &["-n", "known.test:80"],
        "other.test",
        "--net other.test",
    ),
];

#[test]
fn the_flag_of_an_event_grants_the_thing() {
    let folder = Folder::new("things");
    let top = folder.path().to_string_lossy().into_owned();
    std::fs::create_dir(folder.path().join("a")).unwrap();
    folder.write("a/f", "text");
    folder.write("a/b:c", "text");
    let hides =
        format!("belljar = 1\nextends = [\"@strict\"]\n[fs]\n\"{top}\" = \"read\"\n\"{top}/a\" = \"hide\"\n");
    folder.write("p.toml", &hides);
    let file = folder.path().join("r.json").to_string_lossy().into_owned();
    let fill = |text: &str| text.replace("{}", &top);
    for (what, program, options, object, flag) in THINGS {
        let options: Vec<String> = options.iter().map(|option| fill(option)).collect();
        let run = |more: &[&str]| {
            let words = ["run", "--report", &file].into_iter().chain(options.iter().map(String::as_str));
            let seen = belljar(words.chain(more.iter().copied()).chain(["--", "sh", "-c", &fill(program)]));
            let status = seen.status;
            (status, json(std::path::Path::new(&file))["events"].clone(), seen)
        };
        let (status, events, seen) = run(&[]);
        assert_ne!(status, 0, "{what}: {seen:?}");
        let about = |event: &&Value| event["object"] == fill(object).as_str() && !event["flag"].is_null();
        let event = events.as_array().unwrap().iter().find(about);
        let event = event.unwrap_or_else(|| panic!("{what}: {events} {seen:?}"));
        assert_eq!(event["flag"], fill(flag).as_str(), "{what}");
        assert!(seen.err.contains("to allow: --"), "{what}: {seen:?}");
        let flag = fill(flag);
        let (name, value) = flag.split_once(' ').unwrap();
        let (status, _, seen) = run(&[name, value]);
        assert_eq!(status, 0, "{what} with {flag}: {seen:?}");
    }
}

/// No rule may name the home folder: the flag names what is to be made in it.
#[test]
fn a_folder_to_be_made_at_home_is_made_first_and_granted_then() {
    let folder = Folder::new("home");
    let home = folder.path().join("home");
    let project = home.join("project");
    std::fs::create_dir_all(&project).unwrap();
    let file = folder.path().join("r.json");
    let run = |more: &[&str]| {
        let words =
            ["run", "--explain", "--report", file.to_str().unwrap()].into_iter().chain(more.iter().copied());
        let mut command = seen::command(words.chain(["--", "sh", "-c", "mkdir ~/.cache; test -w ~/.cache"]));
        seen::see(command.env("HOME", &home).current_dir(&project))
    };
    assert_ne!(run(&[]).status, 0);
    let cache = home.join(".cache");
    let flag = format!("--write {}", cache.display());
    let events = json(&file)["events"].clone();
    let lacked = events.as_array().unwrap().iter().find(|event| event["flag"] == flag.as_str());
    assert!(lacked.is_some(), "{events}");
    let words: Vec<&str> = flag.split(' ').collect();
    let early = run(&words);
    assert!(early.status == 125 && early.err.contains("hint: create it first"), "{early:?}");
    std::fs::create_dir(&cache).unwrap();
    let granted = run(&words);
    assert_eq!(granted.status, 0, "{granted:?}");
}

#[test]
fn the_flag_that_why_names_passes_a_variable() {
    let program = "test \"$BELLJAR_TOKEN\" = x";
    let run = |more: &[&str]| {
        let mut command = seen::command(["run"].iter().chain(more).chain(&["--", "sh", "-c", program]));
        seen::see(command.env("BELLJAR_TOKEN", "x")).status
    };
    assert_eq!(run(&[]), 1);
    let answer: Value = serde_json::from_str(&belljar(["why", "--json", "BELLJAR_TOKEN"]).out).unwrap();
    let flag = answer["flag"].as_str().unwrap();
    assert_eq!(run(&flag.split(' ').collect::<Vec<_>>()), 0, "{flag}");
}

#[test]
fn an_explained_run_has_the_same_verdicts_and_tells_nothing_that_is_not_there() {
    let script = "cat /etc/hostname /no/such/file; cat /etc/shadow; echo x > /etc/x; ls /; exit 5";
    let [plain, explained] = [&["run", "--"][..], &["run", "--explain", "--"]]
        .map(|args| belljar(args.iter().copied().chain(["sh", "-c", script])));
    assert_eq!((explained.status, explained.out), (5, plain.out));
    let (own, _) = plain.err.split_once("belljar: ").expect("told that the command line names /etc/shadow");
    assert!(explained.err.contains("/etc/shadow") && explained.err.starts_with(own), "{}", explained.err);
    let block = &explained.err[own.len()..];
    assert!(!block.contains("/no/such") && block.contains("to allow: --write /etc"), "{block}");
}

fn find<'e>(events: &'e Value, call: &str) -> Option<&'e Value> {
    events.as_array().unwrap().iter().find(|event| event["call"] == call)
}

#[test]
fn the_flag_of_an_event_lets_the_call_through() {
    let folder = Folder::new("flags");
    // The second has a broker, whose listener hears of both.
    for more in [&[][..], &["--trace"]] {
        for (what, program, call, object, flag) in CALLS {
            let (status, events) = run(&folder, more, program);
            let event = find(&events, call).unwrap_or_else(|| panic!("{what} {more:?}: {events}"));
            assert!(status == 1 || status == 13, "{what}: {status}");
            assert_eq!((&event["object"], &event["program"]), (&(*object).into(), &"perl".into()), "{what}");
            assert_eq!(event["flag"].as_str(), *flag, "{what}");
            let Some(flag) = flag else { continue };
            let with = more.iter().copied().chain(flag.split(' ')).collect::<Vec<_>>();
            let (status, events) = run(&folder, &with, program);
            assert_eq!((status, find(&events, call)), (0, None), "{what} with {with:?}");
        }
    }
}

#[test]
fn a_refusal_of_what_is_promised_is_told_and_does_not_end_the_program() {
    let folder = Folder::new("promised");
    let (what, program, call, object, flag) = CALLS[1];
    let promise = ["--promise", "stdio rpath unix prot_exec"];
    let (status, events) = run(&folder, &promise, program);
    let event = find(&events, call).unwrap_or_else(|| panic!("{what}: {status} {events}"));
    assert_eq!((status, &event["object"], event["flag"].as_str()), (13, &object.into(), flag));
    let allowed: Vec<&str> = promise.into_iter().chain(flag.unwrap().split(' ')).collect();
    let (status, events) = run(&folder, &allowed, program);
    assert_eq!((status, find(&events, call)), (0, None), "{events}");
    // What is not promised still ends it.
    let (status, events) = run(&folder, &["--promise", "stdio rpath prot_exec"], program);
    assert!(status > 128, "{status}");
    assert!(find(&events, call).unwrap()["rule"].as_str().unwrap().starts_with("promise"), "{events}");
}

#[test]
fn the_error_is_the_same_whether_somebody_hears_it_or_not() {
    let ways = [
        &["run", "--"][..],
        &["run", "-q", "--"],
        &["run", "--trace", "--"],
        &["run", "--trace", "-q", "--"],
    ];
    for (what, program, ..) in CALLS {
        let heard = ways.map(|args| belljar(args.iter().copied().chain(["perl", "-e", program])).status);
        assert_eq!(heard, [heard[0]; 4], "{what}");
    }
}

#[test]
fn a_policy_that_denies_by_name_is_named_and_no_flag_is() {
    let folder = Folder::new("deny");
    let (_, events) = run(&folder, &["--deny-syscall", "ptrace"], CALLS[0].1);
    let event = find(&events, "ptrace").unwrap();
    assert_eq!(event["rule"], "syscalls.deny \"ptrace\"");
    assert_eq!((&event["origin"], &event["flag"]), (&"--deny-syscall ptrace".into(), &Value::Null));
}

#[test]
fn repeated_calls_of_many_processes_are_one_event() {
    let folder = Folder::new("many");
    let program = "for (1..20) { fork or last } for (1..50) { syscall(101, 0, 0, 0, 0) } 1 while wait != -1";
    let (status, events) = run(&folder, &[], program);
    assert_eq!(status, 0);
    let event = find(&events, "ptrace").unwrap();
    assert_eq!(event["count"], 50 * 21, "{events}");
}

#[test]
fn the_block_is_said_after_a_failure_and_not_when_quiet() {
    let program = "syscall(101, 0, 0, 0, 0); exit $ARGV[0]";
    let said = |args: &[&str], code: &str| {
        let all = args.iter().copied().chain(["--", "perl", "-e", program, code]);
        belljar(["run"].into_iter().chain(all)).err
    };
    assert_eq!(said(&[], "0"), "");
    assert_eq!(
        said(&[], "3"),
        "belljar: refused\n  ptrace PTRACE_TRACEME (perl): no system call passes that no rule names (default)\n    to allow: --debug\nhint: belljar run --explain says which paths of the host it lacked or could not write\n"
    );
    assert_eq!(said(&["-q"], "3"), "");
    assert!(
        said(&["-v"], "3").matches("--explain").count() == 1 && !said(&["-v"], "0").contains("--explain")
    );
}

#[test]
fn a_jar_without_sockets_starts_with_a_listener() {
    let folder = Folder::new("no-sockets");
    let (status, events) = run(&folder, &["-n", "off"], "socket(S, 2, 1, 0) or exit $!+0");
    assert_eq!(status, 13, "{events}");
    let sockets = events.as_array().unwrap().iter().filter(|event| event["call"] == "socket");
    let told: Vec<_> = sockets.map(|event| (&event["object"], &event["program"], &event["count"])).collect();
    assert_eq!(told, [(&"AF_INET SOCK_STREAM".into(), &"perl".into(), &1.into())]);
}

#[test]
fn a_program_that_fails_without_a_network_is_told_that_it_has_none() {
    let connects =
        "use Socket; socket(S, 2, 1, 0); connect(S, sockaddr_in(443, inet_aton('192.0.2.1'))) or exit 9";
    let told = |program: &str| {
        let folder = Folder::new("alone");
        let (status, events) = run(&folder, &[], program);
        let events = events.as_array().expect("events").clone();
        (status, events.into_iter().filter(|event| event["object"] == "other hosts").collect::<Vec<_>>())
    };
    let (status, events) = told(connects);
    assert_eq!((status, events.len()), (9, 1), "{events:?}");
    assert_eq!(events[0]["count"], 1);
    assert!(events[0]["rule"].as_str().expect("a rule").contains("--net HOST:PORT"), "{events:?}");
    assert_eq!(told("exit 9"), (9, Vec::new()), "belljar's own look is not the program's");
    assert_eq!(
        told(&connects.replace("exit 9", "exit 0")),
        (0, Vec::new()),
        "who goes well is not looked at"
    );
}

#[test]
fn a_program_that_calls_itself_belljar_is_told_of() {
    let folder = Folder::new("named");
    let forks = "my $name = 'belljar'; syscall(157, 15, $name) and exit 99; my $pid = fork; if ($pid) { wait; exit $? >> 8 }
        socket(S, 1, 1, 0) or exit $!+0";
    let (status, events) = run(&folder, &[], forks);
    assert_eq!(
        (status, &events[0]["call"], &events[0]["program"]),
        (13, &"socket".into(), &"belljar".into())
    );
}
