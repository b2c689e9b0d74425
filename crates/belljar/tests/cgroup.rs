//! Control groups on this kernel: version 1 as root here, version 2 where a folder is delegated (the emulated machine
//! runs the ignored tests). Judged by what happens to the processes, not by what the group says.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::panic, reason = "test program")]

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use belljar::limits::{Amounts, Group, LimitError};
use belljar::probe::Cgroup;
use belljar::report::LimitKind;

/// Runs `body` on a version 1 host, or says why not; `BELLJAR_MUST=cgroup-v1` makes the lack a failure.
fn on_v1(name: &str, body: fn(&Cgroup)) {
    let root =
        std::fs::metadata("/proc/self").map(|meta| std::os::unix::fs::MetadataExt::uid(&meta)).unwrap() == 0;
    if root && Path::new("/sys/fs/cgroup/memory/cgroup.procs").is_file() {
        let host = belljar::probe::cgroup();
        assert!(
            matches!(host, Cgroup::V1 { .. }),
            "root can use version 1 here, but the probe says {host:?}"
        );
        let _alone = alone();
        return body(&host);
    }
    skip(name, "cgroup-v1");
}

/// Runs `body` on a version 2 host; run only where one is delegated.
fn on_v2(body: fn(&Cgroup)) {
    let _alone = alone();
    let host = belljar::probe::cgroup();
    assert!(matches!(host, Cgroup::V2 { .. }), "needs a delegated version 2 folder, found {host:?}");
    body(&host);
}

fn skip(name: &str, need: &str) {
    let must = std::env::var("BELLJAR_MUST").unwrap_or_default();
    assert!(!must.split(',').any(|item| item == need), "{name} needs {need}");
    eprintln!("SKIP: needs {need}");
}

/// These tests look at what is left in folders that all of them use, and each may be a process of its own.
fn alone() -> std::fs::File {
    let lock = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
    lock.lock().unwrap();
    lock
}

fn memory(bytes: u64) -> Amounts {
    Amounts { memory: Some(bytes), ..Amounts::default() }
}

/// A shell that joins the group and then runs `script`.
fn join(group: &Group, script: &str) -> Command {
    let joins: String =
        group.folders().map(|path| format!("echo 0 > {}/cgroup.procs && ", path.display())).collect();
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("{joins} {script}")).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn sleeper(group: &Group) -> Child {
    let mut child = join(group, "{ echo; exec sleep 60; }").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = [0_u8; 1];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
    child
}

fn homes(host: &Cgroup) -> Vec<PathBuf> {
    match host {
        Cgroup::V1 { folders } => folders.iter().map(|row| row.1.join("belljar")).collect(),
        Cgroup::V2 { folder, .. } => vec![folder.join("belljar")],
        other => panic!("no groups in {other:?}"),
    }
}

/// No group of this process is left, and the folder of groups only if another run uses it.
fn nothing_is_left(host: &Cgroup) {
    let ours = format!("{}-", std::process::id());
    for home in homes(host) {
        let Ok(entries) = std::fs::read_dir(&home) else { continue };
        let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let names: Vec<_> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
        assert!(!names.iter().any(|name| name.starts_with(&ours)), "{} is left in {}", ours, home.display());
        assert!(!names.is_empty(), "the empty {} is left", home.display());
    }
}

fn memory_is_held(host: &Cgroup) {
    let hog = "dd bs=256M count=1 if=/dev/zero of=/dev/null";
    let free = Group::create(host, &memory(1 << 30)).unwrap();
    assert!(join(&free, hog).status().unwrap().success(), "the program works with enough memory");
    assert_eq!(free.hits().count(), 0);
    drop(free);

    let tight = Group::create(host, &memory(32 << 20)).unwrap();
    let status = join(&tight, hog).status().unwrap();
    assert!(!status.success(), "{status}");
    assert_eq!(tight.hits().collect::<Vec<_>>(), [LimitKind::Memory]);
    assert!(tight.held().iter().any(|held| held.limit == LimitKind::Memory && held.hit));
    if let Some(peak) = tight.usage().peak_memory {
        assert!((16 << 20..=32 << 20).contains(&peak), "{peak}");
    }
    drop(tight);
    nothing_is_left(host);
}

fn forks_are_held(host: &Cgroup) {
    let forks = "for i in 1 2 3 4 5 6; do sleep 0.1 & done; wait";
    let amounts = |pids| Amounts { pids: Some(pids), ..Amounts::default() };
    let wide = Group::create(host, &amounts(64)).unwrap();
    assert!(join(&wide, forks).status().unwrap().success());
    assert_eq!(wide.hits().count(), 0);
    let tight = Group::create(host, &amounts(3)).unwrap();
    assert!(!join(&tight, forks).status().unwrap().success(), "the shell cannot fork a fourth process");
    assert_eq!(tight.hits().collect::<Vec<_>>(), [LimitKind::Pids]);
    drop((wide, tight));
    nothing_is_left(host);
}

fn dropping_ends_every_process(host: &Cgroup) {
    let group =
        Group::create(host, &Amounts { memory: Some(64 << 20), pids: Some(32), cpu_percent: Some(50) })
            .unwrap();
    let mut stubborn = join(&group, "{ trap '' TERM HUP INT; echo; sleep 60 & sleep 60 & wait; }")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Read::read_exact(stubborn.stdout.as_mut().unwrap(), &mut [0]).unwrap();
    drop(group);
    assert_eq!(stubborn.wait().unwrap().signal(), Some(9));
    nothing_is_left(host);
}

