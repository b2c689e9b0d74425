use std::fs;
use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::raw;
use crate::stage::Stage;

pub(super) const ROOTS: Attack = Attack {
    id: "C7",
    name: "proc-every-root",
    what: "tries the root and cwd links of every process it sees, the box's own first process included",
    prepare,
    attack: |args| {
        let path = raw::text(args, 0)?;
        visible()?.iter().for_each(|pid| {
            try_show(&format!("/proc/{pid}/root{path}"));
            (0..16).for_each(|up| try_show(&format!("/proc/{pid}/cwd/{}{path}", "../".repeat(up))));
        });
        Ok(())
    },
    ..Attack::ROW
};

pub(super) const DESCRIPTORS: Attack = Attack {
    id: "C7",
    name: "proc-every-descriptor",
    what: "opens every descriptor of every process it sees again, and walks down from those that are folders",
    prepare,
    attack: |args| {
        let path = raw::text(args, 0)?;
        for pid in visible()? {
            let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
            for entry in entries.flatten() {
                try_show(&format!("{}{path}", entry.path().to_string_lossy()));
                try_show(&format!("{}/secret", entry.path().to_string_lossy()));
            }
        }
        Ok(())
    },
    ..Attack::ROW
};

/// A host process stands in the hidden folder; the runner itself has descriptors of it.
fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let (path, judge) = stage.secret("secret")?;
    let folder = fs::File::open(&stage.host)?;
    stage.victim(&["open", &path.to_string_lossy(), "open", &path.to_string_lossy()])?;
    stage.path_arg(&path);
    Ok(Box::new(move |outcome| {
        let judgement = judge(outcome);
        drop(folder);
        judgement
    }))
}

fn visible() -> io::Result<Vec<String>> {
    let names =
        fs::read_dir("/proc")?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    Ok(names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).collect())
}

/// Most of these paths lead nowhere.
fn try_show(path: &str) {
    drop(raw::openat(libc::AT_FDCWD, path, libc::O_RDONLY | libc::O_NONBLOCK).and_then(raw::show));
}
