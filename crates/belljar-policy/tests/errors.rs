//! Every kind of error, as a person sees it.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use belljar_policy::{FlagValue, Input, Request, load};

const HEAD: &str = "belljar = 1\n";

fn render(text: &str) -> String {
    let request = Request { home: Some("/home/u".into()), ..Request::text("jar.toml", text) };
    match load(&request, &|_| Err(std::io::ErrorKind::NotFound.into())) {
        Ok(_) => panic!("no error in {text}"),
        Err(error) => error.render(),
    }
}

fn render_flags(flags: &[FlagValue]) -> String {
    let request = Request {
        inputs: vec![Input::Named("@filter".into())],
        flags: flags.to_vec(),
        cwd: "/src/project".into(),
        home: None,
    };
    match load(&request, &|_| Err(std::io::ErrorKind::PermissionDenied.into())) {
        Ok(_) => panic!("no error in {flags:?}"),
        Err(error) => error.render(),
    }
}

#[test]
fn a_whole_message() {
    let text = format!("{HEAD}[limits]\nmemory = \"2Q\"  # too much\n");
    assert_eq!(
        render(&text),
        "`2Q` is not a size such as 512K, 256M or 2G (K, M, G, T count in 1024)
 --> jar.toml:3:10
  |
3 | memory = \"2Q\"  # too much
  |          ^^^^"
    );
}

#[test]
fn suggestions_at_every_level() {
    for (text, place, suggestion) in [
        ("[nett]\nmode = 'none'", "2:2", "net"),
        ("hostnam = 'a'", "2:1", "hostname"),
        ("[net]\nmod = 'none'", "3:1", "mode"),
        ("[net]\nmode = 'lst'", "3:8", "list"),
        ("[fs]\n'/a' = 'raed'", "3:8", "read"),
        ("[fs]\ntmpp = '1M'", "3:1", "tmp"),
        ("[fs]\nporc = 'own'", "3:1", "proc"),
        ("[fs]\n'@programm' = 'read'", "3:1", "@program"),
        ("[limits]\nmemroy = '1G'", "3:1", "memory"),
        ("[syscalls]\nallwo = []", "3:1", "allow"),
        ("[require]\nsyscall = 2", "3:11", "syscalls"),
        ("[require]\nfs = 'landlok'", "3:6", "landlock"),
        ("allow-weaker = ['memry']", "2:17", "memory"),
        ("extends = ['@strct']", "2:12", "@strict"),
        ("extends = ['strict']", "2:12", "@strict"),
        ("pass-fds = ['3:raed']", "2:13", "read"),
    ] {
        let shown = render(&format!("{HEAD}{text}"));
        assert!(shown.contains(&format!("--> jar.toml:{place}\n")), "{text}\n{shown}");
        assert!(shown.contains(&format!("did you mean: {suggestion}")), "{text}\n{shown}");
    }
}

