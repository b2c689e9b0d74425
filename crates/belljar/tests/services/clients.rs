//! Clients: narrowing, splitting, handing over, and what becomes of them when the service ends.

use std::io::Write as _;
use std::os::fd::AsFd;
use std::time::Duration;

use belljar::policy::Policy;
use belljar::service::{Only, Remote, ServiceError, Users};
use belljar::worker::wire::{Head, Kind};
use belljar::worker::{Entry, Zygote};
use belljar::{Command, Stdio};
use rustix::net::{SendFlags, send};
use rustix::process::{Pid, Signal, kill_process};

use crate::{able, program, users};

const LONG: Duration = Duration::from_secs(60);

/// The worker of the program, by name.
static SHELL: Entry<(Users, String), String> = Entry::new("shell", |_, _| String::new());

#[test]
fn a_limit_only_narrows_and_the_service_decides() {
    if !able() {
        return;
    }
    let mut first = users(Only::these(["root", "daemon", "bin"]));
    let mut second = first.narrowed(&Only::these(["root", "daemon"])).unwrap();
    let mut third = second.try_clone().unwrap();
    third.limit(&Only::these(["root"])).unwrap();
    for (client, wider) in [
        (&mut third, Only::these(["root", "daemon"])),
        (&mut second, Only::these(["root", "bin"])),
        (&mut first, Only::All),
    ] {
        let error = client.limit(&wider).unwrap_err();
        assert!(matches!(error, ServiceError::Wider(_)), "{error}");
    }
    assert!(third.account("root").is_ok() && matches!(third.account("daemon"), Err(ServiceError::Beyond)));
    assert!(second.account("daemon").is_ok() && matches!(second.account("bin"), Err(ServiceError::Beyond)));
    assert!(first.account("bin").is_ok());
    // What is split off has the limit of then.
    let mut fourth = third.try_clone().unwrap();
    assert!(
        matches!(fourth.limit(&Only::these(["daemon"])), Err(ServiceError::Wider(what)) if what == "daemon")
    );
}

#[test]
fn a_worker_with_nothing_but_a_client_is_answered() {
    if !able() {
        return;
    }
    let mut users = users(Only::All);
    let shell = users.account("root").unwrap().shell;
    let zygote = Zygote::builder(&Policy::none(), &SHELL).program(program()).start().unwrap();
    let mut worker = zygote.spawn().unwrap();
    let only = || Only::these(["root"]);
    let client = users.narrowed(&only()).unwrap();
    assert_eq!(worker.call(&(client, "root".to_owned()), LONG).unwrap(), shell);
    let client = users.narrowed(&only()).unwrap();
    assert_eq!(worker.call(&(client, "daemon".to_owned()), LONG).unwrap(), ServiceError::Beyond.to_string());
}

#[test]
fn a_program_in_a_jar_is_passed_a_client() {
    if !able() {
        return;
    }
    let mut users = users(Only::All);
    let home = users.account("root").unwrap().home;
    let policy = Policy::none().read_program().unwrap().allow_syscall("@worker").unwrap();
    let mut command = Command::new(program());
    command.args(["root", "daemon"]).policy(policy).env_clear().current_dir("/");
    command.pass("users", users.narrowed(&Only::these(["root"])).unwrap());
    let output = command.stdin(Stdio::Null).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said, format!("{home}\n{}\n", ServiceError::Beyond), "{output:?}");
}

#[test]
fn a_client_that_sends_no_request_is_hung_up_on_and_no_other() {
    if !able() {
        return;
    }
    let mut first = users(Only::All);
    let head = |kind, len| Head { kind, descriptors: 0, len, number: 1 }.encode().to_vec();
    let packets: [Vec<u8>; 7] = [
        b"noise".to_vec(),
        head(Kind::Call, 0),
        head(Kind::Setup, 0),
        head(Kind::Call, u32::MAX),
        [head(Kind::Call, 3), vec![9, 9, 9]].concat(),
        [head(Kind::Call, 1), vec![2], vec![0]].concat(),
        [head(Kind::Call, 60_000), vec![0; 60_000]].concat(),
    ];
    for packet in packets {
        let mut bad = first.try_clone().unwrap();
        // The service may hang up while it is being written.
        let _sent = send(bad.as_fd(), &packet, SendFlags::NOSIGNAL);
        let error = bad.account("root").unwrap_err();
        assert!(matches!(error, ServiceError::Gone), "{packet:?}: {error}");
        assert!(first.account("root").is_ok());
    }
}

