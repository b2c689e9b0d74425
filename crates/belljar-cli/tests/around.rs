//! Ways around a rule: other names, other calls, other moments.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;

use std::os::unix::fs::symlink;
use std::path::Path;

use seen::{Folder, Seen, belljar, command, see};

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A folder with something secret in it.
fn with_secret(name: &str) -> Folder {
    let folder = Folder::new(name);
    std::fs::create_dir(folder.path().join("secret")).unwrap();
    folder.write("secret/key", "hidden words\n");
    folder
}

fn cat(options: &[&str], file: &str) -> Seen {
    belljar(["run"].iter().chain(options).chain(&["--", "cat", file]))
}

#[test]
fn what_is_hidden_stays_hidden_where_the_grant_is_placed_elsewhere() {
    let folder = with_secret("alias");
    let (base, secret) = (text(folder.path()), text(&folder.path().join("secret")));
    let placed = format!("{base}:/elsewhere");
    let shown = cat(&["-r", &placed], "/elsewhere/secret/key");
    assert_eq!(shown.out, "hidden words\n", "{shown:?}");
    let hidden = cat(&["-r", &placed, "--hide", &secret], "/elsewhere/secret/key");
    assert_ne!(hidden.status, 0, "{hidden:?}");
    assert!(!hidden.out.contains("hidden words"), "{hidden:?}");
}

/// Root's grants are mounts that were made before, and each lies at one place.
#[test]
fn a_folder_at_two_places_has_the_rights_of_each() {
    let folder = Folder::new("two-places");
    let base = text(folder.path());
    let script = "for at in \"$0\" /one /two; do (echo x > $at/file) 2>/dev/null && echo written; rm -f $at/file; ls -d $at; done";
    let (one, two) = (format!("{base}:/one"), format!("{base}:/two"));
    for (options, expected) in [
        (["-r", &base, "-w", &one, "-w", &two], format!("{base}\nwritten\n/one\nwritten\n/two\n")),
        (["-w", &base, "-r", &one, "-w", &two], format!("written\n{base}\n/one\nwritten\n/two\n")),
    ] {
        let seen = belljar(["run"].iter().chain(&options).chain(&["--", "sh", "-c", script, &base]));
        assert_eq!((seen.status, &seen.out), (0, &expected), "{options:?}: {seen:?}");
    }
}

#[test]
fn hide_wins_a_tie_under_any_name() {
    let folder = with_secret("tie");
    let secret = folder.path().join("secret");
    for name in ["a-link", "z-link"] {
        let link = folder.path().join(name);
        symlink(&secret, &link).unwrap();
        let seen = cat(&["-r", &text(&secret), "--hide", &text(&link)], &text(&secret.join("key")));
        assert!(seen.status != 0 && seen.out.is_empty(), "{name}: {seen:?}");
    }
}

#[test]
fn folders_above_a_nested_rule_cannot_be_moved_away() {
    let folder = Folder::new("pinned");
    let deep = folder.path().join("a/b/kept");
    std::fs::create_dir_all(&deep).unwrap();
    let script =
        "cd \"$0\" && echo new > a/b/file && ! mv a a2 && ! mv a/b a/b2 && ! mv a/b/kept a/b/k && echo held";
    let base = text(folder.path());
    let args = ["run", "-w", &base, "-r", &text(&deep), "--", "sh", "-c", script, &base];
    let seen = belljar(args);
    assert_eq!(seen.out, "held\n", "{seen:?}");
    assert!(deep.is_dir() && folder.path().join("a/b/file").is_file());
}

/// What it wrote there would be what the next run gets.
#[test]
fn a_policy_file_that_lies_where_the_program_may_write_stays_what_it_is() {
    let folder = Folder::new("own-policy");
    folder.write("base.toml", "belljar = 1\nextends = [\"@strict\"]\n");
    folder.write("p.toml", "belljar = 1\nextends = [\"base.toml\"]\n[fs]\n\".\" = \"write\"\n");
    let base = text(folder.path());
    let script = "cd \"$0\"; for f in p.toml base.toml; do (echo '#' >> $f) 2>/dev/null; mv -f $f x; rm -f $f; done; echo new > file";
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    let before = ["p.toml", "base.toml"].map(read);
    let policy = text(&folder.path().join("p.toml"));
    let seen = belljar(["run", "-p", &policy, "--", "sh", "-c", script, &base]);
    assert_eq!((seen.status, ["p.toml", "base.toml"].map(read)), (0, before), "{seen:?}");
    assert_eq!(read("file"), "new\n", "everything else there may be written");
    let append = ["sh", "-c", "echo '#' >> \"$0\"", &policy];
    let spoken = belljar(["run", "-p", &policy, "-w", &policy, "--"].iter().chain(&append));
    assert!(read("p.toml").ends_with("#\n"), "a rule of its own wins: {spoken:?}");
}

