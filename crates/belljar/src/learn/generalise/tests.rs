use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::learn::Frame;
use belljar_policy::{FlagValue, FsRule, FsSubject, Input, Origin, Request, load};

const HOME: &str = "/home/u";
const HERE: &str = "/home/u/app";

fn never() -> Never {
    Never::new(Some(Path::new(HOME)), [])
}

fn policy(text: &str, flags: &[(&str, &str)]) -> Policy {
    let request = Request {
        inputs: vec![Input::Text { name: format!("{HERE}/p.toml").into(), text: text.to_owned() }],
        flags: flags.iter().map(|(flag, value)| FlagValue::new(*flag, *value)).collect(),
        cwd: HERE.into(),
        home: Some(HOME.into()),
    };
    load(&request, &|_| Err(std::io::ErrorKind::NotFound.into())).unwrap()
}

/// The default of `belljar run`.
fn strict() -> Policy {
    policy("belljar = 1\nextends = [\"@strict\"]\n", &[])
}

fn learned(seen: &[Observation], policy: &Policy) -> PolicyDifference {
    let ground = Ground { policy, never: &never(), here: Path::new(HERE), home: Some(Path::new(HOME)) };
    generalise(seen, ground)
}

fn rules(seen: &[Observation], policy: &Policy) -> Vec<(String, Access)> {
    let found = learned(seen, policy).rules;
    found.into_iter().map(|rule| (rule.path.display().to_string(), rule.access)).collect()
}

fn made(path: &str) -> Observation {
    let path = Path::new(path);
    Observation::entry(path.parent().unwrap(), path.file_name().unwrap())
}

fn file(path: &str, need: Need) -> Observation {
    Observation::of(path, false, need)
}

fn rule(path: &str, access: Access) -> (String, Access) {
    (path.to_owned(), access)
}

#[test]
fn what_is_made_in_the_current_folder_needs_the_folder() {
    let seen = [made("/home/u/app/main.o"), made("/home/u/app/prog"), file("/home/u/app/log", Need::Write)];
    let found = learned(&seen, &strict());
    assert_eq!(found.rules.len(), 1);
    assert_eq!(
        found.rules[0],
        Proposal { path: HERE.into(), access: Access::Write, reason: "changed: log, main.o, prog".into() }
    );
    assert!(found.unproposed.is_empty());
}

#[test]
fn a_reason_stays_readable_whatever_the_program_calls_its_files() {
    let found = learned(&[Observation::entry(HERE, format!("{}end", "long/".repeat(200)))], &strict());
    let reason = &found.rules[0].reason;
    assert!(reason.len() < 100 && reason.ends_with("long/end"), "{reason}");
}

#[test]
fn one_file_is_a_rule_of_its_own_and_several_are_their_folder() {
    let one = [file("/home/u/data/a", Need::Read)];
    assert_eq!(rules(&one, &strict()), [rule("/home/u/data/a", Access::ReadNoexec)]);
    let two = [one[0].clone(), file("/home/u/data/b", Need::Read)];
    assert_eq!(rules(&two, &strict()), [rule("/home/u/data", Access::ReadNoexec)]);
    let run = [two[0].clone(), file("/home/u/data/b", Need::Execute)];
    assert_eq!(rules(&run, &strict()), [rule("/home/u/data", Access::Read)]);
    let both = [two[0].clone(), file("/home/u/data/b", Need::Write)];
    let apart = [rule("/home/u/data/a", Access::ReadNoexec), rule("/home/u/data/b", Access::Write)];
    assert_eq!(rules(&both, &strict()), apart);
}

#[test]
fn tools_folders_are_named_whole() {
    for (seen, whole) in [
        (made("/home/u/.cache/pip/http/a/b"), "/home/u/.cache/pip"),
        (made("/home/u/.cargo/registry/index/x/y"), "/home/u/.cargo/registry"),
        (made("/home/u/app/node_modules/.vite/deps/x"), "/home/u/app/node_modules"),
        (made("/home/u/app/src/__pycache__/x.pyc"), "/home/u/app/src/__pycache__"),
        (made("/home/u/app/target/debug/deps/x"), "/home/u/app/target"),
        // A name means something below the current folder only.
        (made("/home/u/target/app/src/x"), "/home/u/target/app/src"),
    ] {
        assert_eq!(rules(std::slice::from_ref(&seen), &strict()), [rule(whole, Access::Write)], "{seen:?}");
    }
}

