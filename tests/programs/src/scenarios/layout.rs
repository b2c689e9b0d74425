//! Layouts of real hosts, and the promise that nothing is created on the host.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::{Signal, kill_process};

use crate::run::{Command, Rig, pause, pid};
use crate::scenario::{Check, ROW, Scenario};
use crate::watch::{names, nothing_left};

pub(crate) const ROWS: &[Scenario] = &[
    Scenario {
        name: "layout-merged-usr",
        needs: &["readlink"],
        command: &[
            "sh",
            "-c",
            "for l in /bin /sbin /lib /lib64; do readlink $l; done; /bin/echo by /bin; /usr/bin/echo by /usr/bin; test -e /lib64/ld-linux-x86-64.so.2",
        ],
        ..ROW
    },
    Scenario {
        name: "layout-symlinked-home",
        prepare: &[&[
            "sh",
            "-c",
            "mkdir -p disk/people/me/project; ln -s disk/people homes; echo text >homes/me/project/file",
        ]],
        flags: &["-w", "{work}/homes/me/project"],
        command: &[
            "sh",
            "-c",
            "cd {work}/homes/me/project && cat file && echo new >made && ls && pwd -P && ls {work}/disk/people/me/project",
        ],
        results: &["disk/people/me/project/made"],
        ..ROW
    },
    Scenario {
        name: "layout-var-run-link",
        prepare: &[&[
            "sh",
            "-c",
            "mkdir -p run/service var; ln -s ../run var/run; ln -s {work}/run absolute; echo socket >run/service/id",
        ]],
        flags: &["-w", "{work}/var/run/service", "-r", "{work}/absolute/service/id"],
        command: &[
            "sh",
            "-c",
            "cat {work}/var/run/service/id {work}/run/service/id {work}/absolute/service/id && echo x >{work}/var/run/service/pid",
        ],
        results: &["run/service/pid"],
        ..ROW
    },
    Scenario {
        name: "layout-unlistable-parent",
        prepare: &[&[
            "sh",
            "-c",
            "mkdir -p closed/inner/open; echo deep >closed/inner/open/file; chmod 311 closed closed/inner",
        ]],
        flags: &["-w", "{work}/closed/inner/open"],
        command: &["sh", "-c", "cat {work}/closed/inner/open/file; echo more >{work}/closed/inner/open/made"],
        results: &["closed/inner/open/made"],
        ..ROW
    },
    Scenario {
        name: "layout-link-chain",
        prepare: &[&[
            "sh",
            "-c",
            "mkdir -p store/abc-1.0/bin; printf '#!/bin/sh\\necho from the store\\n' >store/abc-1.0/bin/tool; chmod +x store/abc-1.0/bin/tool; ln -s {work}/store/abc-1.0 current; ln -s current/bin/tool tool",
        ]],
        flags: &["-r", "{work}"],
        command: &["{work}/tool"],
        ..ROW
    },
    Scenario {
        name: "layout-odd-names",
        prepare: &[&[
            "sh",
            "-c",
            "mkdir -p 'with space' 'new\nline' 'quo\"te' -- '-dash'; echo odd >'with space/ü'",
        ]],
        flags: &["-w", "{work}/with space", "-r", "{work}/new\\x0aline"],
        command: &["sh", "-c", "cat 'with space/ü'; cp 'with space/ü' 'with space/copy'; ls -d 'new\nline'"],
        results: &["with space/copy"],
        ..ROW
    },
    Scenario {
        name: "layout-remap",
        prepare: &[&["sh", "-c", "mkdir data; echo remapped >data/file"]],
        flags: &["-r", "{work}/data:/data"],
        check: Check::Own(remapped),
        ..ROW
    },
    Scenario {
        name: "layout-link-no-secret",
        prepare: &[&["ln", "-s", "{secret}", "link"]],
        command: &["cat", "link"],
        check: Check::NoSecret,
        ..ROW
    },
    Scenario {
        name: "layout-dotdot-no-write",
        prepare: &[&["ln", "-s", "{victim}", "link"]],
        command: &["sh", "-c", "echo changed >link; echo changed >../outside/victim"],
        check: Check::NoWrite,
        ..ROW
    },
    Scenario {
        name: "host-untouched",
        command: &["sh", "-c", "touch /tmp/inside made; mkdir /tmp/folder"],
        check: Check::Own(untouched),
        ..ROW
    },
    Scenario {
        name: "host-untouched-after-kill",
        command: &["sleep", "60"],
        check: Check::Own(untouched_after_kill),
        ..ROW
    },
];

fn remapped(rig: &Rig<'_>) -> Result<()> {
    let inside = rig.boxed(&rig.command(&["cat", "/data/file"])).run()?;
    ensure!(inside.code == 0 && inside.stdout == b"remapped\n", "{}", inside.text());
    Ok(())
}

/// Folders of the host that a sandbox might be tempted to use, with the depth that is listed.
const SHARED: &[(&str, usize)] = &[
    ("/", 1),
    ("/mnt", 2),
    ("/run", 1),
    ("/var/tmp", 1),
    ("/dev/shm", 1),
    ("/tmp", 1),
    ("/var/lib", 1),
    ("/run/user", 2),
    ("/sys/fs/cgroup", 3),
    ("/etc", 1),
];

/// Private folders, home and work folder of the run, mounts, and the shared folders.
fn host(rig: &Rig<'_>) -> (BTreeSet<PathBuf>, BTreeSet<PathBuf>) {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut own = names(&rig.place.base, 8);
    own.extend(mounts.lines().map(PathBuf::from));
    let shared = SHARED.iter().flat_map(|(folder, depth)| names(Path::new(folder), *depth)).collect();
    (own, shared)
}

/// New names in the run's own folders are an error at once; in shared folders only if every one of three tries leaves some.
fn nothing_new(rig: &Rig<'_>, mut run: impl FnMut(&Command) -> Result<()>, made: &[&str]) -> Result<()> {
    let command = rig.boxed(&rig.row.plain(rig));
    let mut left = BTreeSet::new();
    for _ in 0..3 {
        rig.fresh()?;
        let (own, shared) = host(rig);
        run(&command)?;
        let (own_after, shared_after) = host(rig);
        let expected: BTreeSet<PathBuf> = made.iter().map(|name| rig.work.join(name)).collect();
        let new: BTreeSet<PathBuf> = own_after.difference(&own).cloned().collect();
        ensure!(new == expected, "new on the host: {new:?}, expected {expected:?}");
        left = shared_after.difference(&shared).cloned().collect();
        if left.is_empty() {
            return Ok(());
        }
    }
    anyhow::bail!("new on the host: {left:?}")
}

fn untouched(rig: &Rig<'_>) -> Result<()> {
    nothing_new(
        rig,
        |command| {
            let outcome = command.run()?;
            ensure!(outcome.code == 0, "{}", outcome.text());
            Ok(())
        },
        &["made"],
    )
}

fn untouched_after_kill(rig: &Rig<'_>) -> Result<()> {
    let mut delay = 1_u64;
    nothing_new(
        rig,
        |command| {
            for _ in 0..8 {
                let mut child = command.build()?;
                let mut child =
                    child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
                pause(Duration::from_millis(delay % 23));
                delay += 3;
                kill_process(pid(&child)?, Signal::KILL)?;
                child.wait()?;
            }
            nothing_left(rig)?;
            Ok(())
        },
        &[],
    )
}
