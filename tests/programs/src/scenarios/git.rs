//! git in a granted folder.

use crate::scenario::{Check, ROW, Scenario};

const NEUTRAL: &[(&str, &str)] = &[
    ("GIT_AUTHOR_DATE", "2001-02-03T04:05:06Z"),
    ("GIT_COMMITTER_DATE", "2001-02-03T04:05:06Z"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
];

const FLAGS: &[&str] =
    &["-w", "{work}", "-e", "GIT_AUTHOR_DATE", "-e", "GIT_COMMITTER_DATE", "-e", "GIT_CONFIG_NOSYSTEM"];

const ORIGIN: &[&str] = &[
    "sh",
    "-c",
    "git init -q -b main origin && cd origin && git config user.name A && git config user.email a@example.org && seq 100 >numbers && \
     git add . && git commit -q -m first && echo more >>numbers && git commit -q -a -m second",
];

pub(crate) const ROWS: &[Scenario] = &[
    Scenario {
        name: "git-clone-commit-status",
        needs: &["git"],
        prepare: &[ORIGIN],
        env: NEUTRAL,
        flags: FLAGS,
        command: &[
            "sh",
            "-ec",
            "git clone -q origin copy; cd copy; git config user.name B; git config user.email b@example.org; \
             git status --short --branch; echo new >file; git add file; git status --porcelain; git commit -q -m third; \
             git checkout -q -b side HEAD~1; echo side >side; git add side; git commit -q -m side; git checkout -q main; \
             git merge -q --no-edit side; git log --format='%H %s'; git diff --stat HEAD~2; git push -q origin HEAD:refs/heads/new; \
             git -C ../origin branch --list; git stash list; git gc -q; git fsck --strict; git rev-parse HEAD >../head",
        ],
        results: &["head"],
        ..ROW
    },
    Scenario {
        name: "git-status-read-only",
        needs: &["git"],
        prepare: &[ORIGIN],
        flags: &[],
        command: &["git", "--no-optional-locks", "-C", "origin", "status", "--short", "--branch"],
        ..ROW
    },
    Scenario {
        name: "git-no-secret",
        needs: &["git"],
        command: &["git", "diff", "--no-index", "/dev/null", "{secret}"],
        check: Check::NoSecret,
        ..ROW
    },
    Scenario {
        name: "git-no-listener",
        needs: &["git"],
        command: &["timeout", "2", "git", "ls-remote", "git://127.0.0.1:{port}/x"],
        check: Check::NoListener,
        ..ROW
    },
];
