//! B6: makes the supervisor write its report to a place that the attack chooses.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;

use crate::attack::{Attack, Judge};
use crate::attacks::proof;
use crate::files;
use crate::stage::Stage;

const ROW: Attack = Attack {
    id: "B6",
    what: "makes the supervisor overwrite a host file with its report",
    prepare,
    may_refuse: true,
    ..Attack::ROW
};

pub(super) const SYMLINK: Attack = Attack {
    name: "report-by-symlink",
    attack: |args| {
        drop(fs::remove_file("out/report"));
        symlink(proof::arg(args, 0)?, "out/report")?;
        fs::write("out/report", "changed")
    },
    ..ROW
};

pub(super) const HARD_LINK: Attack = Attack {
    name: "report-by-hard-link",
    attack: |args| {
        drop(fs::remove_file("out/report"));
        fs::hard_link(proof::arg(args, 0)?, "out/report")?;
        fs::write("out/report", "changed")
    },
    ..ROW
};

pub(super) const FOLDER_SWAPPED: Attack = Attack {
    name: "report-by-folder-swap",
    attack: |args| {
        fs::rename("out", "old")?;
        let bait = std::path::Path::new(proof::arg(args, 0)?);
        symlink(bait.parent().unwrap_or(bait), "out")?;
        fs::write("out/report", "changed")
    },
    ..ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let bait = stage.host_file("report", "content that must stay\n")?;
    stage.path_arg(&bait);
    let folder = stage.work.join("out");
    fs::create_dir(&folder)?;
    fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o777))?;
    stage.belljar_flags(&["--report", &folder.join("report").to_string_lossy()]);
    files::untouched(&bait)
}
