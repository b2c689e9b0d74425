use std::fs;
use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::raw::sys;
use crate::needs;
use crate::outcome::Judgement;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "E3",
    name: "core-file",
    what: "leaves a copy of its memory on the host by crashing",
    prepare,
    attack,
    needs: &[&needs::CORE_FILES],
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let work = stage.work.clone();
    Ok(Box::new(move |_| {
        let names = fs::read_dir(work)?.flatten().map(|entry| entry.file_name());
        let dumped = names.into_iter().any(|name| name.as_encoded_bytes().starts_with(b"core"));
        Ok(Judgement::escaped_if(dumped, "a core file is on the host"))
    }))
}

fn attack(_: &[String]) -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    sys!(SYS_prlimit64, 0, libc::RLIMIT_CORE, 0, &raw mut limit)?;
    limit.rlim_cur = limit.rlim_max;
    // Setting it may be refused; the crash is tried all the same.
    drop(sys!(SYS_prlimit64, 0, libc::RLIMIT_CORE, &raw const limit, 0));
    sys!(SYS_prctl, libc::PR_SET_DUMPABLE, 1)?;
    sys!(SYS_kill, std::process::id(), libc::SIGABRT).map(drop)
}
