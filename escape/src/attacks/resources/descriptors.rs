//! R4: more descriptors than allowed.

use super::measure;
use crate::attack::Attack;
use crate::attacks::kernel::{nap, sys};

pub(super) const ROW: Attack = Attack {
    id: "R4",
    name: "descriptors",
    what: "opens more files than it may, after raising its own limit",
    prepare: |stage| {
        stage.belljar_flags(&["--files", "64"]);
        Ok(measure::at_most(stage, 72, |tree| tree.descriptors, "descriptors"))
    },
    attack: |_| {
        drop(sys!(SYS_prlimit64, 0, libc::RLIMIT_NOFILE, &[4096u64, 4096], 0));
        let opened = (0..900).filter(|_| sys!(SYS_dup, 1).is_ok()).count();
        nap(400);
        if opened < 900 { Err(std::io::Error::other(format!("{opened} opened"))) } else { Ok(()) }
    },
    ..Attack::ROW
};