/// The folder of a grant may have another name than the file was named by, here or in the jar.
#[test]
fn a_policy_file_stays_what_it_is_by_every_name_of_its_folder() {
    let folder = Folder::new("own-policy-names");
    let (real, link) = (folder.path().join("data/project"), folder.path().join("link/project"));
    std::fs::create_dir_all(&real).unwrap();
    symlink("data", folder.path().join("link")).unwrap();
    folder.write("data/project/p.toml", "belljar = 1\nextends = [\"@strict\"]\n");
    symlink("data/project/p.toml", folder.path().join("p.toml")).unwrap();
    let (above, link) = (text(folder.path()), text(&link));
    for (policy, grants, at) in [
        ("p.toml", &["-w", ".:/work"][..], "/work"),
        ("p.toml", &["-w", &link], &link),
        ("../../p.toml", &["-w", "."], "."),
        ("p.toml", &["-w", ".", "-w", &format!("{above}:/work")], "/work/data/project"),
        ("p.toml", &["-w", ".", "-w", &above], "."),
    ] {
        let script = "echo new > \"$0/file\"; (echo '#' >> \"$0/p.toml\") 2>/dev/null || echo kept";
        let run = [&["run", "-p", policy], grants, &["--", "sh", "-c", script, at]].concat();
        let seen = see(command(run).current_dir(&real));
        assert_eq!((seen.status, &*seen.out), (0, "kept\n"), "{policy} {grants:?}: {seen:?}");
        assert_eq!(
            std::fs::read_to_string(real.join("file")).ok().as_deref(),
            Some("new\n"),
            "{policy} {grants:?}"
        );
        std::fs::remove_file(real.join("file")).unwrap();
    }
}

/// As root in a mount namespace whose mounts are shared, as the host's are below systemd.
#[test]
fn what_a_jar_mounts_inside_a_grant_is_not_mounted_on_the_host() {
    let folder = Folder::new("mounts");
    let (deep, hidden) = (folder.path().join("deep"), folder.path().join("hidden"));
    [&deep, &hidden].into_iter().for_each(|path| std::fs::create_dir(path).unwrap());
    let (base, belljar) = (text(folder.path()), env!("CARGO_BIN_EXE_belljar"));
    let nested = ["run", "-q", "-r", &base, "-w", &text(&deep), "--hide", &text(&hidden)];
    let script = "\"$@\" >/dev/null && grep -F \"$0\" /proc/self/mountinfo";
    let apart = ["unshare", "-m", "sh", "-c", "mount --make-rshared / && exec \"$@\"", "sh"];
    let apart = if rustix::process::geteuid().is_root() { &apart[..] } else { &["env"] };
    let here = |args: &[&str]| see(std::process::Command::new(apart[0]).args(&apart[1..]).args(args));
    let mounts = ["grep", "-cF", &base, "/proc/self/mountinfo"];
    let inside = here(&[&[belljar], &nested[..], &["--"], &mounts[..]].concat());
    assert_eq!(inside.out, "3\n", "{inside:?}");
    let host = here(&[&["sh", "-c", script, &base, belljar], &nested[..], &["--", "true"]].concat());
    assert!(host.status == 1 && host.out.is_empty() && host.err.is_empty(), "{host:?}");
}

/// A null device hides a file. Only root can take it away.
#[test]
fn nothing_is_run_where_nothing_can_hide_a_file() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = with_secret("no-null");
    let (base, key) = (text(folder.path()), text(&folder.path().join("secret/key")));
    let host =
        ["-m", "sh", "-c", "mount -t tmpfs none /dev && exec \"$@\"", "sh", env!("CARGO_BIN_EXE_belljar")];
    let run = |more: &[&str]| {
        let words = [&["run", "--dev", "none", "-r", &base][..], more, &["--", "cat", &key]].concat();
        see(std::process::Command::new("unshare").args(host).args(words))
    };
    for more in [&["--hide", &key][..], &[]] {
        let seen = run(more);
        assert!(seen.status == 125 && seen.out.is_empty() && seen.err.contains("no /dev/null"), "{seen:?}");
    }
}

