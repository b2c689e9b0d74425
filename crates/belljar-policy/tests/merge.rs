//! Layers: what wins, what grows, what contradicts.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use belljar_policy::{
    Access, Bytes, Decision, Fault, FlagValue, Input, LOG_BYTES, LogTarget, NetMode, Origin, Policy,
    PolicyError, Request, env_decision, fs_decision, load, net_decision,
};

fn request(inputs: &[&str], flags: &[(&str, &str)]) -> Request {
    Request {
        inputs: inputs.iter().map(|name| Input::Named(name.into())).collect(),
        flags: flags.iter().map(|(flag, value)| FlagValue::new(*flag, *value)).collect(),
        cwd: "/src/project".into(),
        home: Some("/home/u".into()),
    }
}

fn with_files(request: &Request, files: &[(&str, &str)]) -> Result<Policy, PolicyError> {
    let files: HashMap<&Path, &str> = files.iter().map(|(path, text)| (Path::new(*path), *text)).collect();
    load(request, &|path| {
        files.get(path).map(|text| (*text).to_owned()).ok_or(io::ErrorKind::NotFound.into())
    })
}

fn policy(inputs: &[&str], flags: &[(&str, &str)]) -> Policy {
    with_files(&request(inputs, flags), &[]).unwrap_or_else(|error| panic!("{}", error.render()))
}

/// Where the default preset says something.
fn strict_line(start: &str) -> usize {
    let text = belljar_policy::preset_text("@strict").unwrap_or("");
    text.lines().position(|line| line.starts_with(start)).map_or(0, |at| at + 1)
}

fn at(policy: &Policy, path: &str) -> Decision {
    fs_decision(policy, Path::new(path))
}

#[test]
fn strict_is_the_default_and_reads_no_home() {
    let policy = policy(&[], &[]);
    assert_eq!(policy, self::policy(&["@strict"], &[]));
    for (path, access) in [
        ("/usr/bin/env", Some(Access::Read)),
        ("/src/project/a", Some(Access::Read)),
        ("/etc/hostname", Some(Access::ReadNoexec)),
        ("/etc/passwd", Some(Access::ReadNoexec)),
        ("/etc/shadow", None),
        ("/etc/ssl/certs/a.pem", Some(Access::ReadNoexec)),
        ("/home/u/.ssh/id", None),
        ("/home/u", None),
        ("/src/other", None),
        ("/var/run/docker.sock", None),
        ("/tmp/x", Some(Access::Write)),
        ("/dev/null", Some(Access::Write)),
        ("/dev/sda", None),
        ("/sys", None),
    ] {
        let decision = at(&policy, path);
        assert_eq!(decision.access.filter(|_| decision.allowed), access, "{decision}");
    }
    assert!(
        env_decision(&policy, "LC_ALL").allowed && !env_decision(&policy, "AWS_SECRET_ACCESS_KEY").allowed
    );
    assert_eq!(policy.net.mode.value, NetMode::None);
}

#[test]
fn the_current_folder_is_not_granted_where_it_is_home_or_root() {
    for cwd in ["/home/u", "/home", "/", "/tmp", "/dev", "/proc/self"] {
        for preset in ["@strict", "@dev"] {
            let request = Request { cwd: cwd.into(), ..request(&[preset], &[]) };
            let policy =
                with_files(&request, &[]).unwrap_or_else(|error| panic!("{cwd}: {}", error.render()));
            assert!(
                !policy.fs.rules.iter().any(|rule| rule.inside() == Some(Path::new(cwd))),
                "{cwd} {preset}"
            );
            assert!(policy.dropped.iter().any(|dropped| dropped.rule.contains(cwd)), "{cwd} {preset}");
        }
    }
}

#[test]
fn a_project_inside_a_tool_folder_can_be_written() {
    let request = Request { cwd: "/home/u/go".into(), ..request(&["@dev"], &[]) };
    assert_eq!(at(&with_files(&request, &[]).unwrap(), "/home/u/go/x").access, Some(Access::Write));
}

