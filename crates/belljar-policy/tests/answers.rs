//! Answers as a person reads them: decisions, refused widenings, shown policies.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use belljar_policy::{
    Access, Asked, FlagValue, Otherwise, Policy, Request, asked, env_decision, fs_decision, fs_flag, load,
    narrow, net_decision, syscall_decision, to_toml,
};

const TEXT: &str = "belljar = 1
hostname = \"jar\"
[fs]
\"/opt\" = \"read\"
\"/opt/key\" = \"hide\"
\"?/data:/mnt\" = \"write\"
tmp = \"1M\"
[net]
allow = [\"*.example.org:443\", \"0.0.0.0/0\"]
deny = [\"bad.example.org\"]
[env]
pass = [\"LC_*\"]
set = { CI = \"1\" }
[syscalls]
allow = [\"@default\"]
deny = [\"ptrace\"]
when = { ioctl = \"arg1 == TCGETS\" }
[require]
fs = [2, \"landlock\"]
";

/// A policy from a project that is not trusted, which asks for too much everywhere.
const INNER: &str = r#"belljar = 1
allow-weaker = ["net"]
pass-fds = [5]
debug = true
[fs]
"/opt" = "write"
"/opt/key" = "read"
"/" = "read"
dangerously-grant = ["/"]
[net]
mode = "host"
[env]
pass = ["HOME"]
set = { PATH = "/x" }
[syscalls]
allow = ["@default", "bpf"]
when = { clone = "arg0 == 0" }
"#;

fn policy(text: &str, flags: &[(&str, &str)]) -> Policy {
    let flags = flags.iter().map(|(flag, value)| FlagValue::new(*flag, *value)).collect();
    let request = Request { flags, home: Some("/home/u".into()), ..Request::text("jar.toml", text) };
    load(&request, &|_| Err(std::io::ErrorKind::NotFound.into()))
        .unwrap_or_else(|error| panic!("{}", error.render()))
}

#[test]
fn paths() {
    let policy = policy(TEXT, &[("-r", "/srv")]);
    let answer = |path: &str| fs_decision(&policy, Path::new(path)).to_string();
    assert_eq!(answer("/opt/tool"), "/opt/tool: allowed (read)\n  rule: \"/opt\" = \"read\"  (jar.toml:4)");
    assert_eq!(
        answer("/opt/key/id"),
        "/opt/key/id: denied\n  rule: \"/opt/key\" = \"hide\"  (jar.toml:5)\n  to allow: --read /opt/key/id"
    );
    assert_eq!(
        answer("/mnt/a"),
        "/mnt/a: allowed (write)\n  rule: \"?/data:/mnt\" = \"write\"  (jar.toml:6)\n  note: it is /data/a of the host"
    );
    assert_eq!(answer("/srv"), "/srv: allowed (read)\n  rule: \"/srv\" = \"read\"  (-r /srv)");
    assert_eq!(
        answer("/tmp/x"),
        "/tmp/x: allowed (write)\n  rule: fs.tmp = \"1M\"  (jar.toml:7)\n  note: private: not the host's /tmp"
    );
    assert_eq!(
        answer("/opt/../home/u\x1b"),
        "/home/u\\x1b: denied\n  rule: nothing is granted that no rule names  (default)\n  to allow: --read /home/u\\x1b"
    );
    // A name that only starts alike is another name.
    assert!(!fs_decision(&policy, Path::new("/optical")).allowed);
}

#[test]
fn the_flag_for_a_path() {
    let policy = policy(TEXT, &[("--hide", "/srv")]);
    for (path, access, flag) in [
        ("/opt/tool", Access::Write, Some("--write /opt/tool")),
        ("/opt/key", Access::Read, Some("--read /opt/key")),
        ("/mnt/a", Access::Read, Some("--read /data/a:/mnt/a")),
        ("/a:b", Access::Read, Some("--read /a\\:b")),
        ("/tmp/x", Access::Read, Some("--read /tmp/x")),
        ("/srv", Access::Read, None),
        ("/srv/x", Access::Read, Some("--read /srv/x")),
        ("/", Access::Write, None),
    ] {
        assert_eq!(fs_flag(&policy, Path::new(path), access).as_deref(), flag, "{path}");
    }
    let strict = load(&Request::default(), &|_| Err(std::io::ErrorKind::NotFound.into()));
    assert!(strict.is_ok_and(|policy| fs_flag(&policy, Path::new("/proc/1"), Access::Read).is_none()));
}

#[test]
fn hosts_variables_and_calls() {
    let policy = policy(TEXT, &[]);
    let host = |name: &str| {
        net_decision(&policy, name).map_or_else(|error| error.to_string(), |answer| answer.to_string())
    };
    assert!(
        host("a.example.org:443")
            .starts_with("a.example.org:443: allowed\n  rule: net.allow \"*.example.org:443\"  (jar.toml:9)")
    );
    assert!(
        host("bad.example.org:443")
            .contains("denied\n  rule: net.deny \"bad.example.org\"  (jar.toml:10)\n  note: deny wins")
    );
    assert!(host("169.254.169.254:80").contains("note: the address is link-local (machine metadata)"));
    assert!(host("example.org:443").contains("to allow: --net example.org:443"));
    assert_eq!(
        host("no host"),
        "`no host` is not a host such as example.org:443, *.example.org, 10.0.0.0/8:5432 or [::1]:80"
    );
    assert_eq!(env_decision(&policy, "LC_ALL").rule, "env.pass \"LC_*\"");
    assert_eq!(env_decision(&policy, "CI").note.as_deref(), Some("a fixed value"));
    let call =
        |name: &str| syscall_decision(&policy, name, &|group, call| group == "@default" && call != "bpf");
    assert!(call("read").allowed && !call("ptrace").allowed && !call("bpf").allowed);
    assert_eq!(call("bpf").flag.as_deref(), Some("--allow-syscall bpf"));
    assert_eq!(call("ioctl").note.as_deref(), Some("only with these arguments"));
}

#[test]
fn the_kind_of_a_question_is_its_shape() {
    for (text, kind) in [
        ("/etc/passwd", Asked::Path),
        ("./a", Asked::Path),
        ("~", Asked::Path),
        ("src/main.rs", Asked::Path),
        ("example.org", Asked::Host),
        ("localhost:80", Asked::Host),
        ("[::1]:80", Asked::Host),
        ("PATH", Asked::Variable),
        ("io_uring_setup", Asked::Syscall),
    ] {
        assert_eq!(asked(text.as_ref()), kind, "{text}");
    }
}

#[test]
fn an_untrusted_policy_only_narrows_and_is_told() {
    let outer = policy(TEXT, &[]);
    let inner = policy(INNER, &[]);
    let narrowed = narrow(&outer, &inner);
    let told: Vec<String> = narrowed
        .refused
        .iter()
        .map(|line| format!("{} ({}): {}", line.rule, line.origin, line.because))
        .collect();
    for line in [
        "\"/opt\" = \"write\" (jar.toml:6): jar.toml:4 grants read of /opt only",
        "\"/opt/key\" = \"read\" (jar.toml:7): jar.toml:5 grants hide of /opt/key only",
        "\"/\" = \"read\" (jar.toml:8): the outer policy grants nothing there",
        "net.mode = host (jar.toml:11): jar.toml:9 allows list only",
        "env.pass HOME (jar.toml:13): the outer policy does not pass it",
        "env.set.PATH (jar.toml:14): only the outer policy can set it",
        "syscalls.allow bpf (jar.toml:16): the outer list does not have this entry",
        "syscalls.when.clone (jar.toml:17): only the outer policy can set it",
        "allow-weaker net (jar.toml:2): the outer policy does not allow it",
        "pass-fds 5 (jar.toml:3): the outer policy does not pass it",
        "debug = true (jar.toml:4): default allows false only",
    ] {
        assert!(told.iter().any(|have| have == line), "{line}\n{told:#?}");
    }
    let got = narrowed.policy;
    for path in ["/", "/home/u", "/opt/key", "/mnt/a", "/etc"] {
        assert!(!fs_decision(&got, Path::new(path)).allowed, "{path}");
    }
    assert!(fs_decision(&got, Path::new("/opt/tool")).allowed);
    let places: Vec<_> = got.fs.rules.iter().filter_map(|rule| rule.inside()).collect();
    assert_eq!(places, [Path::new("/opt"), Path::new("/opt/key")], "no rule says nothing");
    assert!(got.pass_fds.is_empty() && got.weaker.is_empty() && !got.debug.value);
    assert_eq!(got.require, outer.require);
}

#[test]
fn json_and_toml_say_the_same() {
    let json = r#"{
  "belljar": 1,
  "hostname": "jar",
  "fs": { "/opt": "read", "/opt/key": "hide", "?/data:/mnt": "write", "tmp": "1M" },
  "net": { "allow": ["*.example.org:443", "0.0.0.0/0"], "deny": ["bad.example.org"] },
  "env": { "pass": ["LC_*"], "set": { "CI": "1" } },
  "syscalls": { "allow": ["@default"], "deny": ["ptrace"], "when": { "ioctl": "arg1 == TCGETS" } },
  "require": { "fs": [2, "landlock"] }
}"#;
    assert_eq!(to_toml(&policy(json, &[]), false), to_toml(&policy(TEXT, &[]), false));
}

#[test]
fn a_shown_policy_names_its_writers() {
    let shown = to_toml(&policy(TEXT, &[("--hostname", "b"), ("-t", "90s")]), true);
    for line in [
        "hostname = \"b\"  # --hostname b",
        "\"/opt/key\" = \"hide\"  # jar.toml:5",
        "wall = \"1m30s\"  # -t 90s",
        "  \"*.example.org:443\",  # jar.toml:9",
        "\"ioctl\" = \"arg1 == TCGETS\"  # jar.toml:17",
        "# not in force: hostname = jar  (jar.toml:2): replaced by --hostname b",
    ] {
        assert!(shown.lines().any(|have| have == line), "{line}\n{shown}");
    }
}

#[test]
fn an_untrusted_policy_gets_no_service_and_no_milder_end_than_the_outer_one() {
    let outer = policy("belljar = 1\nservices = [\"users=root\"]\n[syscalls]\notherwise = \"kill\"\n", &[]);
    let inner = policy(
        "belljar = 1\nservices = [\"users\", \"dns=example.org\", \"users=root\", \"log=/x\"]\n[syscalls]\notherwise = \"refuse\"\n",
        &[],
    );
    let narrowed = narrow(&outer, &inner);
    assert_eq!(narrowed.policy.services.len(), 1);
    assert_eq!(narrowed.policy.services[0].names, ["root"]);
    assert_eq!(narrowed.policy.syscalls.otherwise.map(|setting| setting.value), Some(Otherwise::Kill));
    let refused: Vec<&str> = narrowed.refused.iter().map(|line| line.rule.as_str()).collect();
    assert_eq!(refused, ["services users", "services dns=example.org", "services log=/x"]);
}