#[test]
fn a_filter_jar_has_no_proc_anywhere() {
    let seen = belljar(["run", "-p", "@filter", "--", "/usr/bin/head", "-1", "/tmp/self/status"]);
    assert!(seen.status != 0 && seen.out.is_empty(), "{seen:?}");
}

/// Perl text, and what it says when the call is refused.
const REFUSED: &[(&str, &str)] = &[
    ("use Socket; socketpair(A, B, AF_UNIX, SOCK_DGRAM, 0) ? print 'made' : print $!+0", "13"),
    // O_TMPFILE | O_RDWR
    ("sysopen(F, $ARGV[0], 020200002, 04755) ? print 'made' : print $!+0", "1"),
];

#[test]
fn calls_that_reach_outside_are_refused() {
    let folder = Folder::new("calls");
    let base = text(folder.path());
    for (program, said) in REFUSED {
        let seen = belljar(["run", "-w", &base, "--", "perl", "-e", program, &base]);
        assert_eq!(seen.out, *said, "{program}: {seen:?}");
    }
    let allowed = "use Socket; socketpair(A, B, AF_UNIX, SOCK_STREAM, 0) ? print 'made' : print $!+0";
    assert_eq!(belljar(["run", "--", "perl", "-e", allowed]).out, "made");
    let plain = "sysopen(F, $ARGV[0], 020200002, 0755) ? print 'made' : print $!+0";
    assert_eq!(belljar(["run", "-w", &base, "--", "perl", "-e", plain, &base]).out, "made");
}

#[test]
fn descriptors_of_belljar_itself_are_not_passed() {
    let folder = Folder::new("own-descriptors");
    let report = folder.path().join("report.json");
    for fd in ["3", "4", "5", "6"] {
        let seen = belljar(["run", "--report", &text(&report), "--pass-fd", fd, "--", "true"]);
        assert!(seen.status == 125 && seen.err.contains("is not open"), "{fd}: {seen:?}");
    }
}

#[test]
fn a_caller_that_ignores_its_children_sees_the_end() {
    let mut shell = std::process::Command::new("sh");
    shell.args([
        "-c",
        "trap '' CHLD; exec \"$0\" run -t 20s -- sh -c 'exit 7'",
        env!("CARGO_BIN_EXE_belljar"),
    ]);
    assert_eq!(seen::see(&mut shell).status, 7);
}

#[test]
fn a_reader_that_does_not_read_cannot_keep_a_jar_alive() {
    let mut watched = std::process::Command::new("timeout");
    watched.args(["-s", "KILL", "10", env!("CARGO_BIN_EXE_belljar")]);
    watched.args(["run", "-q", "-t", "300ms", "--output", "10M", "--", "yes"]);
    let mut child = watched.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let unread = child.stdout.take();
    assert_eq!(child.wait().unwrap().code(), Some(124));
    drop(unread);
}