#[test]
fn wrong_types_and_values() {
    for (text, message) in [
        ("[limits]\npids = '9'", "`9` is not a number or none"),
        ("[limits]\npids = 0", "`0` is not a number in range"),
        ("[limits]\nmemory = 0", "`0` is not a limit"),
        ("[limits]\nmemory = 512", "`512` is not a size that a program starts in"),
        ("[limits]\nmemory = -1", "`-1` is not a size"),
        ("[limits]\nwall = 1.5", "expected text or a number, found a fraction"),
        ("[limits]\nwall = '1.5h'", "`1.5h` is not a duration"),
        ("[net]\nallow = 'a.org'", "expected a list, found text"),
        ("[net]\nallow = [['a.org']]", "expected text, found a list"),
        ("[net]\nallow = ['a.org:99999']", "`a.org:99999` is not a host"),
        ("[net]\nallow = ['*']", "everything is mode = \"host\""),
        ("[net]\nallow = ['10.0.0.1/8']", "the range that holds it is 10.0.0.0/8"),
        ("[net]\nreach = ['db:5432']", "other hosts are granted with --net HOST:PORT"),
        ("[net]\nreach = ['localhost']", "`localhost` is not a service of this host"),
        ("[net]\nreach = ['localhost:0']", "`localhost:0` is not a service of this host"),
        ("[net]\npublish = ['80:0']", "`80:0` is not a port of the jar"),
        ("[net]\npublish = ['http']", "`http` is not a port of the jar"),
        ("[net]\nhosts = { 'a b' = '::1' }", "`::1` is not an address of a name"),
        ("[net]\nhosts = { 'a.org' = 'b.org' }", "`b.org` is not an address of a name"),
        ("[net]\nproxy = 'yes'", "expected true or false, found text"),
        ("net = 'none'", "expected a table, found text"),
        ("[fs]\n'/a' = true", "expected text, found true or false"),
        ("[fs]\n'a' = 'read'", "a path starts with / or ./ or ~ or ?"),
        ("[fs]\n'~root' = 'read'", "only ~ itself is known"),
        ("[fs]\n'/a:b' = 'read'", "place in the jar is absolute"),
        ("[fs]\n'/a:/b' = 'hide'", "name the place in the jar alone"),
        ("[fs]\n'@program' = 'write'", "`write` is not an access of @program"),
        ("[fs]\n\"/a\\u001b[31m\" = 'read'", "`/a\\x1b[31m` has a control character"),
        ("[env]\npass = ['A=B']", "`A=B` is not a variable name such as LANG, or a prefix such as LC_*"),
        ("[env]\nset = { A = 1 }", "expected text, found a number"),
        ("[env]\nset = ['A']", "expected a table, found a list"),
        ("[syscalls]\nallow = ['Read']", "`Read` is not a system call or @group"),
        ("debug = 'yes'", "expected true or false, found text"),
        ("umask = 22", "expected text, found a number"),
        ("umask = '8'", "`8` is not an octal mask"),
        ("pass-fds = [2]", "`2` is not a descriptor from 3"),
        ("[require]\nfs = 9", "`9` is not a number of layers"),
        ("extends = '@base'", "expected a list, found text"),
        ("[env]\npass = 'A'", "hint: put it into brackets"),
        ("extends = ['none.toml']", "there is no file `none.toml`"),
        ("a = ", "string values must be quoted"),
        ("debug = true\ndebug = true", "duplicate key"),
    ] {
        let shown = render(&format!("{HEAD}{text}"));
        assert!(shown.contains(message), "{text}\n{shown}");
        assert!(shown.contains("--> jar.toml:"), "{shown}");
    }
}

#[test]
fn versions() {
    for (text, message) in [
        ("", "`belljar = 1` is missing"),
        ("belljar = 2", "format version 2 is unknown"),
        ("belljar = '1'", "expected a number, found text"),
        ("{\"belljar\": 3}", "format version 3 is unknown"),
    ] {
        let shown = render(text);
        assert!(shown.contains(message) && shown.contains("hint: write belljar = 1"), "{shown}");
    }
}

#[test]
fn contradictions_name_both_sides() {
    for (text, parts) in [
        ("[fs]\n'/a/b' = 'read'\n'/a/./b' = 'write'", ["read /a/b (jar.toml:3)", "write /a/b (jar.toml:4)"]),
        ("[fs]\n'/a:/x' = 'read'\n'/b:/x' = 'read'", ["read /a:/x (jar.toml:3)", "read /b:/x (jar.toml:4)"]),
        ("[net]\nmode = 'none'\nallow = ['a.org']", ["mode none (jar.toml:3)", "allow a.org (jar.toml:4)"]),
        (
            "[net]\nmode = 'none'\nreach = ['localhost:1']",
            ["mode none (jar.toml:3)", "reach localhost:1 (jar.toml:4)"],
        ),
        ("[net]\nmode = 'host'\npublish = ['1']", ["mode host (jar.toml:3)", "publish 1 (jar.toml:4)"]),
        ("[net]\npublish = ['1:9', '2:9']", ["1:9 (jar.toml:3)", "2:9 (jar.toml:3)"]),
        ("[env]\npass = ['A']\nset = { A = '1' }", ["pass (jar.toml:3)", "a fixed value (jar.toml:4)"]),
        ("pass-fds = [3, '3:read']", ["one mode (jar.toml:2)", "another (jar.toml:2)"]),
        ("[fs]\ntmp = '1M'\n'/tmp' = 'read'", ["\"/tmp\" = \"read\" (jar.toml:4)", "tmp = 1M (jar.toml:3)"]),
        ("allow-weaker = ['fs']\n[require]\nfs = 2", ["required by jar.toml:4", "weaker by jar.toml:2"]),
    ] {
        let shown = render(&format!("{HEAD}{text}"));
        assert!(parts.iter().all(|part| shown.contains(part)), "{text}\n{shown}");
    }
    let twice = [FlagValue::new("-m", "1G"), FlagValue::new("--memory", "2G")];
    assert!(render_flags(&twice).contains("1G (-m 1G) and 2G (--memory 2G)"));
}

