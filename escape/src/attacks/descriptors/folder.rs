//! D: a folder is handed over for reading; the attack leaves it or changes it.

use std::fs::File;
use std::io;

use super::passed;
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::{proof, raw};
use crate::files;
use crate::stage::Stage;

const ROW: Attack = Attack { id: "D3", prepare: bait_inside, ..Attack::ROW };

pub(super) const CLIMB: Attack = Attack {
    id: "P1",
    name: "folder-climb",
    what: "leaves a folder that was handed over, upwards",
    prepare: secret_above,
    attack: |args| raw::show(raw::openat(proof::number(args, 0)?, "../above", libc::O_RDONLY)?),
    ..ROW
};

pub(super) const CHDIR: Attack = Attack {
    id: "P1",
    name: "folder-as-current",
    what: "makes a handed folder its current one and walks upwards from there",
    prepare: secret_above,
    attack: |args| {
        sys!(SYS_fchdir, proof::number::<i32>(args, 0)?)?;
        sys!(SYS_chdir, c"..")?;
        raw::show(raw::openat(libc::AT_FDCWD, "above", libc::O_RDONLY)?)
    },
    ..ROW
};

pub(super) const WRITE: Attack = Attack {
    name: "folder-file-write",
    what: "writes a file of a folder that was handed over for reading",
    attack: |args| {
        let file = raw::openat(proof::number(args, 0)?, "bait", libc::O_WRONLY | libc::O_TRUNC)?;
        drop(file);
        Ok(())
    },
    ..ROW
};

pub(super) const REMOVE: Attack = Attack {
    name: "folder-file-remove",
    what: "removes a file of a folder that was handed over for reading",
    attack: |args| sys!(SYS_unlinkat, proof::number::<i32>(args, 0)?, c"bait", 0).map(drop),
    ..ROW
};

pub(super) const CREATE: Attack = Attack {
    name: "folder-file-create",
    what: "makes a folder in a folder that was handed over for reading",
    prepare: |stage| {
        let folder = handed(stage)?;
        Ok(files::absent(folder.join("made")))
    },
    attack: |args| sys!(SYS_mkdirat, proof::number::<i32>(args, 0)?, c"made", 0o755).map(drop),
    ..ROW
};

fn handed(stage: &mut Stage) -> io::Result<std::path::PathBuf> {
    let folder = stage.host.join("handed");
    std::fs::create_dir(&folder)?;
    passed::hand_over(stage, File::open(&folder)?, "read")?;
    Ok(folder)
}

fn bait_inside(stage: &mut Stage) -> io::Result<Judge> {
    let bait = handed(stage)?.join("bait");
    std::fs::write(&bait, "content that must stay\n")?;
    files::untouched(&bait)
}

fn secret_above(stage: &mut Stage) -> io::Result<Judge> {
    let (_, judge) = stage.secret("above")?;
    handed(stage)?;
    Ok(judge)
}
