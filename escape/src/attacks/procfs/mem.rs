use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

use crate::attack::{Attack, Judge};
use crate::attacks::raw;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "C7",
    name: "proc-mem",
    what: "reads the heap and stack of a host process of the same user through /proc/PID/mem",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let (path, judge) = stage.secret("secret")?;
    let pid = stage.victim(&["open", &path.to_string_lossy()])?;
    stage.arg(pid);
    Ok(judge)
}

fn attack(args: &[String]) -> io::Result<()> {
    let pid = raw::text(args, 0)?;
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let memory = File::open(format!("/proc/{pid}/mem"))?;
    for line in maps.lines().filter(|line| line.contains("rw-p")) {
        let Some((from, to)) = range(line) else { continue };
        let mut block = vec![0u8; usize::try_from(to - from).unwrap_or(0).min(1 << 20)];
        if memory.read_at(&mut block, from).is_ok() {
            show_canaries(&block)?;
        }
    }
    Ok(())
}

fn range(line: &str) -> Option<(u64, u64)> {
    let (from, to) = line.split_whitespace().next()?.split_once('-')?;
    Some((u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?))
}

fn show_canaries(block: &[u8]) -> io::Result<()> {
    for at in block.windows(6).enumerate().filter(|(_, window)| window == b"canary").map(|(at, _)| at) {
        raw::print(block.get(at..at + 38).unwrap_or_default())?;
    }
    Ok(())
}
