//! B2: what was asked about is exchanged while the user thinks, or no answer grants it under the name that the user gave it.
//! And a user who says yes to everything.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use serde_json::{Value, json};

use crate::attack::{Attack, Judge};
use crate::attacks::proof;
use crate::attacks::target::print_file;
use crate::files;
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
    std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer(stream, &before)));
}

fn answer(stream: UnixStream, before: &impl Fn(&Value)) {
    let Ok(mut to) = stream.try_clone() else { return };
    let mut said = to.write_all(b"{\"type\":\"hello\",\"belljar\":1}\n");
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let Ok(message) = serde_json::from_str::<Value>(&line) else { return };
        if let (Some("ask"), Some(id)) = (message["type"].as_str(), message["id"].as_str()) {
            before(&message);
            said = said.and(writeln!(
                to,
                "{}",
                json!({ "type": "answer", "belljar": 1, "id": id, "answer": "once" })
            ));
        }
    }
    // A supervisor that was killed hears no answer.
    drop(said);
}
