//! Reads what is hidden, or writes what is read-only, inside a granted folder by moving the folders above it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::raw::c;
use crate::attacks::target::print_file;
use crate::canary;
use crate::files;
use crate::stage::Stage;

const ROW: Attack = Attack {
    id: "I1",
    what: "reads a hidden folder that lies inside a granted one",
    prepare: hidden_in_writable,
    // Others are not told of a rule inside a granted folder.
    boxes: &["none", "belljar"],
    ..Attack::ROW
};

pub(super) const DIRECT: Attack =
    Attack { name: "hidden-direct", attack: |_| print_file(Path::new("above/hidden/secret")), ..ROW };

pub(super) const BY_SYMLINK: Attack = Attack {
    name: "hidden-by-symlink",
    attack: |_| {
        sys!(SYS_symlink, c"above/hidden", c"shortcut")?;
        print_file(Path::new("shortcut/secret"))
    },
    ..ROW
};

pub(super) const BY_DOTS: Attack = Attack {
    name: "hidden-by-dots",
    attack: |_| {
        sys!(SYS_chdir, c"above")?;
        print_file(Path::new("../above/./hidden/../hidden/secret"))
    },
    ..ROW
};

pub(super) const PARENT_RENAMED: Attack = Attack {
    name: "hidden-parent-renamed",
    what: "moves the folder above a hidden one, so that the hiding mount or rule stays behind",
    attack: |_| {
        sys!(SYS_rename, c"above", c"elsewhere")?;
        print_file(Path::new("elsewhere/hidden/secret"))
    },
    ..ROW
};

pub(super) const EXCHANGED: Attack = Attack {
    name: "hidden-exchanged",
    what: "exchanges a hidden folder for an empty one",
    attack: |_| {
        sys!(SYS_mkdir, c"empty", 0o755)?;
        let here = libc::AT_FDCWD;
        sys!(SYS_renameat2, here, c"above/hidden", here, c"empty", libc::RENAME_EXCHANGE)?;
        print_file(Path::new("empty/secret"))
    },
    ..ROW
};

pub(super) const READ_PARENT_RENAMED: Attack = Attack {
    name: "read-only-parent-renamed",
    what: "moves the folder above a read-only one and writes it under its new name",
    prepare: |stage| {
        let folder = below(stage, "fixed")?;
        let path = folder.join("bait");
        fs::write(&path, "content that must stay\n")?;
        stage.belljar_flags(&["-r", &folder.to_string_lossy()]);
        let candidates = [path.clone(), stage.work.join("elsewhere/fixed/bait")];
        Ok(Box::new(move |_| {
            let changed = candidates
                .iter()
                .filter_map(|path| fs::read_to_string(path).ok())
                .any(|text| text == "changed");
            Ok(crate::outcome::Judgement::escaped_if(
                changed,
                "a read-only file inside a writable folder changed",
            ))
        }))
    },
    attack: |_| {
        sys!(SYS_rename, &c("above"), &c("elsewhere"))?;
        fs::write("elsewhere/fixed/bait", "changed")
    },
    ..ROW
};

fn below(stage: &Stage, name: &str) -> io::Result<PathBuf> {
    let folder = stage.work.join("above").join(name);
    fs::create_dir_all(&folder)?;
    // The box may run the attack under another uid than the runner's.
    fs::set_permissions(stage.work.join("above"), std::os::unix::fs::PermissionsExt::from_mode(0o777))?;
    Ok(folder)
}

fn hidden_in_writable(stage: &mut Stage) -> io::Result<Judge> {
    let folder = below(stage, "hidden")?;
    let secret = canary::fresh()?;
    fs::write(folder.join("secret"), &secret)?;
    stage.belljar_flags(&["--hide", &folder.to_string_lossy()]);
    Ok(files::not_printed(secret))
}