#[test]
fn clients_of_one_family_leave_room_for_others() {
    if !able() {
        return;
    }
    let mut first = users(Only::All);
    let mut greedy = first.try_clone().unwrap();
    let mut kept = Vec::new();
    let error = loop {
        match greedy.try_clone() {
            Ok(client) => kept.push(client),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, ServiceError::TooMany) && kept.len() == 7, "{error} {}", kept.len());
    assert!(matches!(kept[0].try_clone(), Err(ServiceError::TooMany)), "nor by those that it split off");
    assert!(first.try_clone().unwrap().account("root").is_ok());
    // Room is had again once one of them is gone.
    drop(kept.pop());
    let again = (0..200).any(|_| {
        std::thread::yield_now();
        greedy.try_clone().is_ok()
    });
    assert!(again);
}

#[test]
fn the_end_of_a_service_is_an_error_and_the_program_goes_on() {
    if !able() {
        return;
    }
    let (mut dead, mut living) = (users(Only::All), users(Only::All));
    let pid = Pid::from_raw(dead.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    // The signal is on its way: the service may answer once more.
    let error = (0..100_000).find_map(|_| dead.account("root").err());
    assert!(matches!(error, Some(ServiceError::Gone)), "{error:?}");
    assert!(matches!(dead.try_clone(), Err(ServiceError::Gone)));
    assert!(living.account("root").is_ok());
}

#[test]
fn a_service_ends_with_the_programs_last_client() {
    if !able() {
        return;
    }
    let mut first = users(Only::All);
    let second = first.try_clone().unwrap();
    let pid = first.id().unwrap();
    let lives = || std::fs::metadata(format!("/proc/{pid}")).is_ok();
    drop(first);
    assert!(lives());
    drop(second);
    assert!(!lives());
}

#[test]
fn starting_and_ending_leaves_no_descriptor_thread_or_process() {
    if !able() {
        return;
    }
    let output = std::process::Command::new(program()).arg("cycles").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let looks: Vec<_> = said.lines().collect();
    assert!(output.status.success() && looks.len() == 2 && looks[0].starts_with("1 "), "{output:?}");
    assert_eq!(looks[0], looks[1]);
}

#[test]
fn the_example_finds_names_that_it_may_look_up_and_logs() {
    if !able() {
        return;
    }
    let place = crate::support::jars::Place::new();
    let text = place.granted().join("text");
    crate::support::jars::file(&text, "see localhost, other.example and localhost. again\n\u{1b}[2J");
    let mut example = std::process::Command::new(crate::example("mentions"));
    let output = example.arg(&text).arg("localhost").current_dir(place.granted()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.starts_with("localhost [127.0.0.1"), "{output:?}");
    let log = std::fs::read_to_string(place.granted().join("mentions.log")).unwrap();
    assert!(log.ends_with("Z mentions info: 1 names\n") && log.lines().count() == 1, "{log}");
}

#[test]
fn a_program_that_serves_nothing_is_told_of() {
    if !able() {
        return;
    }
    let error = Users::builder(Only::All).program("/bin/true").start().unwrap_err();
    assert!(error.to_string().contains("belljar::service::serve"), "{error}");
    // What is no list of hosts starts nothing.
    let none: [Remote; 0] = [];
    assert!(matches!(belljar::service::Net::start(none), Err(ServiceError::Means { .. })));
    std::io::stderr().flush().unwrap();
}
