//! B1: what is granted is exchanged for something else before or while the box starts.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::attacks::raw::c;
use crate::attacks::target::print_file;
use crate::outcome::{Judgement, contains};
use crate::stage::Stage;

const ROW: Attack = Attack {
    id: "B1",
    what: "turns the grant of a folder into the grant of everything by a symbolic link",
    attack: |args| print_file(Path::new(proof::arg(args, 0)?)),
    may_refuse: true,
    ..Attack::ROW
};

pub(super) const ROOT: Attack =
    Attack { name: "grant-links-to-root", prepare: |stage| linked(stage, "/".into()), ..ROW };

pub(super) const PROC_ROOT: Attack = Attack {
    name: "grant-links-to-proc-root",
    prepare: |stage| linked(stage, "/proc/self/root".into()),
    ..ROW
};

pub(super) const PLANTED: Attack = Attack {
    name: "grant-planted-by-an-earlier-run",
    what: "leaves a link in its writable folder, where a later run grants reading a path",
    prepare: |stage| {
        let (secret, judge) = stage.secret("secret")?;
        let planted = stage.work.join("vendor");
        symlink(&stage.host, &planted)?;
        stage.belljar_flags(&["-r", &planted.to_string_lossy()]);
        stage.path_arg(&planted.join(secret.file_name().unwrap_or_default()));
        Ok(judge)
    },
    ..ROW
};

pub(super) const RACE: Attack = Attack {
    name: "grant-swapped-while-starting",
    what: "exchanges a granted folder for a link to the root between the check and the use",
    prepare: race,
    ..ROW
};

/// Starts of the box in the race.
const STARTS: usize = 120;

/// The secret, reached through the granted name.
fn through(grant: &Path, secret: &Path) -> PathBuf {
    grant.join(secret.strip_prefix("/").unwrap_or(secret))
}

fn linked(stage: &mut Stage, to: PathBuf) -> io::Result<Judge> {
    let (secret, judge) = stage.secret("secret")?;
    let grant = stage.host.join("grant");
    symlink(to, &grant)?;
    stage.belljar_flags(&["-r", &grant.to_string_lossy()]);
    stage.path_arg(&through(&grant, &secret));
    Ok(judge)
}

/// The runner's own start is one of many: the judge starts the box again and again while a thread swaps.
fn race(stage: &mut Stage) -> io::Result<Judge> {
    let (secret, judge) = stage.secret("secret")?;
    let (grant, link) = (stage.host.join("grant"), stage.host.join("link"));
    fs::create_dir(&grant)?;
    symlink("/", &link)?;
    let path = through(&grant, &secret);
    stage.path_arg(&path);
    stage.belljar_flags(&["-r", &grant.to_string_lossy()]);
    let Some(("belljar", launcher)) = stage.launcher.clone() else {
        fs::remove_dir(&grant)?;
        fs::rename(&link, &grant)?;
        return Ok(judge);
    };
    let mut line = Command::new(launcher);
    line.args(["run", "-r"]).arg(&stage.bin).arg("-r").arg(&grant).arg("--").arg(stage.program());
    line.args(["attack", RACE.name]).arg(&path).stdin(Stdio::null());
    let wanted = fs::read_to_string(&secret)?;
    Ok(Box::new(move |_| {
        let escaped = swapping(&grant, &link, || starts(&mut line, wanted.trim()))?;
        Ok(Judgement::escaped_if(escaped, "the secret came out through a swapped grant"))
    }))
}

fn starts(line: &mut Command, wanted: &str) -> io::Result<bool> {
    for _ in 0..STARTS {
        if contains(&line.output()?.stdout, wanted.as_bytes()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn swapping<T>(one: &Path, other: &Path, work: impl FnOnce() -> T) -> T {
    let stop = Arc::new(AtomicBool::new(false));
    let (seen, one, other) = (Arc::clone(&stop), c(&one.to_string_lossy()), c(&other.to_string_lossy()));
    let swapper = std::thread::spawn(move || {
        while !seen.load(Ordering::Relaxed) {
            drop(sys!(SYS_renameat2, libc::AT_FDCWD, &one, libc::AT_FDCWD, &other, libc::RENAME_EXCHANGE));
        }
    });
    let result = work();
    stop.store(true, Ordering::Relaxed);
    drop(swapper.join());
    result
}