#[test]
fn flags_win_over_files_and_files_over_presets() {
    let files = [(
        "/src/project/a.toml",
        "belljar = 1\nextends = ['@strict']\n[fs]\n'.' = 'write'\ntmp = '1M'\n[limits]\nmemory = '1G'\npids = 9",
    )];
    let request = request(&["a.toml"], &[("-m", "2G"), ("-r", "."), ("--pids", "none")]);
    let policy = with_files(&request, &files).unwrap();
    assert_eq!(policy.limits.memory.unwrap().value, Bytes(2 << 30));
    assert_eq!(policy.limits.pids, None);
    assert_eq!(policy.fs.tmp.unwrap().value, Bytes(1 << 20));
    let rule = policy.fs.rules.iter().find(|rule| rule.inside() == Some(Path::new("/src/project"))).unwrap();
    assert_eq!((rule.access, &rule.origin), (Access::Read, &Origin::Flag("-r .".to_owned())));
    let notes: Vec<String> =
        policy.dropped.iter().map(|note| format!("{} {} {}", note.rule, note.origin, note.because)).collect();
    for note in [
        &format!("\"/src/project\" = \"read\" @strict:{} replaced by a.toml:4", strict_line("\".\"")),
        "\"/src/project\" = \"write\" a.toml:4 replaced by -r .",
        &format!("fs.tmp = 256M @strict:{} replaced by a.toml:5", strict_line("tmp")),
        "limits.memory = 1G a.toml:7 replaced by -m 2G",
        "limits.pids = 9 a.toml:8 replaced by --pids none",
    ] {
        assert!(notes.iter().any(|have| have == note), "{note} is not in {notes:#?}");
    }
}

#[test]
fn a_file_that_extends_nothing_starts_from_nothing() {
    let policy = with_files(&request(&["a.toml"], &[]), &[("/src/project/a.toml", "belljar = 1")]).unwrap();
    assert_eq!(policy, Policy::none());
}

#[test]
fn files_extend_beside_themselves_and_once() {
    let files = [
        ("/src/project/sub/a.toml", "belljar = 1\nextends = ['../b.toml', 'c.toml']\n[fs]\n'./x' = 'read'"),
        (
            "/src/project/b.toml",
            "belljar = 1\nextends = ['sub/c.toml']\n[fs]\n'./y' = 'read'\n[limits]\npids = 5",
        ),
        // Read once, before b.toml, although it is named again after it.
        ("/src/project/sub/c.toml", "belljar = 1\n[limits]\npids = 4"),
    ];
    let policy = with_files(&request(&["sub/a.toml"], &[]), &files).unwrap();
    assert!(at(&policy, "/src/project/sub/x").allowed && at(&policy, "/src/project/y").allowed);
    assert_eq!(policy.limits.pids.unwrap().value, 5);
}

#[test]
fn cycles_and_depth_are_bounded() {
    let cycle = [("/src/project/a.toml", "belljar = 1\nextends = ['./a.toml']")];
    let error = load(&request(&["a.toml"], &[]), &|_| Ok(cycle[0].1.to_owned())).unwrap_err();
    assert!(matches!(error.fault(), Fault::Cycle(_)), "{error}");
    let deeper = |path: &Path| {
        let depth = path.as_os_str().len();
        Ok(format!("belljar = 1\nextends = ['{}.toml']", "x".repeat(depth)))
    };
    let error = load(&request(&["a.toml"], &[]), &deeper).unwrap_err();
    assert!(matches!(error.fault(), Fault::TooDeep), "{error}");
}

#[test]
fn flags_carry_any_bytes() {
    let odd = std::ffi::OsString::from_vec(b"/data/\xff\xfe".to_vec());
    let mut request = request(&["@filter"], &[]);
    request.flags.push(FlagValue::new("-r", odd.clone()));
    let policy = with_files(&request, &[]).unwrap();
    assert!(fs_decision(&policy, Path::new(&odd)).allowed);
    let json = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
}

