//! Root only: devices.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use crate::attack::Attack;
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::attacks::raw::c;
use crate::needs;
use crate::outcome::Judgement;

const ROW: Attack = Attack { id: "P4", needs: &[&needs::ROOT], ..Attack::ROW };

pub(super) const NODE: Attack = Attack {
    name: "device-node-left",
    what: "leaves a device node in a folder it may write, for others on the host to open",
    prepare: |stage| {
        let path = stage.work.join("memory");
        stage.path_arg(&path);
        Ok(Box::new(move |_| {
            let made = fs::symlink_metadata(&path).is_ok_and(|meta| meta.file_type().is_char_device());
            Ok(Judgement::escaped_if(made, "a device node is on the host"))
        }))
    },
    attack: |args| {
        sys!(SYS_mknod, &proof::path(args, 0)?, libc::S_IFCHR | 0o666, libc::makedev(1, 1)).map(drop)
    },
    ..ROW
};

pub(super) const OTHERS: Attack = Attack {
    name: "devices-beyond-the-harmless",
    what: "opens a device that belongs to the machine: its log, loop devices, file systems in user space, machines",
    prepare: proof::demanded,
    attack: |args| {
        drop(sys!(SYS_mknod, c"loop-control", libc::S_IFCHR | 0o600, libc::makedev(10, 237)));
        let listed = fs::read_dir("/dev").into_iter().flatten().flatten().map(|entry| entry.path());
        let devices = listed.filter(|path| is_device(path) && !harmless(path));
        let mut all = devices.chain([Path::new("loop-control").to_owned()]);
        match all.find(|path| opens(path)) {
            Some(_) => proof::show(args, 0),
            None => Err(io::Error::other("none opened")),
        }
    },
    ..ROW
};

fn is_device(path: &Path) -> bool {
    let kind = fs::symlink_metadata(path).map(|meta| meta.file_type());
    kind.is_ok_and(|kind| kind.is_char_device() || kind.is_block_device())
}

fn harmless(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    ["null", "zero", "full", "random", "urandom", "tty", "ptmx", "console"].contains(&name)
}

fn opens(path: &Path) -> bool {
    sys!(SYS_openat, libc::AT_FDCWD, &c(&path.to_string_lossy()), libc::O_RDONLY | libc::O_NONBLOCK).is_ok()
}
