//! What the table of a report says of a rule is true: where it names layers the deed is refused, whichever of them is missing on
//! the host, and a layer that is named here holds alone where the others are gone. Each deed first succeeds without a jar.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test program"
)]

mod support;

use std::fs::{File, Metadata};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Child;
use std::time::SystemTime;

use belljar::Report;
use belljar::probe::{HostFacts, Userns};
use belljar::report::{Enforcement, Layer};
use support::jars::{self, Done, Place, SECRET};
use support::watch;

/// A rule of the table and the deed that it forbids.
struct Claim {
    /// Its rows: each begins with one of these. `{G}` is the granted folder.
    rules: &'static [&'static str],
    flags: &'static [(&'static str, &'static str)],
    deed: &'static str,
    done: fn(&Place, &str) -> bool,
}

const CLAIMS: &[Claim] = &[
    Claim {
        rules: &["read {G}"],
        flags: &[("-r", "{G}")],
        deed: "echo harm > $G/victim; rm -f $G/run; echo x > $G/new",
        done: |place, _| {
            is_harmed(place)
                || Place::names(&place.granted()) != ["port", "process", "run", "socket", "victim"]
        },
    },
    Claim {
        rules: &["read-noexec {G}"],
        flags: &[("--read-noexec", "{G}")],
        deed: "$G/run",
        done: |_, printed| printed.contains("ran"),
    },
    Claim {
        rules: &["hide {G}/victim"],
        flags: &[("-r", "{G}"), ("--hide", "{G}/victim")],
        deed: "cat $G/victim",
        done: |_, printed| printed.contains("unharmed"),
    },
    Claim {
        rules: &["every other path of the host does not exist"],
        flags: &[("-w", "{G}")],
        deed: "cat $O/secret",
        done: |_, printed| printed.contains(SECRET),
    },
    Claim {
        rules: &["every other path of the host does not exist"],
        flags: &[("-w", "{G}")],
        deed: "rm $O/secret; mkdir $O/new",
        done: |place, _| Place::names(&place.outside()) != ["secret", "victim"],
    },
    Claim {
        rules: &["truncate only where", "every other path of the host does not exist"],
        flags: &[("-w", "{G}")],
        deed: "perl -e 'truncate(shift, 0)' $O/secret",
        done: |place, _| std::fs::read_to_string(place.outside().join("secret")).unwrap() != SECRET,
    },
    Claim {
        rules: &["attributes of files", "every other path of the host does not exist"],
        flags: &[("-w", "{G}")],
        deed: "touch $O/secret",
        done: |place, _| secret(place).modified().unwrap() != LONG_AGO,
    },
    Claim {
        rules: &["no network but an own loopback", "no sockets at all"],
        flags: &[("-w", "{G}")],
        deed: "perl -MIO::Socket -e 'print IO::Socket::INET->new(q(127.0.0.1:).shift) && qq(met)' $(cat $G/port)",
        done: |_, printed| printed.contains("met"),
    },
    Claim {
        rules: &[
            "processes and queues of the host do not exist",
            "signals, shared memory and queues stay inside",
        ],
        flags: &[("-w", "{G}")],
        deed: "kill -9 $(cat $G/process) && echo sent",
        done: |_, printed| printed.contains("sent"),
    },
    Claim {
        rules: &["no unix sockets but pairs"],
        flags: &[("-w", "{G}")],
        deed: "perl -MIO::Socket::UNIX -e 'print IO::Socket::UNIX->new(shift) && qq(met)' $G/socket",
        done: |_, printed| printed.contains("met"),
    },
    Claim {
        rules: &["no capability, no set-user-id program"],
        flags: &[("-w", "{G}")],
        deed: "echo x > $G/mine; chmod 4755 $G/mine",
        done: |place, _| has_set_id(&place.granted().join("mine")),
    },
];

/// Gaps that say of a deed that it is not refused.
const UNHELD: &[&str] =
    &["running such a file is not refused", "signals to your other processes cannot be refused"];

const LONG_AGO: SystemTime = SystemTime::UNIX_EPOCH;

fn is_harmed(place: &Place) -> bool {
    std::fs::read_to_string(place.granted().join("victim")).unwrap().trim() != "unharmed"
}

fn secret(place: &Place) -> Metadata {
    std::fs::metadata(place.outside().join("secret")).unwrap()
}

fn has_set_id(file: &Path) -> bool {
    std::fs::metadata(file).unwrap().permissions().mode() & 0o4000 != 0
}

/// A host, and which layers it has of those that can be taken away.
type Host = (&'static str, fn(&mut HostFacts), &'static [Layer]);

const HOSTS: &[Host] = &[
    ("as it is", |_| {}, &[Layer::Namespaces, Layer::MountFlags, Layer::Landlock]),
    ("without Landlock", |facts| facts.landlock = 0, &[Layer::Namespaces, Layer::MountFlags]),
    ("without namespaces", |facts| facts.userns = Userns::Refused, &[Layer::Landlock]),
    ("without both", without_both, &[]),
    (
        "without namespaces and notifications",
        |facts| {
            facts.userns = Userns::Refused;
            facts.seccomp_notify = false;
        },
        &[Layer::Landlock],
    ),
];

