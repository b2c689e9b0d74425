use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw::{self, sys};
use crate::files;
use crate::stage::Stage;

/// One way to get bytes of a file that may not be executed into executable memory.
macro_rules! map {
    ($name:literal, $what:literal, $attack:expr) => {
        Attack {
            id: "L6",
            name: $name,
            what: $what,
            prepare,
            attack: |args| call($attack(&File::open(raw::text(args, 0)?)?)?),
            control: Control::Landlock,
            boxes: &["none", "belljar"],
            ..Attack::ROW
        }
    };
}

const PAGE: usize = 4096;
const READ: i32 = libc::PROT_READ;
const EXEC: i32 = libc::PROT_READ | libc::PROT_EXEC;

pub(super) const MAP: Attack = map!(
    "mmap-exec",
    "runs machine code by mapping a file that is granted without execution",
    |file: &File| sys!(SYS_mmap, 0, PAGE, EXEC, libc::MAP_PRIVATE, file.as_raw_fd(), 0)
);
pub(super) const PROTECT: Attack = map!(
    "mprotect-exec",
    "maps a file that is granted without execution and makes the mapping executable later",
    |file: &File| {
        let at = sys!(SYS_mmap, 0, PAGE, READ, libc::MAP_PRIVATE, file.as_raw_fd(), 0)?;
        sys!(SYS_mprotect, at, PAGE, EXEC).map(|_| at)
    }
);
pub(super) const COPY: Attack = map!(
    "remap-exec",
    "runs a file that is granted without execution through a shared mapping with READ_IMPLIES_EXEC",
    |file: &File| {
        sys!(SYS_personality, 0x0040_0000)?;
        sys!(SYS_mmap, 0, PAGE, READ, libc::MAP_SHARED, file.as_raw_fd(), 0)
    }
);

/// The code returns a random number; only the processor turns it into output.
fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let number = u64::from(u32::from_ne_bytes(raw::random_key()?.to_ne_bytes()));
    let mut code = vec![0x48, 0xb8];
    code.extend((number << 20).to_le_bytes());
    // shr rax, 20; ret: the result is not in the file as it is printed.
    code.extend([0x48, 0xc1, 0xe8, 20, 0xc3]);
    code.resize(PAGE, 0x90);
    let path = stage.data.join("code");
    fs::write(&path, code)?;
    stage.path_arg(&path);
    stage.grant_data();
    Ok(files::not_printed(format!("code says {number}")))
}

fn call(at: usize) -> io::Result<()> {
    // SAFETY: the mapping starts with a function that follows the C calling convention.
    let function: extern "C" fn() -> u64 = unsafe { std::mem::transmute(at as *const ()) };
    raw::print(format!("code says {}", function()).as_bytes())
}
