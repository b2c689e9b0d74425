//! Debuggers on a child inside the jar, with `--debug`.

use std::process::Stdio;

use anyhow::{Result, ensure};

use crate::run::Rig;
use crate::scenario::{Argv, Check, Differs, File, ROW, Scenario};

const PROGRAM: &[File] = &[(
    "calc.c",
    b"#include <stdio.h>\n#include <unistd.h>\nint add(int a, int b) { return a + b; }\n\
      int main(void) { if (write(1, \"written\\n\", 8) != 8) return 1; return add(40, 2) - 42; }\n",
)];

const COMPILE: &[Argv] = &[&["gcc", "-g", "-O0", "-no-pie", "-o", "calc", "calc.c"]];

const DEBUG: &[&str] = &["-w", "{work}", "--debug"];

pub(crate) const ROWS: &[Scenario] = &[
    Scenario {
        name: "gdb-child",
        needs: &["gdb", "gcc"],
        files: PROGRAM,
        prepare: COMPILE,
        flags: DEBUG,
        // gdb warns on its error output when it must use ptrace instead of a read-only /proc; both ways give the same answers.
        command: &[
            "sh",
            "-c",
            "gdb -nx -batch -ex 'break add' -ex run -ex bt -ex 'info args' -ex finish -ex continue ./calc 2>messages",
        ],
        differs: &[Differs {
            before: "(process ",
            reason: "process numbers are those of the jar's own process namespace",
        }],
        ..ROW
    },
    Scenario {
        name: "strace-child",
        needs: &["strace", "gcc"],
        files: PROGRAM,
        prepare: COMPILE,
        flags: DEBUG,
        command: &[
            "sh",
            "-c",
            "strace -f -o trace -e trace=write,exit_group -e signal=none sh -c './calc; exit 3'; echo $?; sed 's/^[0-9 ]*//' trace",
        ],
        ..ROW
    },
    Scenario {
        name: "strace-no-secret",
        needs: &["strace"],
        flags: DEBUG,
        command: &["strace", "-o", "trace", "-e", "trace=read", "-s", "200", "cat", "{secret}"],
        check: Check::NoSecret,
        ..ROW
    },
    Scenario {
        name: "gdb-no-write",
        needs: &["gdb"],
        flags: DEBUG,
        command: &[
            "gdb",
            "-nx",
            "-batch",
            "-ex",
            "shell echo changed >{victim}",
            "-ex",
            "python open('{victim}', 'w').write('x')",
        ],
        check: Check::NoWrite,
        ..ROW
    },
    Scenario {
        name: "strace-refused-on-host-process",
        needs: &["strace", "sleep"],
        flags: DEBUG,
        check: Check::Own(host_process_is_out_of_reach),
        ..ROW
    },
];

/// strace attaches to a process of the host when outside and must not from inside.
fn host_process_is_out_of_reach(rig: &Rig<'_>) -> Result<()> {
    let mut sleeper = rig.command(&["sleep", "60"]).build()?.stdin(Stdio::null()).spawn()?;
    let mut attach = rig.command(&["timeout", "-s", "INT", "2", "strace", "-p"]);
    attach.argv.push(sleeper.id().to_string());
    let outcomes = attach.run().and_then(|outside| Ok((outside, rig.boxed(&attach).run()?)));
    sleeper.kill()?;
    sleeper.wait()?;
    let (outside, inside) = outcomes?;
    let attached = |stderr: &[u8]| String::from_utf8_lossy(stderr).contains("attached");
    ensure!(attached(&outside.stderr), "strace cannot attach even outside: {}", outside.text());
    ensure!(!attached(&inside.stderr), "attached to a host process: {}", inside.text());
    Ok(())
}
