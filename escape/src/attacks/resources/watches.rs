//! R9: watches for changes of files, which the kernel counts per user.

use super::quotas::denied;
use crate::attack::Attack;
use crate::attacks::kernel::{nap, sys};
use crate::attacks::raw;

/// Files that each instance watches: so many that some of the user's instances are left, with which others could watch.
const FILES: usize = 12_000;

pub(super) const ROW: Attack = Attack {
    id: "R9",
    name: "inotify-watch-quota",
    what: "takes all watches for changes of files of the user, so that programs outside can watch nothing",
    prepare: |stage| {
        for number in 0..FILES {
            stage.work_file(&number.to_string(), "")?;
        }
        let work = stage.work.clone();
        stage.path_arg(&work);
        denied(stage, "a program of the same user outside can watch no file", cannot_watch)
    },
    attack: |args| {
        std::env::set_current_dir(raw::text(args, 0)?)?;
        let names: Vec<_> = (0..FILES).map(|number| raw::c(&number.to_string())).collect();
        let watched = |instance: usize| {
            names.iter().all(|name| sys!(SYS_inotify_add_watch, instance, name, libc::IN_MODIFY).is_ok())
        };
        while sys!(SYS_inotify_init1, 0).is_ok_and(watched) {}
        nap(400);
        Ok(())
    },
    ..Attack::ROW
};

fn cannot_watch() -> bool {
    let watched = sys!(SYS_inotify_init1, 0)
        .and_then(|instance| sys!(SYS_inotify_add_watch, instance, c"/", libc::IN_MODIFY));
    watched.is_err_and(|error| error.raw_os_error() == Some(libc::ENOSPC))
}