#[test]
fn secrets_roots_and_what_runs_later_are_listed_with_a_reason() {
    for (seen, why) in [
        (file("/home/u/.ssh/id_ed25519", Need::Read), "keys"),
        (file("/home/u/.ssh", Need::Read), "keys"),
        (Observation::of("/home/u", true, Need::Read), "home folder"),
        (made("/home/u/.newfile"), "home folder"),
        (Observation::entry("/home/u", ".npm/_logs/x"), "the home folder; make /home/u/.npm and learn again"),
        (made("/home/u/.cache/new"), "many programs"),
        (Observation::of("/", true, Need::Read), "whole file system"),
        (Observation::of("/srv", true, Need::Read), "top of the host"),
        (made("/home/ann/x"), "a home folder"),
        (made("/etc/cron.d/x"), "settings"),
        (made("/usr/lib/x"), "whole system"),
        (file("/home/u/.bashrc", Need::Write), "run outside"),
        (made("/home/u/.config/autostart/x"), "run outside"),
        (made("/home/u/.cargo/x"), "a rule would have to name /home/u/.cargo"),
        (file("/sys/kernel/x", Need::Read), "kernel"),
        (file("/run/docker.sock", Need::Write), "daemon"),
        (file("/home/u/other/.env", Need::Read), "keys and passwords"),
        (file("/home/u/other/server.pem", Need::Read), "keys and passwords"),
        (file("/home/u/link", Need::Read).leading_to("/home/u/.ssh/id"), "it leads to /home/u/.ssh/id"),
        (Observation::of("/home/u/link", true, Need::Read).leading_to("/home"), "it leads to /home"),
    ] {
        let found = learned(std::slice::from_ref(&seen), &strict());
        assert_eq!(found.rules, [], "{seen:?}");
        assert!(found.unproposed[0].why.contains(why), "{seen:?}: {}", found.unproposed[0].why);
    }
}

#[test]
fn the_files_of_a_folder_with_a_secret_stay_single() {
    let seen = [file("/home/u/.cargo/env", Need::Read), file("/home/u/.cargo/config", Need::Read)];
    let single =
        [rule("/home/u/.cargo/config", Access::ReadNoexec), rule("/home/u/.cargo/env", Access::ReadNoexec)];
    assert_eq!(rules(&seen, &strict()), single);
}

#[test]
fn a_secret_in_a_proposed_folder_stays_hidden() {
    let seen = [made("/home/u/other/x"), file("/home/u/other/.env", Need::Read)];
    let both = [rule("/home/u/other", Access::Write), rule("/home/u/other/.env", Access::Hide)];
    assert_eq!(rules(&seen, &strict()), both);
}

#[test]
fn behind_symlinks_only_what_was_seen_is_named() {
    let seen = ["a", "b"]
        .map(|name| file(&format!("/home/u/link/{name}"), Need::Read).leading_to(format!("/home/u/{name}")));
    let single = [rule("/home/u/link/a", Access::ReadNoexec), rule("/home/u/link/b", Access::ReadNoexec)];
    assert_eq!(rules(&seen, &strict()), single);
}

#[test]
fn words_of_the_command_line_and_what_is_hidden_stand() {
    let flagged =
        policy("belljar = 1\nextends = [\"@strict\"]\n", &[("-r", "/home/u/data"), ("--hide", "key")]);
    for seen in [made("/home/u/data/x"), file("/home/u/app/key", Need::Read)] {
        let found = learned(&[seen], &flagged);
        assert_eq!(found.rules, []);
        assert!(found.unproposed[0].why.contains("says otherwise"), "{found:?}");
    }
    let filed = policy(
        "belljar = 1\nextends = [\"@strict\"]\n[fs]\n\"/home/u/data\" = \"read\"\n\"./key\" = \"hide\"\n",
        &[],
    );
    assert_eq!(rules(&[made("/home/u/data/x")], &filed), [rule("/home/u/data", Access::Write)]);
    let found = learned(&[file("/home/u/app/key", Need::Read)], &filed);
    assert!(found.unproposed[0].why.contains("hidden by"), "{found:?}");
}

#[test]
fn a_longer_rule_of_the_policy_gets_a_rule_of_its_own() {
    let own = policy("belljar = 1\nextends = [\"@strict\"]\n[fs]\n\"./node_modules/a\" = \"read\"\n", &[]);
    let seen = [made("/home/u/app/node_modules/x"), made("/home/u/app/node_modules/a/b/y")];
    let both = [
        rule("/home/u/app/node_modules", Access::Write),
        rule("/home/u/app/node_modules/a/b", Access::Write),
    ];
    assert_eq!(rules(&seen, &own), both);
}

#[test]
fn what_is_granted_needs_nothing() {
    let seen = [file("/usr/bin/make", Need::Execute), made("/tmp/x"), file("/home/u/app/src", Need::Read)];
    assert_eq!(learned(&seen, &strict()), PolicyDifference::default());
}

const PLACES: &[&str] = &[
    "/",
    "/home",
    "/home/u",
    "/home/u/app",
    "/home/u/app/src",
    "/home/u/app/node_modules",
    "/home/u/app/target/x",
    "/home/u/.ssh",
    "/home/u/.cache/pip/x",
    "/home/u/.cache",
    "/home/u/.cargo",
    "/home/u/.cargo/registry/a",
    "/home/u/.config",
    "/home/u/.config/gh",
    "/home/u/data",
    "/srv/data",
    "/srv",
    "/etc",
    "/usr/lib",
    "/proc/1",
    "/run",
    "/var/lib/docker/x",
];

