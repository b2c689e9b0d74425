//! P4, root only: settings that the whole machine shares.

use std::fs;
use std::io;
use std::path::Path;

use crate::attack::Attack;
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::files;
use crate::needs;
use crate::outcome::Judgement;

const ROW: Attack = Attack { id: "P4", needs: &[&needs::ROOT], ..Attack::ROW };

/// How often the kernel sums up its memory statistics, in seconds.
const SETTING: &str = "/proc/sys/vm/stat_interval";

pub(super) const SYSCTL: Attack = Attack {
    name: "sysctl",
    what: "changes a setting of the kernel",
    prepare: |_| {
        let before = fs::read_to_string(SETTING)?;
        Ok(Box::new(move |_| {
            let changed = fs::read_to_string(SETTING)? != before;
            if changed {
                fs::write(SETTING, &before)?;
            }
            Ok(Judgement::escaped_if(changed, "a setting of the kernel changed"))
        }))
    },
    attack: |_| {
        let value: u32 = fs::read_to_string(SETTING)?.trim().parse().map_err(io::Error::other)?;
        fs::write(SETTING, (value + 1).to_string())
    },
    ..ROW
};

/// The NIS domain name: shared by the machine, used by hardly anybody.
const DOMAIN_NAME: &str = "/proc/sys/kernel/domainname";

pub(super) const DOMAIN: Attack = Attack {
    name: "domain-name",
    what: "changes the domain name of the machine",
    prepare: |_| {
        let before = fs::read_to_string(DOMAIN_NAME)?;
        Ok(Box::new(move |_| {
            let changed = fs::read_to_string(DOMAIN_NAME)? != before;
            if changed {
                fs::write(DOMAIN_NAME, before.trim())?;
            }
            Ok(Judgement::escaped_if(changed, "the domain name of the machine changed"))
        }))
    },
    attack: |_| sys!(SYS_setdomainname, c"escaped", 7).map(drop),
    ..ROW
};

/// `ADJ_ESTERROR`: sets only the estimate of the clock's error, which nothing here reads.
const ESTIMATE: u32 = 8;

pub(super) const CLOCK: Attack = Attack {
    name: "clock-discipline",
    what: "adjusts the clock of the machine",
    prepare: |_| {
        let before = estimate(0, 0)?;
        Ok(Box::new(move |_| {
            let changed = estimate(0, 0)? != before;
            estimate(ESTIMATE, before)?;
            Ok(Judgement::escaped_if(changed, "the clock's discipline changed"))
        }))
    },
    attack: |_| estimate(ESTIMATE, 123_456).map(drop),
    ..ROW
};

pub(super) const CGROUP: Attack = Attack {
    name: "control-group",
    what: "makes a control group of its own beside its limits",
    prepare: |stage| {
        let name = stage.word("escape");
        let path = Path::new(GROUPS).join(&name);
        stage.path_arg(&path);
        let judge = files::absent(path.clone());
        Ok(Box::new(move |outcome| {
            let judgement = judge(outcome);
            drop(fs::remove_dir(&path));
            judgement
        }))
    },
    attack: |args| fs::create_dir(proof::arg(args, 0)?),
    needs: &[&needs::ROOT, &PIDS_GROUP],
    ..ROW
};

const GROUPS: &str = "/sys/fs/cgroup/pids";
const PIDS_GROUP: needs::Need =
    needs::Need { name: "cgroup v1 pids", found: || fs::metadata(GROUPS).is_ok_and(|meta| meta.is_dir()) };

/// `adjtimex` with these modes and this estimate; returns the estimate after it.
fn estimate(modes: u32, value: u64) -> io::Result<u64> {
    let mut words = [0u64; 26];
    words[0] = u64::from(modes);
    words[4] = value;
    sys!(SYS_adjtimex, &mut words)?;
    Ok(words[4])
}
