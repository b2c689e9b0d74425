//! B2: what was asked about is exchanged while the user thinks. And a user who says yes to everything.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use serde_json::{Value, json};

use crate::attack::{Attack, Judge};
use crate::attacks::proof;
use crate::attacks::target::print_file;
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