fn observation() -> impl Strategy<Value = Observation> {
    let need = select(vec![Need::Read, Need::Execute, Need::Write]);
    let name = select(vec!["a", "b", "lib.so.1", ".env", "id_rsa", "k.pem", "x y\n"]);
    (select(PLACES.to_vec()), name, need, 0..3).prop_map(|(place, name, need, kind)| match kind {
        0 => Observation::of(place, true, need),
        1 => Observation::of(Path::new(place).join(name), false, need),
        _ => Observation::entry(place, name),
    })
}

fn base() -> impl Strategy<Value = Policy> {
    let line = (select(PLACES[3..].to_vec()), select(vec!["read", "read-noexec", "write", "hide"]));
    let usable = |place: &str| never().refuses(&Want::Write(place.into())).is_none();
    vec(line.prop_filter("loadable", move |(place, _)| usable(place)), 0..4).prop_map(|lines| {
        let lines: BTreeMap<_, _> = lines.into_iter().collect();
        let rows: String =
            lines.iter().map(|(place, access)| format!("\"{place}\" = \"{access}\"\n")).collect();
        policy(&format!("belljar = 1\nextends = [\"@strict\"]\n[fs]\n{rows}"), &[])
    })
}

fn applied(policy: &Policy, found: &PolicyDifference) -> Policy {
    let mut policy = policy.clone();
    for rule in &found.rules {
        policy.fs.rules.retain(|old| old.inside() != Some(&rule.path));
        let (subject, access) = (FsSubject::Path(rule.path.clone()), rule.access);
        policy.fs.rules.push(FsRule {
            subject,
            dest: None,
            access,
            optional: false,
            dangerous: false,
            origin: Origin::Default,
        });
    }
    policy
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// With the rules everything that was not left out is granted, and learning again finds nothing more.
    #[test]
    fn the_rules_serve_and_are_enough(seen in vec(observation(), 0..12), policy in base()) {
        let found = learned(&seen, &policy);
        let after = applied(&policy, &found);
        for seen in &seen {
            let left_out = found.unproposed.iter().any(|out| out.path == seen.seen && out.need == seen.need);
            prop_assert!(left_out || granted(&after, &seen.spot, seen.need), "{:?}\n{:?}", seen, found);
        }
        let again = learned(&seen, &after);
        prop_assert_eq!(again.rules, vec![]);
        prop_assert_eq!(again.unproposed, found.unproposed);
    }

    /// No rule names or holds what must never be named, and none grants more than something below it needed.
    #[test]
    fn no_rule_is_wider_than_its_reason(seen in vec(observation(), 0..12), policy in base()) {
        for rule in learned(&seen, &policy).rules.into_iter().filter(|rule| rule.access != Access::Hide) {
            let below: Vec<_> = seen.iter().filter(|seen| seen.spot.starts_with(&rule.path)).collect();
            let need = below.iter().map(|seen| seen.need).max().unwrap();
            let served = if rule.access == Access::Write { Need::Write } else { Need::Read };
            prop_assert_eq!(never().refuses(&want(&rule.path, served)), None, "{:?}", rule);
            prop_assert!(looks_secret(&rule.path).is_none() || granted(&policy, &rule.path, Need::Read), "{:?}", rule);
            prop_assert!(served <= need, "{:?}", rule);
            let itself = below.iter().any(|seen| seen.spot == rule.path);
            let files = below.iter().filter(|seen| seen.spot.parent() == Some(&rule.path)).count();
            let tools = filled_by_tools(&rule.path, Path::new(HERE), Some(Path::new(HOME))).as_ref() == Some(&rule.path);
            prop_assert!(itself || files >= SEVERAL || tools, "{:?}", rule);
            prop_assert!(!rule.reason.contains('\n') && !rule.reason.is_empty());
        }
    }

    #[test]
    fn order_and_repetition_change_nothing(seen in vec(observation(), 1..12), swaps in vec(any::<(Index, Index)>(), 0..12)) {
        let policy = strict();
        let found = learned(&seen, &policy);
        let mut other = [seen.clone(), seen.clone()].concat();
        for (a, b) in swaps {
            let (a, b) = (a.index(other.len()), b.index(other.len()));
            other.swap(a, b);
        }
        prop_assert_eq!(learned(&other, &policy), found);
    }

    /// What is printed is read by `belljar run`, to the same rules.
    #[test]
    fn the_text_reads_back(seen in vec(observation(), 1..12)) {
        let found = learned(&seen, &strict());
        let frame = Frame { folder: Some(Path::new(HERE)), home: Some(Path::new(HOME)) };
        let text = found.to_toml(&["@strict".to_owned()], frame).unwrap();
        let read = if found.rules.is_empty() { strict() } else { policy(&text, &[]) };
        for rule in &found.rules {
            let same = |other: &&FsRule| other.inside() == Some(&rule.path);
            prop_assert_eq!(read.fs.rules.iter().find(same).map(|rule| rule.access), Some(rule.access), "{}", text);
        }
        prop_assert_eq!(found.flags(frame).len(), found.rules.len());
    }
}
