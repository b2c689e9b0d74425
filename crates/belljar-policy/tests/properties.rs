//! What holds for every policy.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use belljar_policy::{
    Access, FlagValue, KEYS, Policy, PolicyError, Request, asked, env_decision, explain, fs_decision, load,
    narrow, net_decision, syscall_decision, to_toml,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn read(text: &str) -> Result<Policy, PolicyError> {
    let request = Request { home: Some("/home/u".into()), ..Request::text("/src/jar.toml", text) };
    load(&request, &|_| Err(std::io::ErrorKind::NotFound.into()))
}

/// Everything but who wrote it.
fn bare(policy: &Policy) -> serde_json::Value {
    fn strip(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Object(map) => {
                let kept = map.into_iter().filter(|(name, _)| !matches!(name.as_str(), "origin" | "dropped"));
                kept.map(|(name, value)| (name, strip(value))).collect()
            }
            serde_json::Value::Array(items) => {
                let mut items: Vec<_> = items.into_iter().map(strip).collect();
                items.sort_by_key(ToString::to_string);
                items.into()
            }
            other => other,
        }
    }
    strip(serde_json::to_value(policy).unwrap())
}

fn path() -> impl Strategy<Value = String> {
    vec("[abc]", 1..4).prop_map(|parts| format!("/x/{}", parts.join("/")))
}

/// One `[fs]` line.
fn rule() -> impl Strategy<Value = String> {
    let access = prop::sample::select(vec!["read", "read-noexec", "cow", "write", "hide"]);
    let mark = prop::sample::select(vec!["", "?"]);
    let dest = prop::option::weighted(0.2, path());
    (mark, path(), dest, access).prop_map(|(mark, path, dest, access)| {
        let dest = dest.filter(|_| access != "hide").map(|dest| format!(":{dest}")).unwrap_or_default();
        format!("\"{mark}{path}{dest}\" = \"{access}\"")
    })
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab]\\.org(:[12])?",
        "\\*\\.[ab]\\.org(:[12])?",
        "\\*\\.org",
        "10\\.[01]\\.0\\.0/16",
        "10\\.0\\.0\\.0/8(:1)?",
        "\\[fc00::/7\\]:1",
        "8\\.8\\.8\\.8"
    ]
}

fn quoted(items: &[String]) -> String {
    items.iter().map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(", ")
}

#[derive(Clone, Debug)]
struct Draft {
    rules: Vec<String>,
    rest: String,
}

impl Draft {
    fn text(&self) -> String {
        format!("belljar = 1\n[fs]\n{}\n{}", self.rules.join("\n"), self.rest)
    }
}

fn draft() -> impl Strategy<Value = Draft> {
    let net =
        (vec(host(), 0..4), vec(host(), 0..3), prop::sample::select(vec!["off", "none", "list", "host"]));
    let net = net.prop_map(|(allow, deny, mode)| {
        let allow = if mode == "list" { format!("allow = [{}]\n", quoted(&allow)) } else { String::new() };
        format!("[net]\nmode = \"{mode}\"\n{allow}deny = [{}]\n", quoted(&deny))
    });
    let env = vec("[A-C]{1,2}\\*?", 0..3)
        .prop_map(|pass| format!("[env]\npass = [{}]\nset = {{ Z = \"\\u001b\" }}\n", quoted(&pass)));
    let calls = vec("@?[a-c]", 0..3).prop_map(|calls| format!("[syscalls]\nallow = [{}]\n", quoted(&calls)));
    let limits = (1u32..99, 65_536u64..9_999_999, 1u64..999_999).prop_map(|(pids, bytes, ms)| {
        format!("[limits]\npids = {pids}\nmemory = {bytes}\nwall = \"{ms}ms\"\n")
    });
    let require = prop::sample::select(vec!["", "[require]\nfs = [2, \"landlock\"]\nnet = 1\n"]);
    (vec(rule(), 0..7), net, env, calls, limits, require).prop_map(
        |(rules, net, env, calls, limits, require)| Draft {
            rules,
            rest: [net, env, calls, limits, require.to_owned()].concat(),
        },
    )
}

