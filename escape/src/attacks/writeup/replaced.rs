//! What a rule keeps inside a granted folder is replaced by its owner while the box runs, as editors do when they save: a mount ends
//! with the name that it lies on. And FIFOs, which no read-only mount keeps from being written to.

use std::fs;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{nap, ready, sys};
use crate::attacks::raw::c;
use crate::attacks::target::print_file;
use crate::canary;
use crate::files;
use crate::outcome::Judgement;
use crate::stage::Stage;

const ROW: Attack = Attack {
    id: "I1",
    what: "reads what its owner puts in the place of a hidden file",
    prepare: hidden,
    // Others are not told of a rule inside a granted folder.
    boxes: &["none", "belljar"],
    ..Attack::ROW
};

pub(super) const HIDDEN: Attack = Attack {
    name: "replaced-hidden",
    attack: |_| {
        until_replaced()?;
        print_file(Path::new("above/kept/file"))
    },
    ..ROW
};

pub(super) const HIDDEN_MOVED: Attack = Attack {
    name: "replaced-hidden-moved",
    what: "gives what its owner puts in the place of a hidden file another name and reads it there",
    attack: |_| {
        until_replaced()?;
        fs::rename("above/kept/file", "moved")?;
        print_file(Path::new("moved"))
    },
    ..ROW
};

pub(super) const HIDDEN_LINKED: Attack = Attack {
    name: "replaced-hidden-linked",
    what: "gives what its owner puts in the place of a hidden file a second name and reads it there",
    attack: |_| {
        until_replaced()?;
        fs::hard_link("above/kept/file", "linked")?;
        print_file(Path::new("linked"))
    },
    ..ROW
};

pub(super) const ABOVE_MOVED: Attack = Attack {
    name: "replaced-above-hidden-moved",
    what: "moves the folder that its owner puts in the place of the one above a hidden file",
    prepare: |stage| hide(stage, |stage| Ok(stage.work.join("above"))),
    attack: |_| {
        until_replaced()?;
        fs::rename("above", "elsewhere")?;
        print_file(Path::new("elsewhere/kept/file"))
    },
    ..ROW
};

pub(super) const READ_ONLY: Attack = Attack {
    name: "replaced-read-only",
    what: "writes what its owner puts in the place of a read-only folder",
    prepare: read_only,
    attack: |_| {
        until_replaced()?;
        fs::write("above/kept/file", "changed")
    },
    ..ROW
};

pub(super) const TIMES: Attack = Attack {
    name: "replaced-read-only-times",
    what: "changes the times of what its owner puts in the place of a read-only folder",
    prepare: read_only,
    attack: |_| {
        until_replaced()?;
        let path = c("above/kept/file");
        sys!(SYS_utimensat, libc::AT_FDCWD, &path, std::ptr::null::<libc::timespec>(), 0).map(drop)
    },
    ..ROW
};

pub(super) const MODE: Attack = Attack {
    name: "replaced-read-only-mode",
    what: "changes the mode of what its owner puts in the place of a read-only folder, by a descriptor for reading",
    prepare: read_only,
    attack: |_| {
        until_replaced()?;
        fs::File::open("above/kept/file")?.set_permissions(fs::Permissions::from_mode(0o600))
    },
    ..ROW
};

pub(super) const FIFO: Attack = Attack {
    name: "read-only-fifo",
    what: "writes to a FIFO in a read-only folder inside a writable one",
    prepare: fifo,
    attack: |_| fs::write("above/kept/fifo", "from below\n"),
    ..ROW
};

/// Between looks, in milliseconds, and how many: the runner ends the attack later.
const STEP: u64 = 10;
const PATIENCE: u64 = 5000;

/// Tells that the box runs, and waits for the owner.
fn until_replaced() -> io::Result<()> {
    ready()?;
    for _ in 0..PATIENCE {
        if fs::symlink_metadata("replaced").is_ok() {
            return Ok(());
        }
        nap(STEP);
    }
    Err(io::Error::other("nothing was replaced"))
}

fn hidden(stage: &mut Stage) -> io::Result<Judge> {
    hide(stage, |stage| Ok(stage.work.join("above/kept/file")))
}

/// A hidden file, and the owner who replaces it or a folder above it.
fn hide(stage: &mut Stage, what: fn(&Stage) -> io::Result<PathBuf>) -> io::Result<Judge> {
    let file = kept(&stage.work)?.join("file");
    fs::write(&file, "old\n")?;
    stage.belljar_flags(&["--hide", &file.to_string_lossy()]);
    let secret = canary::fresh()?;
    fs::write(kept(&stage.host)?.join("file"), &secret)?;
    let what = what(stage)?;
    replace(stage, what);
    Ok(files::not_printed(secret))
}

fn read_only(stage: &mut Stage) -> io::Result<Judge> {
    let folder = kept(&stage.work)?;
    stage.belljar_flags(&["-r", &folder.to_string_lossy()]);
    let fresh = kept(&stage.host)?.join("file");
    fs::write(&fresh, "content that must stay\n")?;
    // The box may run the attack under another uid than the runner's.
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o666))?;
    let look = |path: &Path| fs::metadata(path).and_then(|meta| Ok((meta.modified()?, meta.mode())));
    let before = look(&fresh)?;
    replace(stage, folder.clone());
    Ok(Box::new(move |_| {
        let file = folder.join("file");
        let stays = fs::read_to_string(&file)? == "content that must stay\n" && look(&file)? == before;
        Ok(Judgement::escaped_if(!stays, "a read-only file inside a writable folder changed"))
    }))
}

/// A folder `above/kept` that everybody may write to.
fn kept(base: &Path) -> io::Result<PathBuf> {
    let folder = base.join("above/kept");
    fs::create_dir_all(&folder)?;
    for path in [&base.join("above"), &folder] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777))?;
    }
    Ok(folder)
}

/// The owner exchanges this path of the work folder for the one of the hidden folder, when the attack is ready.
fn replace(stage: &mut Stage, what: PathBuf) {
    let below = what.strip_prefix(&stage.work).unwrap_or(&what).to_owned();
    let (done, fresh) = (stage.work.join("replaced"), stage.host.join(below));
    let ready = stage.is_ready();
    stage.watches.push(Box::new(move |_| {
        if ready.get() && fs::metadata(&done).is_err() && put(&fresh, &what).is_ok() {
            // An attack that never hears of it fails its control run.
            drop(fs::write(&done, ""));
        }
    }));
}

/// A folder cannot be renamed over one that holds something: it is removed first.
fn put(fresh: &Path, what: &Path) -> io::Result<()> {
    if what.is_dir() {
        fs::remove_dir_all(what)?;
    }
    fs::rename(fresh, what)
}

fn fifo(stage: &mut Stage) -> io::Result<Judge> {
    let folder = kept(&stage.work)?;
    stage.belljar_flags(&["-r", &folder.to_string_lossy()]);
    let path = folder.join("fifo");
    sys!(SYS_mknod, &c(&path.to_string_lossy()), libc::S_IFIFO | 0o666, 0)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666))?;
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    let reader: OwnedFd = rustix::fs::open(&path, flags, rustix::fs::Mode::empty())?;
    Ok(Box::new(move |_| {
        let mut heard = Vec::new();
        fs::File::from(reader).read_to_end(&mut heard)?;
        Ok(Judgement::escaped_if(!heard.is_empty(), "the owner of a read-only FIFO heard of it"))
    }))
}
