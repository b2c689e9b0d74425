//! Archivers and compressors.

use crate::scenario::{Argv, Check, ROW, Scenario};

const TREE: &[Argv] = &[&[
    "sh",
    "-c",
    "mkdir -p tree/deep; for i in $(seq 30); do seq $i 3000 >tree/deep/$i; done; ln -s deep/1 tree/link; chmod 750 tree/deep",
]];

pub(crate) const ROWS: &[Scenario] = &[
    Scenario {
        name: "tar-gzip",
        needs: &["tar", "gzip"],
        prepare: TREE,
        command: &[
            "sh",
            "-ec",
            "tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf tree.tar tree; gzip -9nk tree.tar; mkdir out; \
             tar -C out -xzpf tree.tar.gz; diff -r tree out/tree; stat -c %a out/tree/deep; readlink out/tree/link; tar -tf tree.tar | wc -l",
        ],
        results: &["tree.tar.gz"],
        ..ROW
    },
    Scenario {
        name: "xz-threads",
        needs: &["tar", "xz"],
        prepare: TREE,
        command: &[
            "sh",
            "-ec",
            "cat tree/deep/* >all; xz -T2 -k --block-size=200KiB all; xz -l all.xz | awk 'NR == 2 {print $2}'; xz -dc -T2 all.xz | cmp - all",
        ],
        results: &["all.xz"],
        ..ROW
    },
    Scenario {
        name: "tar-no-secret",
        needs: &["tar"],
        command: &["tar", "-cPf", "stolen.tar", "{secret}"],
        check: Check::NoSecret,
        ..ROW
    },
    Scenario {
        name: "tar-no-write",
        needs: &["tar"],
        command: &[
            "sh",
            "-c",
            "echo changed >victim && tar -cPf v.tar --transform 's|.*|{victim}|' victim && tar -xPf v.tar",
        ],
        check: Check::NoWrite,
        ..ROW
    },
];
