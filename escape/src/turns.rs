//! Attacks on what the whole machine has once, or one user: they run one after the other, whoever runs them.
//!
//! All others run several at a time, and each may meet what others do. Two that change the same setting, or use up the same
//! quota, would be judged by each other's deeds.

use std::fs::File;

/// Something that there is only once.
struct Turn {
    /// A file of the kernel's about it, which is locked meanwhile: runners of other accounts and other folders find the same one.
    file: &'static str,
    why: &'static str,
    attacks: &'static [&'static str],
}

const TURNS: &[Turn] = &[
    Turn {
        file: "/proc/sys/kernel/domainname",
        why: "both change the name, and look whether it changed",
        attacks: &["host-name", "domain-name"],
    },
    Turn {
        file: "/proc/sys/vm/swappiness",
        why: "a second suite on this machine would see the control run of the first",
        attacks: &["sysctl-write"],
    },
    Turn {
        file: "/proc/sys/vm/stat_interval",
        why: "a second suite on this machine would see the control run of the first",
        attacks: &["sysctl"],
    },
    Turn {
        file: "/proc/sys/kernel/ostype",
        why: "the clock's estimate has no file of its own; a second suite would see the control run of the first",
        attacks: &["clock-discipline"],
    },
    Turn {
        file: "/proc/sys/vm/nr_hugepages",
        why: "the pool is enlarged for the run and set back; a second one would take the enlarged one for the host's own",
        attacks: &["memory-huge-pages"],
    },
    Turn {
        file: "/proc/sys/kernel/pty/nr",
        why: "terminals of all are counted together",
        attacks: &["terminal-quota"],
    },
    Turn {
        file: "/proc/sys/fs/inotify/max_user_instances",
        why: "the first leaves no instance to the others, the second no watch",
        attacks: &["inotify-quota", "inotify-watch-quota", "inotify-hidden", "inherited-inotify"],
    },
    Turn {
        file: "/proc/sys/fs/pipe-user-pages-soft",
        why: "a second suite of the same user would find the quota used up",
        attacks: &["pipe-quota"],
    },
    Turn {
        file: "/proc/sys/kernel/threads-max",
        why: "signals that wait are counted per user, with the limit of processes; a second suite would find them used up",
        attacks: &["signal-quota"],
    },
    Turn {
        file: "/proc/sys/net/core/optmem_max",
        why: "locked pages are counted per user; older kernels count those of rings with them",
        attacks: &["locked-pages-quota", "io-uring-open", "io-uring-write", "io-uring-connect"],
    },
    Turn {
        file: "/proc/sys/fs/file-max",
        why: "what one has on its way looks to the other's judge like its own",
        attacks: &["flight-quota", "flight-quota-under-files"],
    },
];

/// Waits until no other runner is at an attack of the same kind; the turn lasts until the file is dropped.
pub(crate) fn wait_for(attack: &str) -> Option<File> {
    let turn = TURNS.iter().find(|turn| turn.attacks.contains(&attack) && !turn.why.is_empty())?;
    // A kernel without such a file: the runners of one suite share their program.
    let file = File::open(turn.file).or_else(|_| File::open(std::env::current_exe()?)).ok()?;
    file.lock().ok().map(|()| file)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::TURNS;
    use crate::attacks::FAMILIES;

    #[test]
    fn each_attack_waits_for_one_thing_and_exists() {
        let rows: HashSet<_> = FAMILIES.iter().flat_map(|family| family.rows).map(|row| row.name).collect();
        let mut seen = HashSet::new();
        for name in TURNS.iter().flat_map(|turn| turn.attacks) {
            assert!(rows.contains(name), "no attack {name}");
            assert!(seen.insert(name), "{name} waits twice");
        }
    }

    #[test]
    fn a_turn_is_taken_by_one_at_a_time() {
        let first = super::wait_for("terminal-quota").unwrap();
        let second = std::fs::File::open("/proc/sys/kernel/pty/nr").unwrap();
        assert!(second.try_lock().is_err());
        drop(first);
        second.lock().unwrap();
        assert!(super::wait_for("no-such-attack").is_none());
    }
}
