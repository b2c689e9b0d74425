//! Shell pipelines and coreutils.

use crate::scenario::{Check, ROW, Scenario};

const COREUTILS: &[u8] = include_bytes!("../../fixtures/coreutils.sh");

pub(crate) const ROWS: &[Scenario] = &[
    Scenario {
        name: "sh-pipeline",
        needs: &["sh", "seq", "grep", "sort", "awk", "sed"],
        command: &[
            "sh",
            "-c",
            "seq 1 2000 | grep 7 | sed 's/7/seven/' | sort -r | head -n 40 | awk '{n += length($0)} END {print n}' && \
             printf 'b\\na\\nb\\n' | sort | uniq -c && (exit 3) || echo \"code $?\" && for i in 1 2 3; do echo $i; done | tac",
        ],
        ..ROW
    },
    Scenario {
        name: "sh-heredoc-and-jobs",
        needs: &["sh"],
        command: &[
            "sh",
            "-c",
            "cat <<X | tr a-z A-Z\nhere\nX\n(echo one; exit 4) & wait $!; echo \"job $?\"; mkfifo p; echo via-fifo >p & cat p; wait",
        ],
        ..ROW
    },
    Scenario {
        name: "bash-process-substitution",
        needs: &["bash"],
        command: &[
            "bash",
            "-c",
            "diff <(seq 3) <(seq 4); echo $?; read -r x < <(echo sub); echo $x; echo ${BASH_VERSINFO[0]}",
        ],
        ..ROW
    },
    Scenario {
        name: "coreutils",
        needs: &["sh", "sha256sum", "find", "xargs"],
        files: &[("coreutils.sh", COREUTILS)],
        command: &["sh", "coreutils.sh"],
        results: &["listing", "sums"],
        ..ROW
    },
    Scenario {
        name: "coreutils-brokered",
        needs: &["sh", "sha256sum", "find", "xargs"],
        files: &[("coreutils.sh", COREUTILS)],
        flags: &["-w", "{work}", "--trace"],
        command: &["sh", "coreutils.sh"],
        results: &["listing", "sums"],
        ..ROW
    },
    Scenario { name: "coreutils-no-secret", command: &["cat", "{secret}"], check: Check::NoSecret, ..ROW },
    Scenario {
        name: "sh-no-write",
        command: &[
            "sh",
            "-c",
            "echo changed >{victim}; rm -f {victim}; chmod 777 {victim}; ln -sf {work} {victim}; true",
        ],
        check: Check::NoWrite,
        ..ROW
    },
    Scenario {
        name: "bash-no-listener",
        needs: &["bash"],
        command: &["bash", "-c", "echo hi >/dev/tcp/127.0.0.1/{port}"],
        check: Check::NoListener,
        ..ROW
    },
];