fn groups_of_the_dead_are_swept_and_of_the_living_kept(host: &Cgroup) {
    let living = Group::create(host, &memory(64 << 20)).unwrap();
    let mut child = sleeper(&living);
    let abandoned = living.folders().next().unwrap().with_file_name("1-4000000000");
    std::fs::create_dir(&abandoned).unwrap();
    let mut lost = Command::new("/bin/sh")
        .arg("-c")
        .arg(format!("echo 0 > {}/cgroup.procs && echo && exec sleep 60", abandoned.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Read::read_exact(lost.stdout.as_mut().unwrap(), &mut [0]).unwrap();

    let next = Group::create(host, &memory(64 << 20)).unwrap();
    assert_eq!(lost.wait().unwrap().signal(), Some(9), "what an earlier supervisor left is ended");
    assert!(std::fs::symlink_metadata(&abandoned).is_err());
    assert!(child.try_wait().unwrap().is_none(), "another living run is untouched");
    drop((next, living));
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    nothing_is_left(host);
}

fn a_missing_controller_is_named(host: &Cgroup) {
    let poor = match host {
        Cgroup::V1 { folders } => {
            Cgroup::V1 { folders: folders.iter().filter(|row| row.0 == "pids").cloned().collect() }
        }
        Cgroup::V2 { folder, .. } => {
            Cgroup::V2 { folder: folder.clone(), controllers: vec!["pids".to_owned()] }
        }
        other => panic!("no groups in {other:?}"),
    };
    let error = Group::create(&poor, &memory(1 << 20)).unwrap_err();
    assert_eq!(error, LimitError::NoController { controller: "memory" });
    nothing_is_left(host);
}

fn a_half_made_group_is_removed(host: &Cgroup) {
    let Cgroup::V1 { folders } = host else { panic!("version 1 only") };
    let pids = folders.iter().find(|row| row.0 == "pids").unwrap();
    // The folder of the wrong hierarchy has no cpu.cfs_quota_us.
    let broken = Cgroup::V1 { folders: vec![pids.clone(), ("cpu".to_owned(), pids.1.clone())] };
    let amounts = Amounts { cpu_percent: Some(50), pids: Some(5), ..Amounts::default() };
    assert!(matches!(Group::create(&broken, &amounts), Err(LimitError::Io { .. })));
    nothing_is_left(host);
}

#[test]
fn v1_a_half_made_group_is_removed() {
    on_v1("v1_a_half_made_group_is_removed", a_half_made_group_is_removed);
}

macro_rules! both {
    ($($name:ident => $v1:ident, $v2:ident;)*) => {$(
        #[test]
        fn $v1() {
            on_v1(stringify!($v1), $name);
        }

        #[test]
        #[ignore = "needs a delegated version 2 folder"]
        fn $v2() {
            on_v2($name);
        }
    )*};
}

both! {
    memory_is_held => v1_memory_is_held, v2_memory_is_held;
    forks_are_held => v1_forks_are_held, v2_forks_are_held;
    dropping_ends_every_process => v1_dropping_ends_every_process, v2_dropping_ends_every_process;
    groups_of_the_dead_are_swept_and_of_the_living_kept => v1_stale_groups_are_swept, v2_stale_groups_are_swept;
    a_missing_controller_is_named => v1_a_missing_controller_is_named, v2_a_missing_controller_is_named;
}

#[test]
fn no_group_is_an_error_with_a_name() {
    assert_eq!(Group::create(&Cgroup::None, &memory(1)).unwrap_err(), LimitError::NoGroup);
}

fn a_limit_without_its_controller_is_held_otherwise(host: &Cgroup) {
    use belljar::policy::{FlagValue, Request, load};
    let Cgroup::V1 { folders } = host else { panic!("{host:?}") };
    let pids = folders.iter().filter(|(name, _)| name == "pids").cloned().collect();
    let flags = [("-p", "@strict"), ("-m", "64M"), ("--pids", "20")];
    let request = Request {
        flags: flags.map(|(flag, value)| FlagValue::new(flag, value)).to_vec(),
        cwd: "/usr".into(),
        ..Request::default()
    };
    let policy = load(&request, &|_| Err(std::io::ErrorKind::NotFound.into())).unwrap();
    let mut facts = belljar::probe::probe();
    facts.cgroup = Cgroup::V1 { folders: pids };
    let hungry =
        "x=$(head -c 30000000 /dev/zero | tr '\\0' x); for i in 1 2 3 4; do (y=$x$i; sleep 5) & done; wait";
    let mut command = belljar::Command::new("/bin/sh");
    command.args(["-c", hungry]).policy(policy).host(facts);
    let report = command.spawn().unwrap().wait().unwrap();
    assert_eq!(report.verdict, belljar::report::Verdict::LimitHit { limit: LimitKind::Memory }, "{report:?}");
}

#[test]
fn v1_a_limit_without_its_controller_is_held_otherwise() {
    on_v1("v1_a_limit_without_its_controller", a_limit_without_its_controller_is_held_otherwise);
}
