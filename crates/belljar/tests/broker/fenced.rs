//! A broker that has gone wrong, on a host without namespaces: the kernel refuses it what the policy does not grant. The judge
//! is called on the broker's own threads, so it stands for one.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

use belljar::HostFacts;
use belljar::broker::{Judge, Request, Rule, Verdict};
use belljar::plan::{Call, plan};
use belljar::probe::Userns;
use rustix::event::Timespec;
use rustix::fs::{AtFlags, CWD, Mode, mkdirat, unlinkat};
use rustix::net::{AddressFamily, SocketType};

use super::support::has;
use super::support::jars::{self, Done, Place};

type Tries = Arc<Mutex<Vec<(ThreadId, &'static str, Result<(), ErrorKind>)>>>;

/// Longer than a thread is waited for.
const HELD_UP: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };

/// Grants everything, and helps itself.
struct Astray {
    outside: PathBuf,
    tries: Tries,
}

impl Judge for Astray {
    fn judge(&self, request: &Request<'_>) -> Verdict {
        let at = |name: &str| self.outside.join(name);
        let tries = [
            ("read", std::fs::File::open(at("secret")).map(drop)),
            ("list", std::fs::read_dir(&self.outside).map(drop)),
            ("write", std::fs::File::options().append(true).open(at("victim")).map(drop)),
            ("make", make(&at("made"))),
            ("wait", wait()),
        ];
        let own = std::thread::current().id();
        let tries = tries.map(|(what, done)| (own, what, done.map_err(|error| error.kind())));
        self.tries.lock().unwrap().extend(tries);
        if request.path().is_some_and(|path| path.ends_with("slow")) {
            rustix::event::poll(&mut [], Some(&HELD_UP)).unwrap();
        }
        Verdict::Grant(Rule { text: "granted by mistake".into(), origin: "test".into() })
    }
}

/// As the broker makes folders: its filter has these calls.
fn make(path: &Path) -> std::io::Result<()> {
    mkdirat(CWD, path, Mode::RWXU)?;
    Ok(unlinkat(CWD, path, AtFlags::REMOVEDIR)?)
}

/// Takes a port of the host that is not the jar's.
fn wait() -> std::io::Result<()> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    Ok(rustix::net::bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 48_123)))?)
}

/// Hosts without namespaces, with Landlock and without.
fn hosts() -> [HostFacts; 2] {
    let mut fenced = belljar::probe::probe();
    fenced.userns = Userns::Refused;
    let mut open = fenced.clone();
    open.landlock = 0;
    [fenced, open]
}

const FLAGS: [(&str, &str); 6] = [
    ("-p", "@strict"),
    ("-w", "."),
    ("--trace", ""),
    ("--publish", "8431:48431"),
    ("--allow-weaker", "fs"),
    ("--allow-weaker", "ipc"),
];

fn run(facts: HostFacts, script: &str) -> (Done, Tries, Place) {
    let (place, tries) = (Place::new(), Tries::default());
    jars::file(&place.granted().join("slow"), "slow");
    let (outside, kept) = (place.outside(), Arc::clone(&tries));
    if super::support::is_root() {
        // What the jar's user could not do in any case proves nothing.
        for path in [outside.clone(), outside.join("secret"), outside.join("victim")] {
            std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap();
        }
    }
    let mut command = jars::shell(&place, &FLAGS, script);
    command.host(facts);
    command.judge(move |_| Arc::new(Astray { outside: outside.clone(), tries: Arc::clone(&kept) }));
    (jars::finish(&mut command).unwrap(), tries, place)
}

#[test]
fn a_broker_that_grants_everything_is_held_to_the_policy_by_the_kernel() {
    if !super::has_broker() || !has("landlock:4", belljar::probe::probe().landlock >= 4) {
        return;
    }
    let script = "cat slow & cat victim; cat $O/secret; echo x > $O/new && rm $O/new; wait";
    let [fenced, open] = hosts();
    // The control: where there is no Landlock nothing else holds such a broker.
    let (done, tries, _place) = run(open, script);
    assert!(done.out.contains(jars::SECRET), "{done:?}");
    let could: BTreeSet<&str> =
        tries.lock().unwrap().iter().filter(|(.., done)| done.is_ok()).map(|(_, what, _)| *what).collect();
    assert_eq!(could.len(), 5, "{could:?}");

    let (done, tries, place) = run(fenced, script);
    assert!(done.out.contains("unharmed") && done.out.contains("slow"), "{done:?}");
    assert!(!done.out.contains(jars::SECRET), "{done:?}");
    assert_eq!(Place::names(&place.outside()), ["secret", "victim"]);
    let tries = tries.lock().unwrap();
    let refused = tries.iter().all(|(.., done)| *done == Err(ErrorKind::PermissionDenied));
    assert!(refused && !tries.is_empty(), "{tries:?}");
    let threads: BTreeSet<String> = tries.iter().map(|(by, ..)| format!("{by:?}")).collect();
    assert!(threads.len() > 1, "those that come in place of another as well: {threads:?}");
}

#[test]
fn a_plan_says_whether_the_brokers_threads_are_in_a_domain() {
    if !super::has_broker() || !has("landlock", belljar::probe::probe().landlock > 0) {
        return;
    }
    let [fenced, open] = hosts();
    let policy = jars::policy(&Place::new().granted(), &FLAGS);
    let held = "the broker's own threads open nothing that is not granted";
    let planned = |facts: &HostFacts, asks: bool| {
        let mut call = Call::new(0, false);
        call.asks = asks;
        let plan = plan(&policy, facts, call).unwrap();
        let domain = plan.broker.is_some_and(|broker| broker.domain.is_some());
        (domain, plan.enforced.iter().any(|row| row.rule == held), plan.notes.join("\n"))
    };
    assert!(matches!(planned(&fenced, false), (true, true, _)));
    let (domain, row, notes) = planned(&fenced, true);
    assert!(!domain && !row && notes.contains("answers may grant any file"), "{notes}");
    let (domain, row, notes) = planned(&open, false);
    assert!(!domain && !row && notes.contains("no Landlock in this kernel"), "{notes}");
    assert!(matches!(planned(&belljar::probe::probe(), false), (false, false, _)));
}
