//! X5: calls through the fixed page of old kernels.

use std::arch::asm;
use std::fs;
use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::proof;
use crate::needs::Need;
use crate::stage::Stage;

const NEED: Need = Need { name: "the vsyscall page", found };

pub(super) const ROW: Attack = Attack {
    id: "X5",
    name: "vsyscall",
    what: "asks the time through the fixed page although the policy refuses that call",
    prepare,
    attack,
    needs: &[&NEED],
    ..Attack::ROW
};

const GETTIMEOFDAY: u64 = 0xffff_ffff_ff60_0000;
const TIME: u64 = 0xffff_ffff_ff60_0400;

fn found() -> bool {
    fs::read_to_string("/proc/self/maps").is_ok_and(|maps| maps.contains("[vsyscall]"))
}

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    stage.belljar_flags(&["--deny-syscall", "gettimeofday", "--deny-syscall", "time"]);
    proof::demanded(stage)
}

fn attack(args: &[String]) -> io::Result<()> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_err(io::Error::other)?;
    for page in [GETTIMEOFDAY, TIME] {
        let mut time = [0u64; 2];
        let result: u64;
        unsafe {
            asm!("call {page}", page = in(reg) page, inlateout("rax") 0u64 => result,
                in("rdi") if page == TIME { 0 } else { time.as_mut_ptr().expose_provenance() },
                in("rsi") 0, clobber_abi("C"));
        }
        let told = if page == TIME { result } else { time[0] };
        if told.abs_diff(now.as_secs()) < 60 {
            return proof::show(args, 0);
        }
    }
    Err(io::Error::other("the page did not answer"))
}