#[test]
fn networks_merge() {
    let list = "belljar = 1\n[net]\nallow = ['a.org:443']\ndeny = ['b.org']";
    let files = [("/src/project/a.toml", list)];
    let policy = with_files(&request(&["a.toml"], &[("-n", "b.org"), ("-n", "c.org:1")]), &files).unwrap();
    assert_eq!(policy.net.mode.value, NetMode::List);
    let asked = |name: &str| net_decision(&policy, name).unwrap();
    assert!(asked("a.org:443").allowed && asked("c.org:1").allowed);
    assert!(!asked("a.org:80").allowed && !asked("a.org").allowed);
    assert!(!asked("b.org:5").allowed, "deny wins");
    assert_eq!(asked("b.org:5").origin.to_string(), "a.toml:4");
    let policy = with_files(&request(&["a.toml"], &[("-n", "none")]), &files).unwrap();
    assert!(
        policy.net.allow.is_empty() && policy.dropped.iter().any(|note| note.rule == "net.allow a.org:443")
    );
    assert!(!net_decision(&policy, "a.org:443").unwrap().allowed);
}

#[test]
fn a_host_without_a_port_is_reached_by_ssh_and_the_web_and_denied_on_every_port() {
    let policy = policy(&["@strict"], &[("-n", "a.org"), ("-n", "*.b.org:8443"), ("--deny-net", "x.b.org")]);
    let allowed = |text: &str| net_decision(&policy, text).unwrap().allowed;
    for text in ["a.org", "a.org:22", "a.org:80", "a.org:443", "w.b.org:8443"] {
        assert!(allowed(text), "{text}");
    }
    for text in ["a.org:8443", "a.org:53", "w.b.org:443", "w.b.org", "x.b.org:8443", "x.b.org"] {
        assert!(!allowed(text), "{text}");
    }
    assert_eq!(policy.net.served_ports(), [22, 80, 443, 8443]);
}

#[test]
fn services_of_the_host_and_servers_of_the_jar_follow_the_mode() {
    let flags = [("--reach", "localhost:5432"), ("--publish", "80:8080"), ("--host", "Db.example.=::1")];
    let policy_with = |more: &[(&str, &str)]| policy(&["@strict"], &[&flags, more].concat());
    let listed = policy_with(&[]);
    assert_eq!(listed.net.mode.value, NetMode::List, "reach means list");
    assert_eq!((listed.net.reach[0].value, listed.net.publish[0].value.host_port), (5432, 8080));
    assert_eq!(listed.net.hosts["db.example"].value.to_string(), "::1");
    let files =
        [("/src/project/a.toml", "belljar = 1\n[net]\nreach = ['localhost:1']\npublish = ['81:8080', '7']")];
    let later =
        with_files(&request(&["a.toml"], &[("-n", "none"), ("--publish", "82:8080")]), &files).unwrap();
    assert!(later.net.reach.is_empty());
    let published: Vec<u16> = later.net.publish.iter().map(|ports| ports.value.port).collect();
    assert_eq!(published, [7, 82], "a later server takes the port");
    let gone: Vec<&str> = later.dropped.iter().map(|note| note.rule.as_str()).collect();
    assert!(gone.contains(&"net.reach localhost:1") && gone.contains(&"net.publish 81:8080"), "{gone:?}");
    let host = with_files(&request(&["a.toml"], &[("-n", "host")]), &files).unwrap();
    assert!(host.net.publish.is_empty() && host.dropped.iter().any(|note| note.rule == "net.publish 7"));
}