const WITHOUT: &[Layer] = &[Layer::Namespaces, Layer::MountFlags, Layer::Landlock];

fn without_both(facts: &mut HostFacts) {
    facts.userns = Userns::Refused;
    facts.landlock = 0;
}

/// What a deed is done to.
struct Scene {
    place: Place,
    _listeners: (UnixListener, TcpListener),
    victim: Child,
}

impl Drop for Scene {
    fn drop(&mut self) {
        drop(self.victim.kill());
        drop(self.victim.wait());
    }
}

fn scene() -> Scene {
    let place = Place::new();
    let run = place.granted().join("run");
    std::fs::write(&run, "#!/bin/sh\necho ran\n").unwrap();
    std::fs::set_permissions(&run, std::fs::Permissions::from_mode(0o777)).unwrap();
    File::options().write(true).open(place.outside().join("secret")).unwrap().set_modified(LONG_AGO).unwrap();
    let socket = place.granted().join("socket");
    let listeners = (UnixListener::bind(&socket).unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let mark = watch::mark();
    let victim = jars::as_jar_user("/bin/sleep").arg(&mark).spawn().unwrap();
    // Until then it is not yet a process of the jar's user.
    assert!(watch::within(watch::LONG, || !watch::marked(&mark).is_empty()));
    jars::file(&place.granted().join("process"), &victim.id().to_string());
    let port = listeners.1.local_addr().unwrap().port();
    jars::file(&place.granted().join("port"), &port.to_string());
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o777)).unwrap();
    Scene { place, _listeners: listeners, victim }
}

/// The deed in a jar on that host.
fn tried(claim: &Claim, host: &Host) -> (Scene, Done) {
    let scene = scene();
    let place = &scene.place;
    let mut facts = belljar::probe::probe();
    host.1(&mut facts);
    let granted = place.granted().to_str().unwrap().to_owned();
    let flags: Vec<(&str, String)> =
        claim.flags.iter().map(|(flag, value)| (*flag, value.replace("{G}", &granted))).collect();
    let mut flags: Vec<(&str, &str)> = flags.iter().map(|(flag, value)| (*flag, value.as_str())).collect();
    flags.extend([("--allow-weaker", "fs"), ("--allow-weaker", "ipc")]);
    let done = jars::finish(jars::shell(place, &flags, claim.deed).host(facts));
    let done = done.unwrap_or_else(|error| panic!("{:?} {}: {error}", claim.rules, host.0));
    (scene, done)
}

fn row<'r>(claim: &Claim, place: &Place, report: &'r Report) -> Option<&'r Enforcement> {
    let granted = place.granted().to_str().unwrap().to_owned();
    let rules: Vec<String> = claim.rules.iter().map(|rule| rule.replace("{G}", &granted)).collect();
    rules.iter().find_map(|rule| report.enforced.iter().find(|row| row.rule.starts_with(rule)))
}

#[test]
fn what_is_said_to_be_held_is_held() {
    for claim in CLAIMS {
        let free = scene();
        let printed = jars::control(&free.place, claim.deed);
        assert!((claim.done)(&free.place, &printed), "without a jar: {}: {printed}", claim.deed);
        let mut here: Option<(String, Vec<Layer>)> = None;
        for host in HOSTS {
            let (Scene { place, .. }, Done { report, out, err }) = &tried(claim, host);
            let found = row(claim, place, report);
            let row = found.unwrap_or_else(|| panic!("{}: no row of {:?}: {report:?}", host.0, claim.rules));
            let what = format!("{}: {row:?} {}: {out}{err}", host.0, claim.deed);
            assert!(!row.layers.is_empty() && row.void.is_none(), "{what}");
            let excused = row.gap.as_ref().is_some_and(|gap| UNHELD.iter().any(|words| gap.contains(words)));
            assert!(excused || !(claim.done)(place, out), "{what}");
            let absent = WITHOUT.iter().filter(|layer| !host.2.contains(layer));
            absent.for_each(|layer| assert!(!row.layers.contains(layer), "{what}"));
            let rule = row.rule.replace(place.path().to_str().unwrap(), "");
            let (first, layers) = here.get_or_insert_with(|| (rule.clone(), row.layers.clone()));
            let kept = layers.iter().filter(|layer| !WITHOUT.contains(layer) || host.2.contains(layer));
            // The broker keeps what mounts alone would lose: it has no part where there are none.
            let kept = kept.filter(|layer| **layer != Layer::Broker || host.2.contains(&Layer::Namespaces));
            let kept = kept.filter(|_| *first == rule);
            kept.for_each(|layer| assert!(row.layers.contains(layer), "{layer:?} alone: {what}"));
        }
    }
}
