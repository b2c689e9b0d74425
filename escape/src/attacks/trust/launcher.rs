use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::attack::{Attack, Judge};
use crate::needs;
use crate::outcome::Judgement;
use crate::stage::Stage;

pub(super) const SETUID: Attack = Attack {
    id: "Q3",
    name: "launcher-setuid",
    what: "finds that the sandbox itself runs with more rights than its caller, by a set-user-id bit",
    prepare: |stage| {
        let program = launcher(stage)?;
        let planted = stage.host_file("planted", "")?;
        fs::set_permissions(&planted, fs::Permissions::from_mode(0o4755))?;
        judge(program.unwrap_or(planted), |path| Ok(fs::metadata(path)?.mode() & 0o6000 != 0))
    },
    ..Attack::ROW
};

pub(super) const CAPABILITIES: Attack = Attack {
    id: "Q3",
    name: "launcher-capabilities",
    what: "finds that the sandbox itself runs with more rights than its caller, by file capabilities",
    prepare: |stage| {
        let program = launcher(stage)?;
        let planted = stage.host_file("planted", "")?;
        // Version 2, effective, CAP_SYS_ADMIN permitted.
        let mut value = vec![1, 0, 0, 2];
        value.extend([0, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        rustix::fs::setxattr(&planted, CAPABILITY, &value, rustix::fs::XattrFlags::CREATE)?;
        judge(program.unwrap_or(planted), |path| {
            Ok(rustix::fs::getxattr(path, CAPABILITY, &mut [0u8; 64][..]).is_ok())
        })
    },
    needs: &[&needs::ROOT],
    ..Attack::ROW
};

const CAPABILITY: &str = "security.capability";

/// The program of the box under test; none when there is no box.
fn launcher(stage: &Stage) -> io::Result<Option<PathBuf>> {
    match &stage.launcher {
        Some((name, path)) if *name != "none" => Ok(Some(path.clone())),
        _ => Ok(None),
    }
}

fn judge(program: PathBuf, privileged: fn(&Path) -> io::Result<bool>) -> io::Result<Judge> {
    let found = privileged(&program)?;
    Ok(Box::new(move |_| Ok(Judgement::escaped_if(found, "the launcher is privileged by its file"))))
}
