//! B2: what was asked about is exchanged while the user thinks, or no answer grants it under the name that the user gave it.
//! And a user who says yes to everything.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::attack::{Attack, Judge};
use crate::attacks::proof;
use crate::attacks::target::print_file;
use crate::files;
use crate::outcome::Judgement;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "B2",
    name: "asked-for-one-given-another",
    what: "gets a hidden file because the name that was asked about leads there when the answer comes",
    prepare,
    attack: |args| print_file(Path::new(proof::arg(args, 0)?)),
    boxes: &["none", "belljar"],
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let (secret, judge) = stage.secret("secret")?;
    let asked = stage.host_file("asked", "harmless\n")?;
    stage.path_arg(&asked);
    let exchange = move || {
        fs::remove_file(&asked)?;
        symlink(&secret, &asked)
    };
    if stage.belljar().is_none() {
        return exchange().map(|()| judge);
    }
    let socket = stage.host.join("ask");
    says_yes(UnixListener::bind(&socket)?, move |_| drop(exchange()));
    stage.belljar_flags(&["--ask", &format!("socket:{}", socket.display())]);
    Ok(judge)
}

pub(super) const HOME: Attack = Attack {
    name: "asked-by-the-other-name-of-home",
    what: "changes a program of the home folder, by the name that the symlink to this folder leads to",
    prepare: |stage| {
        let (real, home) = (stage.host.join("data"), stage.host.join("home"));
        fs::create_dir_all(real.join("bin"))?;
        symlink(&real, &home)?;
        stage.env.push(("HOME".into(), home.display().to_string()));
        changed(stage, "data/bin/tool")
    },
    attack: |args| append(Path::new(proof::arg(args, 0)?)),
    ..ROW
};

pub(super) const POLICY: Attack = Attack {
    name: "asked-for-the-policy-by-its-other-name",
    what: "widens a policy file of its own run, which was named by way of `..` or by another one that extends it",
    prepare: |stage| {
        fs::create_dir(stage.host.join("below"))?;
        let below = stage.host_file("extended.toml", "belljar = 1\n")?;
        let named = stage
            .host_file("named.toml", "belljar = 1\nextends = [\"@strict\", \"below/../extended.toml\"]\n")?;
        stage.belljar_flags(&["-p", &stage.host.join("below/../named.toml").display().to_string()]);
        let judges = [changed_file(stage, &below)?, changed_file(stage, &named)?];
        Ok(files::any(judges.into()))
    },
    attack: |args| {
        // A refusal of the first says nothing about the second.
        let both = [0, 1].map(|at| append(Path::new(proof::arg(args, at)?)));
        both.into_iter().collect()
    },
    ..ROW
};

/// Questions of one run: each yes writes the file anew.
const QUESTIONS: usize = 12;

pub(super) const ALWAYS: Attack = Attack {
    name: "asked-always-under-its-hands",
    what: "puts a policy of its own in the place of the one that \"always\" is written to, beside which it may write",
    prepare: |stage| {
        // What takes long to write can be exchanged for long.
        let text = format!("belljar = 1\nextends = [\"@strict\"]\n{}", "# comment\n".repeat(80_000));
        let policy = stage.work_file("p.toml", &text)?;
        let name = policy.display().to_string();
        stage.path_arg(&policy);
        for at in 0..QUESTIONS {
            stage.host_file(&format!("asked{at}"), "harmless\n")?;
        }
        let host = stage.host.clone();
        stage.path_arg(&host);
        stage.belljar_flags(&["-p", &name, "-r", &name]);
        if stage.belljar().is_some() {
            let socket = stage.host.join("ask");
            says(UnixListener::bind(&socket)?, "always", |_| {});
            stage.belljar_flags(&["--ask", &format!("socket:{}", socket.display())]);
        }
        let own = format!("# {}", stage.word("own"));
        stage.arg(&own);
        Ok(Box::new(move |_| {
            let text = fs::read_to_string(&policy)?;
            Ok(Judgement::escaped_if(text.contains(&own), "the policy file is the program's own"))
        }))
    },
    attack: |args| {
        let (policy, host) = (Path::new(proof::arg(args, 0)?), Path::new(proof::arg(args, 1)?));
        let own = policy.with_file_name("own");
        let text = format!("belljar = 1\n{}\n", proof::arg(args, 2)?);
        fs::write(&own, &text)?;
        let over = AtomicBool::new(fs::rename(&own, policy).is_ok());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    // Whatever comes and goes there is belljar's new file.
                    drop(swap(policy, &own, &text));
                }
            });
            for at in 0..QUESTIONS {
                drop(fs::read(host.join(format!("asked{at}"))));
            }
            over.store(true, Ordering::Relaxed);
        });
        Ok(())
    },
    // Such a place is refused.
    may_refuse: true,
    ..ROW
};

fn swap(policy: &Path, own: &Path, text: &str) -> io::Result<()> {
    let folder = policy.parent().unwrap_or(policy);
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if name.to_string_lossy().starts_with(".p.toml") {
            fs::rename(own, folder.join(name))?;
            fs::write(own, text)?;
        }
    }
    Ok(())
}

fn append(path: &Path) -> io::Result<()> {
    fs::OpenOptions::new().append(true).open(path)?.write_all(b"# more\n")
}

fn changed(stage: &mut Stage, name: &str) -> io::Result<Judge> {
    let file = stage.host_file(name, "harmless\n")?;
    changed_file(stage, &file)
}

/// Everybody may write to it, also root's jar, and the user says yes to everything.
fn changed_file(stage: &mut Stage, file: &Path) -> io::Result<Judge> {
    fs::set_permissions(file, fs::Permissions::from_mode(0o666))?;
    stage.path_arg(file);
    let socket = stage.host.join("ask");
    if stage.belljar().is_some() && !socket.try_exists()? {
        says_yes(UnixListener::bind(&socket)?, |_| {});
        stage.belljar_flags(&["--ask", &format!("socket:{}", socket.display())]);
    }
    files::untouched(file)
}

/// Answers every question with "once", after `before` has seen it.
pub(crate) fn says_yes(listener: UnixListener, before: impl Fn(&Value) + Send + 'static) {
    says(listener, "once", before);
}

fn says(listener: UnixListener, word: &'static str, before: impl Fn(&Value) + Send + 'static) {
    let answers = move || listener.incoming().flatten().for_each(|stream| answer(stream, word, &before));
    std::thread::spawn(answers);
}

fn answer(stream: UnixStream, word: &str, before: &impl Fn(&Value)) {
    let Ok(mut to) = stream.try_clone() else { return };
    let mut said = to.write_all(b"{\"type\":\"hello\",\"belljar\":1}\n");
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let Ok(message) = serde_json::from_str::<Value>(&line) else { return };
        if let (Some("ask"), Some(id)) = (message["type"].as_str(), message["id"].as_str()) {
            before(&message);
            said = said.and(writeln!(
                to,
                "{}",
                json!({ "type": "answer", "belljar": 1, "id": id, "answer": word })
            ));
        }
    }
    // A supervisor that was killed hears no answer.
    drop(said);
}