/// Strength of an access; none is the weakest.
fn rank(policy: &Policy, path: &str) -> u8 {
    let decision = fs_decision(policy, Path::new(path));
    match decision.access.filter(|_| decision.allowed) {
        None | Some(Access::Hide) => 0,
        Some(Access::ReadNoexec) => 1,
        Some(Access::Read) => 2,
        Some(Access::Cow) => 3,
        Some(Access::Write) => 4,
        Some(other) => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_text_panics(text in "\\PC{0,200}", head in prop::bool::ANY) {
        let text = if head { format!("belljar = 1\n{text}") } else { text };
        if let Err(error) = read(&text) {
            prop_assert!(!error.render().is_empty());
        }
    }

    #[test]
    fn no_value_of_any_key_panics(at in 0..KEYS.len(), text in "\\PC{0,40}|[-0-9a-zA-Z:/.*@?~\\[\\] =]{0,20}") {
        let key = &KEYS[at];
        let literal = format!("{text:?}");
        let (table, name) = key.name.split_once('.').unwrap_or(("", key.name));
        let head = if table.is_empty() { String::new() } else { format!("[{table}]\n") };
        for value in [literal.clone(), format!("[{literal}]"), format!("{{ {literal} = {literal} }}")] {
            let _outcome = read(&format!("belljar = 1\n{head}{name} = {value}"));
        }
        let _outcome = Policy::none().set(key.name, &text);
        let _text = explain(&text);
    }

    #[test]
    fn no_flag_panics(at in 0..KEYS.len(), bytes in vec(any::<u8>(), 0..40)) {
        for name in KEYS[at].flags {
            let value = OsString::from_vec(bytes.clone());
            let request = Request { flags: vec![FlagValue::new(*name, value)], cwd: "/src".into(), ..Request::default() };
            match load(&request, &|_| Err(std::io::ErrorKind::NotFound.into())) {
                Err(error) => prop_assert!(!error.render().chars().any(|c| c.is_control() && c != '\n')),
                Ok(policy) => prop_assert!(!to_toml(&policy, true).chars().any(|c| c.is_control() && c != '\n')),
            }
        }
    }

    #[test]
    fn no_question_panics(text in "\\PC{0,40}") {
        let policy = Policy::none();
        let _kind = asked(text.as_ref());
        prop_assert!(!fs_decision(&policy, Path::new(&text)).allowed);
        prop_assert!(!env_decision(&policy, &text).allowed);
        prop_assert!(!syscall_decision(&policy, &text, &|_, _| true).allowed);
        prop_assert!(net_decision(&policy, &text).map_or(true, |decision| !decision.allowed));
    }

    #[test]
    fn order_does_not_matter(draft in draft(), seed in any::<u64>()) {
        let mut other = draft.clone();
        let count = other.rules.len().max(1);
        other.rules.rotate_left(usize::try_from(seed).unwrap() % count);
        if seed % 2 == 0 {
            other.rules.reverse();
        }
        match (read(&draft.text()), read(&other.text())) {
            (Ok(one), Ok(two)) => prop_assert_eq!(bare(&one), bare(&two)),
            (Err(_), Err(_)) => {}
            (one, two) => panic!("{one:?}\n{two:?}"),
        }
    }

    #[test]
    fn shown_policies_read_back(draft in draft(), with_origin in prop::bool::ANY) {
        let Ok(policy) = read(&draft.text()) else { return Ok(()) };
        let shown = to_toml(&policy, with_origin);
        let again = read(&shown).unwrap_or_else(|error| panic!("{shown}\n{}", error.render()));
        prop_assert_eq!(bare(&policy), bare(&again), "{}", shown);
    }

    #[test]
    fn json_says_the_same(draft in draft()) {
        let Ok(policy) = read(&draft.text()) else { return Ok(()) };
        let json = serde_json::to_string(&policy).unwrap();
        prop_assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
    }

    #[test]
    fn narrowing_never_widens(outer in draft(), inner in draft(), paths in vec(path(), 8), hosts in vec(host(), 6)) {
        let (Ok(outer), Ok(inner)) = (read(&outer.text()), read(&inner.text())) else { return Ok(()) };
        let narrowed = narrow(&outer, &inner).policy;
        for path in &paths {
            let (out, small, large) = (rank(&narrowed, path), rank(&inner, path), rank(&outer, path));
            prop_assert!(out <= small.min(large), "{path}: {out} from {large} and {small}");
        }
        let asked = |policy: &Policy, host: &str| net_decision(policy, host).unwrap().allowed;
        for host in &hosts {
            prop_assert!(!asked(&narrowed, host) || asked(&outer, host) && asked(&inner, host), "{host}");
        }
        for name in ["A", "AB", "CC", "B"] {
            let both = env_decision(&outer, name).allowed && env_decision(&inner, name).allowed;
            prop_assert!(!env_decision(&narrowed, name).allowed || both, "{name}");
        }
        prop_assert!(narrowed.limits.pids.unwrap().value <= outer.limits.pids.unwrap().value.min(inner.limits.pids.unwrap().value));
    }

    #[test]
    fn narrowing_by_itself_changes_nothing(draft in draft(), paths in vec(path(), 8)) {
        let Ok(policy) = read(&draft.text()) else { return Ok(()) };
        let same = narrow(&policy, &policy);
        prop_assert_eq!(&same.refused, &vec![]);
        for path in &paths {
            prop_assert_eq!(rank(&same.policy, path), rank(&policy, path), "{}", path);
        }
    }
}

#[test]
fn most_drafts_are_policies() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let drafts = (0..200).map(|_| draft().new_tree(&mut runner).unwrap().current());
    let good = drafts.filter(|draft| read(&draft.text()).is_ok()).count();
    assert!(good > 120, "only {good} of 200 drafts test anything");
}

#[test]
fn empty_lists_grant_nothing() {
    let text = "belljar = 1
extends = []
allow-weaker = []
pass-fds = []
[fs]
dangerously-grant = []
[net]
mode = \"list\"
allow = []
deny = []
[env]
pass = []
set = {}
[syscalls]
allow = []
deny = []
when = {}
[limits]
[require]
";
    let policy = read(text).unwrap();
    for path in ["/", "/usr/bin/env", "/home/u", "/tmp", "/dev/null", "/proc/self", "/src"] {
        assert!(!fs_decision(&policy, Path::new(path)).allowed, "{path}");
    }
    for host in ["example.org:443", "127.0.0.1:80", "8.8.8.8", "::1", "localhost"] {
        assert!(!net_decision(&policy, host).unwrap().allowed, "{host}");
    }
    assert!(!env_decision(&policy, "PATH").allowed);
    assert!(!syscall_decision(&policy, "read", &|_, _| true).allowed);
    assert!(policy.pass_fds.is_empty() && policy.weaker.is_empty());
}