#[test]
fn special_addresses_must_be_named() {
    let decide = |allow: &str, asked: &str| {
        net_decision(&policy(&["@strict"], &[("-n", allow)]), asked).unwrap().allowed
    };
    for (allow, asked, allowed) in [
        ("0.0.0.0/0", "8.8.8.8:443", true),
        ("0.0.0.0/0", "10.0.0.1:443", false),
        ("0.0.0.0/0", "169.254.169.254:80", false),
        ("0.0.0.0/0", "[::ffff:169.254.169.254]:80", false),
        ("0.0.0.0/0", "127.0.0.1:80", false),
        ("8.0.0.0/5", "10.0.0.1:80", false),
        ("10.0.0.0/8", "10.0.0.1:443", true),
        ("10.1.0.0/16", "10.1.2.3", true),
        ("10.1.0.0/16", "10.2.2.3", false),
        ("169.254.169.254:80", "169.254.169.254:80", true),
        ("::/0", "[::1]:80", false),
        ("::/0", "[fd00:ec2::254]:80", false),
        ("::/0", "[2606:4700::1]:80", true),
        ("::/0", "[64:ff9b::a9fe:a9fe]:80", false),
        ("::/0", "[::ffff:0:a9fe:a9fe]:80", false),
        ("::1", "[::1]:80", true),
        ("0.0.0.0/0", "example.org:80", false),
    ] {
        assert_eq!(decide(allow, asked), allowed, "{allow} {asked}");
    }
}

#[test]
fn variables_pass_or_are_set_never_both() {
    let file = [("/src/project/a.toml", "belljar = 1\n[env]\npass = ['CI', 'A_*']\nset = { B = '1' }")];
    let policy = with_files(&request(&["a.toml"], &[("-e", "CI=2"), ("-e", "B")]), &file).unwrap();
    assert_eq!(policy.env.set.get("CI").unwrap().value, "2");
    assert!(!policy.env.set.contains_key("B") && policy.env.pass.iter().any(|name| name.value == "B"));
    assert!(!policy.env.pass.iter().any(|name| name.value == "CI"));
}

#[test]
fn tmp_is_private_or_the_hosts() {
    let host = policy(&[], &[("-w", "/tmp")]);
    assert_eq!(host.fs.tmp, None);
    assert!(host.fs.rules.iter().any(|rule| rule.inside() == Some(Path::new("/tmp"))));
    let file = [("/src/project/a.toml", "belljar = 1\n[fs]\n'/tmp' = 'read'")];
    let own = with_files(&request(&["a.toml"], &[("--tmp", "1M")]), &file).unwrap();
    assert!(own.fs.rules.is_empty() && own.fs.tmp.is_some());
}

#[test]
fn sockets_of_daemons_are_hidden_or_refused() {
    let read = policy(&["@filter"], &[("-r", "/run")]);
    assert!(at(&read, "/run/lock").allowed);
    assert!(!at(&read, "/run/docker.sock").allowed && !at(&read, "/run/user/1000/bus").allowed);
    for (flag, path) in [
        ("-r", "/var/run/docker.sock"),
        ("-r", "/run/user/1000/podman/podman.sock"),
        ("-r", "/run/user/1000"),
        ("-w", "/run"),
        ("-w", "/run/podman"),
        ("--cow", "/var/lib/incus"),
        ("-r", "/run:/mnt"),
        ("-r", "~/.docker/run/docker.sock"),
        ("-r", "/"),
        ("-r", "/usr/.."),
        ("-w", "~"),
        ("-r", "/home"),
        ("-r", "/:/host"),
        ("-r", "/proc"),
        ("-r", "/proc/1"),
        ("-w", "/dev"),
        ("-w", "/sys/fs"),
    ] {
        let error = with_files(&request(&["@filter"], &[(flag, path)]), &[]).unwrap_err();
        assert!(matches!(error.fault(), Fault::TooBroad { .. }), "{path} {error}");
        let remedy = error.remedy().unwrap();
        let (_, long) = remedy.split_once("--dangerously-grant ").unwrap();
        let granted = request(&["@filter"], &[(flag, path), ("--dangerously-grant", long)]);
        let policy = with_files(&granted, &[]).unwrap_or_else(|error| panic!("{}", error.render()));
        assert!(policy.fs.rules.iter().any(|rule| rule.dangerous), "{path}");
    }
}

