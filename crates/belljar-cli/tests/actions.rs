//! Actions: what a program in a jar may ask for, judged by what happens outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use seen::{Folder, Seen, belljar, json};

/// A folder for saved files, and a program that notes its arguments, input and environment.
struct Stage {
    folder: Folder,
}

impl Stage {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        std::fs::create_dir(folder.path().join("saved")).unwrap();
        let note = folder.path().join("noted");
        // The name comes last, so that whoever sees it sees all of it.
        let text = format!(
            "#!/bin/sh\n{{ for word; do echo \"word $word\"; done; env; echo input; cat; }} > {0}.new && mv {0}.new {0}\n",
            note.display()
        );
        let program = folder.write("program", &text);
        std::fs::set_permissions(program, PermissionsExt::from_mode(0o755)).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn saved(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path("saved")).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Runs a shell script in a jar that has every action.
    fn run(&self, script: &str) -> Seen {
        let program = self.path("program");
        let with = |name: &str| format!("--action={name}={}", program.display());
        let saved = format!("--action=save-as={}", self.path("saved").display());
        let report = format!("--report={}", self.path("report").display());
        belljar([
            "run",
            "-q",
            &with("open-url"),
            &with("notify"),
            &with("print"),
            &saved,
            &report,
            "--",
            "sh",
            "-c",
            script,
        ])
    }

    /// What the program noted. It was started, not waited for.
    fn noted(&self) -> String {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            match std::fs::read_to_string(self.path("noted")) {
                Ok(text) => return text,
                Err(_) => assert!(std::time::Instant::now() < end, "the program was not started"),
            }
            std::thread::yield_now();
        }
    }

    fn events(&self) -> Vec<(String, String)> {
        let report = json(&self.path("report"));
        let events = report["events"].as_array().unwrap().iter();
        let events = events.filter(|event| event["access"] == "action");
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        events.map(|event| (text(&event["verdict"]), text(&event["object"]))).collect()
    }
}

#[test]
fn an_address_is_opened_by_the_policys_program_alone() {
    let stage = Stage::new("open");
    let seen = stage.run("LD_PRELOAD= EVIL=1 belljar-request open-url 'https://example.org/?a=b&c'");
    assert_eq!((seen.status, seen.err.as_str()), (0, ""));
    let noted = stage.noted();
    assert!(noted.starts_with("word https://example.org/?a=b&c\n"), "{noted}");
    assert!(!noted.contains("EVIL") && noted.ends_with("input\n"), "{noted}");
    assert_eq!(stage.events(), [("granted".to_owned(), "https://example.org/?a=b&c".to_owned())]);
}

#[test]
fn words_that_look_like_options_stay_words() {
    let stage = Stage::new("words");
    let seen = stage.run("belljar-request notify --command=evil '<b>-x</b>'");
    assert_eq!(seen.status, 0, "{seen:?}");
    assert!(stage.noted().starts_with("word --\nword --command=evil\nword &lt;b&gt;-x&lt;/b&gt;\n"));
}

#[test]
fn bytes_reach_the_printer_as_its_input() {
    let stage = Stage::new("print");
    let seen = stage.run("printf 'page\\n' | belljar-request print");
    assert_eq!(seen.status, 0, "{seen:?}");
    assert!(stage.noted().ends_with("input\npage\n"));
}