#[test]
fn a_reader_that_leaves_ends_a_program_as_without_a_jar() {
    let mut child = seen::command(["run", "--output", "10M", "--", "yes"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(128 + 13));
}

#[test]
fn output_to_a_terminal_is_counted_too() {
    let inner = format!(
        "{} run -q --output 100 -- sh -c 'seq 10 40 | tr -d \\\\n; seq 10 40 | tr -d \\\\n'",
        env!("CARGO_BIN_EXE_belljar")
    );
    let mut script = std::process::Command::new("script");
    script.args(["-qec", &inner, "/dev/null"]).stdin(std::process::Stdio::null());
    let seen = seen::see(&mut script);
    assert_eq!((seen.status, seen.out.trim_end().len()), (128 + 9, 100), "{seen:?}");
}

#[test]
fn no_core_dump_reaches_the_hosts_handler() {
    let limit = |shell: &str| {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", shell, env!("CARGO_BIN_EXE_belljar")]);
        let seen = seen::see(&mut command);
        seen.out
            .lines()
            .find(|line| line.starts_with("Max core"))
            .map(|line| line.split_whitespace().skip(4).map(str::to_owned).collect::<Vec<_>>())
    };
    let with = |before: &str| limit(&format!("{before}; \"$0\" run -- cat /proc/self/limits"));
    assert_eq!(with("true"), Some(vec!["1".to_owned(), "1".to_owned(), "bytes".to_owned()]));
    let none = with("ulimit -c 0").unwrap_or_default();
    assert!(none.first().is_some_and(|soft| soft == "0" || soft == "1"), "{none:?}");
}

#[test]
fn a_folder_is_no_standard_descriptor() {
    let folder = std::fs::File::open("/usr").unwrap();
    let seen = seen::see(seen::command(["run", "--", "true"]).stdin(folder));
    assert!(seen.status == 125 && seen.err.contains("folder"), "{seen:?}");
}

#[test]
fn a_program_that_stopped_itself_can_be_ended() {
    let mut watched = std::process::Command::new("timeout");
    watched.args(["-k", "10", "1", env!("CARGO_BIN_EXE_belljar"), "run", "--", "sh", "-c", "kill -STOP $$"]);
    // 124: the first signal was enough; 137: it took SIGKILL.
    assert_eq!(seen::see(watched.stdin(std::process::Stdio::null())).status, 124);
}

#[test]
fn a_log_as_standard_output_is_only_added_to() {
    let folder = Folder::new("around-log");
    let log = folder.path().join("log");
    std::fs::write(&log, "before\n").unwrap();
    let open = || std::fs::File::options().append(true).open(&log).unwrap();
    let both = open();
    // The order of lines on both outputs stays, and nothing that was there can be cut off.
    let script =
        "for i in 1 2 3; do echo out $i; echo err $i >&2; done; truncate -s 0 /proc/self/fd/1; exit 3";
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_belljar"));
    command.args(["run", "-q", "--", "sh", "-c", script]).stdin(std::process::Stdio::null());
    let status = command.stdout(both.try_clone().unwrap()).stderr(both).status().unwrap();
    assert_eq!(status.code(), Some(3));
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.starts_with("before\nout 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n"), "{text}");
}

#[test]
fn a_repository_that_may_only_be_read_stays_as_it_is_inside_a_writable_folder() {
    let folder = Folder::new("around-repository");
    std::fs::create_dir_all(folder.path().join(".git/hooks")).unwrap();
    folder.write(".git/config", "[core]\n");
    let script = "echo done > made
        echo evil > .git/commondir; echo evil >> .git/config; echo evil > .git/hooks/post-checkout
        mv .git elsewhere; rm -rf .git; mkdir .git/modules; ln -sf /tmp .git/objects";
    let tries = |words: &[&str]| {
        let mut command = std::process::Command::new(words[0]);
        command.args(&words[1..]).args(["sh", "-c", script]).current_dir(folder.path());
        seen::see(&mut command)
    };
    let seen = tries(&[env!("CARGO_BIN_EXE_belljar"), "run", "-w", ".", "-r", "?.git", "--"]);
    assert_eq!(text_of(&folder, "made"), "done\n", "{seen:?}");
    assert_eq!(text_of(&folder, ".git/config"), "[core]\n");
    let names = |at: &str| std::fs::read_dir(folder.path().join(at)).unwrap().count();
    assert_eq!((names(".git"), names(".git/hooks")), (2, 0), "{seen:?}");
    tries(&["env"]);
    let config = std::fs::symlink_metadata(folder.path().join(".git/config"));
    assert!(config.is_err(), "without a jar all of it works");
}

fn text_of(folder: &Folder, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).unwrap()
}

/// The kernel names the current folder without the symlinks of `HOME`.
#[test]
fn a_home_behind_a_symlink_is_not_given_away_by_its_other_name() {
    let folder = Folder::new("other-home");
    let (real, home) = (folder.path().join("data"), folder.path().join("home"));
    std::fs::create_dir_all(real.join("project")).unwrap();
    std::fs::write(real.join("secret"), "canary\n").unwrap();
    std::os::unix::fs::symlink("data", &home).unwrap();
    let from = |cwd: &std::path::Path, mut run: std::process::Command| {
        see(run.env("HOME", &home).current_dir(cwd).stdin(std::process::Stdio::null()))
    };
    let mut outside = std::process::Command::new("cat");
    outside.arg("secret");
    assert_eq!(from(&real, outside).out, "canary\n");
    for (cwd, words) in [(&real, &["--"][..]), (&real.join("project"), &["-r", "..", "--"])] {
        let seen =
            from(cwd, command([&["run"], words, &["cat", real.join("secret").to_str().unwrap()]].concat()));
        assert!(seen.status == 125 && seen.err.contains("leads to the home folder"), "{seen:?}");
    }
    let below = from(&real.join("project"), command(["run", "--", "sh", "-c", "pwd; cat ../secret"]));
    assert!(below.status == 1 && below.out.ends_with("/data/project\n"), "{below:?}");
}