#[test]
fn sockets_of_engines_are_listed_by_the_long_word_alone() {
    let listed = |flags: &[(&str, &str)]| with_files(&request(&["@strict"], flags), &[]);
    for path in [
        "/run/docker.sock",
        "/var/run/docker.sock",
        "/run/user/1000/podman/podman.sock",
        "/run/user/1000/bus",
        "~/.docker/run/docker.sock",
    ] {
        let error = listed(&[("--socket", path)]).unwrap_err();
        assert!(matches!(error.fault(), Fault::TooBroad { .. }), "{path} {error}");
        let remedy = error.remedy().unwrap();
        let (_, long) = remedy.split_once("--dangerously-grant ").unwrap();
        let policy = listed(&[("--socket", path), ("--dangerously-grant", long)]).unwrap();
        assert!(policy.net.sockets.iter().all(|socket| socket.dangerous), "{path}");
    }
    assert!(!listed(&[("--socket", "/run/user/1000/gnupg/S.gpg-agent")]).unwrap().net.sockets[0].dangerous);
    assert!(listed(&[("--socket", "agent")]).unwrap_err().to_string().contains("agent"));
    let off = with_files(&request(&["@strict"], &[("--net", "off"), ("--socket", "ssh-agent")]), &[]);
    assert!(off.is_err(), "no sockets at all, and one: a contradiction");
}

#[test]
fn the_long_word_permits_its_own_path_only() {
    let flags = [("-r", "/"), ("--dangerously-grant", "/home/u")];
    assert!(with_files(&request(&["@filter"], &flags), &[]).is_err());
}

#[test]
fn a_service_of_the_host_is_told_from_a_host_of_the_network() {
    let policy = policy(&["@strict"], &[("--reach", "localhost:5432"), ("--deny-net", "[::1]:5432")]);
    let asked = |text: &str| net_decision(&policy, text).unwrap();
    for text in ["localhost:5432", "db.localhost:5432", "127.0.0.1:5432"] {
        assert!(asked(text).allowed && asked(text).rule.contains("net.reach"), "{text}");
    }
    for text in ["[::1]:5432", "localhost", "localhost:5433", "127.0.0.2:5432", "example.org:5432"] {
        assert!(!asked(text).allowed, "{text}");
    }
    assert_eq!(asked("127.0.0.1:80").flag.as_deref(), Some("--reach localhost:80"));
    assert_eq!(asked("127.0.0.2:80").flag.as_deref(), Some("--net 127.0.0.2:80"));
    let given =
        with_files(&request(&["@strict"], &[("-n", "a.org"), ("--host", "a.org=10.0.0.5")]), &[]).unwrap();
    assert_eq!(net_decision(&given, "a.org:443").unwrap().note.as_deref(), Some("it leads to 10.0.0.5"));
}

#[test]
fn files_named_one_by_one_take_the_place_of_the_working_folder() {
    let plain = policy(&[], &[]);
    assert!(at(&plain, "/src/project/c").allowed);
    let named = policy(&[], &[("--service", "fileargs")]);
    assert!(!at(&named, "/src/project/c").allowed && at(&named, "/usr/bin/env").allowed);
    assert!(named.dropped.iter().any(|dropped| dropped.because.contains("--service")), "{:?}", named.dropped);
    let granted = policy(&[], &[("--service", "fileargs"), ("-r", ".")]);
    assert!(at(&granted, "/src/project/c").allowed, "what the caller grants stays");
}

#[test]
fn services_that_are_grants_become_grants() {
    let merged =
        policy(&[], &[("--service", "net=example.org:443,example.net"), ("--service", "users=me,root")]);
    assert_eq!(merged.net.mode.value, NetMode::List);
    assert_eq!(merged.net.allow.len(), 2);
    assert_eq!(merged.services.len(), 1);
    assert_eq!(merged.services[0].names, ["me", "root"]);
}

#[test]
fn there_is_one_log_and_the_nearer_layer_names_its_place() {
    let text = "belljar = 1\nservices = [\"log=/srv/a\", \"users\"]\n";
    let flags = [("--service", "log=b"), ("--service", "users")];
    let merged = with_files(&request(&["a.toml"], &flags), &[("/src/project/a.toml", text)]).unwrap();
    assert_eq!(merged.services.len(), 2, "{:?}", merged.services);
    assert_eq!(merged.services[0].log(), Some((LogTarget::File("/src/project/b".into()), LOG_BYTES)));
}