#[test]
fn hiding_and_granting_in_one_file_is_no_contradiction() {
    for text in ["'/a' = 'read'\n'/a/.' = 'hide'", "'/a/.' = 'hide'\n'/a' = 'read'"] {
        let request = Request::text("jar.toml", format!("{HEAD}[fs]\n{text}"));
        let Ok(policy) = load(&request, &|_| Err(std::io::ErrorKind::NotFound.into())) else {
            panic!("{text}")
        };
        assert_eq!(policy.fs.rules.len(), 1);
        assert_eq!(policy.fs.rules[0].access, belljar_policy::Access::Hide);
    }
}

#[test]
fn flags() {
    for (flag, message) in [
        (FlagValue::new("--raed", "/a"), "unknown option `--raed`\n --> command line:1:1"),
        (FlagValue::new("--raed", "/a"), "did you mean: --read"),
        (FlagValue::switch("--read"), "`--read` needs a value"),
        (FlagValue::new("--debug", "x"), "`--debug` takes no value"),
        (FlagValue::new("-m", "lots"), "1 | -m lots\n  |    ^^^^"),
        (FlagValue::new("--pids", "many"), "`many` is not a number or none"),
        (FlagValue::new("-n", "a b"), "`a b` is not a host"),
        (FlagValue::new("-e", "=x"), "`` is not a variable name"),
        (FlagValue::new("--when", "ioctl"), "of the form `ioctl: arg1 == TCGETS`"),
        (FlagValue::new("--require", "fs"), "of the form SUBJECT=N"),
        (FlagValue::new("-r", "~/x"), "`~/x` needs a home folder and HOME is not set"),
        (FlagValue::new("-r", "a\x1b]0;x\x07"), "`a\\x1b]0;x\\x07` has a control character"),
        (FlagValue::new("-p", "secret.toml"), "you may not read `secret.toml`"),
        (FlagValue::new("-p", "@nope"), "unknown preset `@nope`"),
        (FlagValue::new("-r", "/"), "granting `/` gives away the whole file system"),
    ] {
        let shown = render_flags(std::slice::from_ref(&flag));
        assert!(shown.contains(message), "{flag:?}\n{shown}");
    }
}

#[test]
fn json_errors_have_places() {
    for (text, message) in [
        ("{\"belljar\": 1,\n \"nett\": {}}", "--> jar.toml:2:2\n"),
        ("{\"belljar\": 1,\n \"net\": {\"mode\": \"hst\"}}", "--> jar.toml:2:18\n"),
        ("{\"belljar\": 1,\n \"debug\": null}", "expected true or false, found null"),
        ("{\"belljar\": 1,\n}", "expected a name in double quotes"),
        ("{\"belljar\": 1, \"debug\": true, \"debug\": true}", "duplicate key"),
        ("{\"belljar\": 1} x", "expected the end of the text"),
    ] {
        let shown = render(text);
        assert!(shown.contains(message), "{text}\n{shown}");
    }
}

#[test]
fn no_message_can_drive_a_terminal() {
    for text in [
        "\u{1b}[31m = 1",
        "belljar = 1\n\"\\u001b[2J\" = 1",
        "belljar = 1\n[net]\nmode = \"\\u001b[2J\"",
        "belljar = 1\nhostname = \"\u{202e}abc\"",
        "belljar = 1\n[require]\n\"\\u0007\" = 1",
        "{\"belljar\": 1, \"\\u001b\": 2}",
    ] {
        let shown = render(text);
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'), "{shown:?}");
    }
}