#[test]
fn a_saved_file_is_new_and_whole() {
    let stage = Stage::new("save");
    let text = "x".repeat(3_000_000);
    let script = "head -c 3000000 /dev/zero | tr '\\0' x | belljar-request save-as 'my file.txt'";
    let seen = stage.run(script);
    assert_eq!((seen.status, seen.err.as_str()), (0, ""));
    let made = stage.path("saved/my file.txt");
    assert_eq!(std::fs::read_to_string(&made).unwrap(), text);
    assert_eq!(std::fs::metadata(made).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn nothing_is_overwritten_and_no_link_is_followed() {
    let stage = Stage::new("keep");
    std::fs::write(stage.path("saved/a"), "mine").unwrap();
    std::fs::write(stage.path("victim"), "mine").unwrap();
    symlink(stage.path("victim"), stage.path("saved/link")).unwrap();
    symlink(stage.path("new"), stage.path("saved/dangling")).unwrap();
    for name in ["a", "link", "dangling", "../b", "/tmp/b", "..", ".hidden", "-x", ""] {
        let seen = stage.run(&format!("echo evil | belljar-request save-as '{name}'"));
        assert_eq!(seen.status, 1, "{name}: {seen:?}");
    }
    assert_eq!(stage.saved(), ["a", "dangling", "link"]);
    let kept = ["saved/a", "victim"].map(|name| std::fs::read_to_string(stage.path(name)).unwrap());
    assert_eq!((kept, stage.path("new").try_exists().unwrap()), (["mine", "mine"].map(str::to_owned), false));
}

#[test]
fn a_transfer_that_breaks_off_leaves_nothing() {
    let stage = Stage::new("broken");
    stage.run("yes | belljar-request save-as big & sleep 0.3; kill -9 $!");
    assert_eq!(stage.saved(), Vec::<String>::new());
}

#[test]
fn a_flood_is_throttled_and_told_once() {
    let stage = Stage::new("flood");
    let script = "n=0; for i in $(seq 60); do echo $i | belljar-request save-as f$i 2>/dev/null && n=$((n+1)); done; echo $n";
    assert_eq!(stage.run(script).out, "30\n");
    assert_eq!(stage.saved().len(), 30);
    let refused = stage.events().into_iter().filter(|(verdict, _)| verdict == "denied").count();
    assert_eq!(refused, 1);
}

#[test]
fn nonsense_in_the_channel_ends_it_and_the_program_goes_on() {
    let stage = Stage::new("nonsense");
    let script = "head -c 100000 /dev/urandom > /run/belljar/channel/requests; \
        timeout 1 belljar-request open-url https://example.org; test $? -ne 0 && echo on";
    assert_eq!(stage.run(script).out, "on\n");
    assert!(!stage.path("noted").try_exists().unwrap());
    assert_eq!(stage.events().len(), 1, "{:?}", stage.events());
}

#[test]
fn without_actions_there_is_no_channel() {
    let seen = belljar(["run", "--", "sh", "-c", "ls /run/belljar; command -v belljar-request"]);
    assert_ne!(seen.status, 0);
    assert_eq!(seen.out, "");
}

#[test]
fn what_the_jar_could_replace_is_no_program_of_an_action() {
    let stage = Stage::new("replace");
    let (folder, program) = (stage.folder.path().display(), stage.path("program"));
    let action = format!("--action=notify={}", program.display());
    let seen = belljar(["run", &action, &format!("--write={folder}"), "--", "true"]);
    assert_eq!(seen.status, 125, "{seen:?}");
    assert!(seen.err.contains("can be written by the program in the jar"), "{seen:?}");
    for (wrong, why) in
        [("/nonexistent", "is not there"), ("/etc/passwd", "is no program"), ("/usr", "is no program")]
    {
        let seen = belljar(["run", &format!("--action=print={wrong}"), "--", "true"]);
        assert!(seen.status == 125 && seen.err.contains(why), "{seen:?}");
    }
}

#[test]
fn the_helper_and_the_channel_cannot_be_changed() {
    let stage = Stage::new("fixed");
    let before = std::fs::read(env!("CARGO_BIN_EXE_belljar")).unwrap();
    let script = "cd /run/belljar; for f in bin/belljar-request channel/replies /proc/self/exe; do \
        echo evil > $f; done; rm -f bin/belljar-request channel/requests channel/replies; \
        mv bin x; mount --bind /tmp bin; chmod 777 bin/belljar-request; ls bin channel";
    let seen = stage.run(script);
    assert_eq!(seen.out, "bin:\nbelljar-request\n\nchannel:\nreplies\nrequests\n", "{seen:?}");
    assert!(std::fs::read(env!("CARGO_BIN_EXE_belljar")).unwrap() == before);
}

#[test]
fn a_flooding_jar_holds_no_other_jar_up() {
    let (flooding, other) = (Stage::new("flooding"), Stage::new("other"));
    // Whole frames of an action that is granted, as fast as the channel takes them.
    let frame = "BJR1\\002\\000\\001\\001aaaaaaaaaaaaaaaa\\000\\000";
    let script =
        format!("sleep 0.3; while printf '{frame}' 2>&-; do :; done > /run/belljar/channel/requests; true");
    std::thread::scope(|scope| {
        let flood = scope.spawn(|| flooding.run(&script));
        std::thread::park_timeout(std::time::Duration::from_millis(500));
        // Held up, it would be refused for the silence of whoever serves it.
        let seen = other.run("belljar-request open-url https://example.org");
        assert_eq!(seen.status, 0, "{seen:?}");
        // The kernel tells whoever writes that nobody reads any more.
        assert_eq!(flood.join().unwrap().status, 128 + 13);
    });
    let denied: Vec<String> = flooding.events().into_iter().map(|(_, object)| object).collect();
    assert!(denied.iter().any(|object| object == "too many requests"), "{denied:?}");
    assert!(denied.iter().any(|object| object == "every further request"), "{denied:?}");
}
