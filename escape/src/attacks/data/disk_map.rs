//! File systems answer questions of their own through any descriptor, also such as no grant is about.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::raw;
use crate::files;
use crate::needs::Need;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "E4",
    name: "disk-map",
    what: "asks for a map of the whole disk through one readable file",
    prepare,
    attack: |args| raw::print(map(Path::new(raw::text(args, 0)?))?.as_bytes()),
    needs: &[&MAP],
    ..Attack::ROW
};

/// The runner's own files lie on a disk whose file system draws such maps.
const MAP: Need = Need {
    name: "a disk that tells its map",
    found: || std::env::current_exe().and_then(|program| map(&program)).is_ok_and(|text| !text.is_empty()),
};

const FS_IOC_GETFSMAP: u32 = 0xC0C0_583B;
/// 64-bit words of the head, which ends with the first and the last place that is asked for; of an entry; and how many
/// entries: those of the file system's own tables, which stay where they are.
const HEAD: usize = 24;
const ENTRY: usize = 8;
const ENTRIES: usize = 8;

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let program = stage.program();
    let known = map(&program)?;
    stage.path_arg(&program);
    Ok(files::not_printed(known))
}

/// The first pieces of the disk that holds a file, in words.
fn map(file: &Path) -> io::Result<String> {
    let file = File::open(file)?;
    let mut words = [0u64; HEAD + ENTRY * ENTRIES];
    words[1] = ENTRIES as u64;
    // Up to the last place of all: device, place, owner, offset.
    words[16..20].fill(u64::MAX);
    sys!(SYS_ioctl, file.as_raw_fd(), FS_IOC_GETFSMAP, &mut words)?;
    let entries = words[HEAD..].chunks_exact(ENTRY).take_while(|entry| entry[4] != 0);
    Ok(entries.map(|entry| format!("{:x}+{:x} ", entry[1], entry[4])).collect())
}
