//! Static binaries: Go, musl, and a 32-bit one that must be refused in words.

use anyhow::{Result, ensure};

use crate::run::Rig;
use crate::scenario::{Check, File, ROW, Scenario};

const GO: &[File] = &[
    ("hello.go", include_bytes!("../../fixtures/hello.go")),
    ("go.mod", b"module example.org/hello\n\ngo 1.19\n"),
];

const MUSL: &[File] = &[("threads.c", include_bytes!("../../fixtures/c/threads.c"))];

const STEAL: &[File] = &[("cat.c", include_bytes!("../../fixtures/c/cat.c"))];

/// `mov eax, 1; mov ebx, 42; int 0x80` behind an ELF header for i386 with one loaded segment at 0x08048000.
const ELF32: &[u8] = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x03\0\x01\0\0\0\x54\x80\x04\x08\x34\0\0\0\0\0\0\0\0\0\0\0\
    \x34\0\x20\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\x80\x04\x08\0\x80\x04\x08\x60\0\0\0\x60\0\0\0\x05\0\0\0\0\x10\0\0\
    \xb8\x01\0\0\0\xbb\x2a\0\0\0\xcd\x80";

pub(crate) const ROWS: &[Scenario] = &[
    Scenario {
        name: "go-static",
        needs: &["go"],
        files: GO,
        env: &[
            ("GOCACHE", "{shared}/go-build"),
            ("GOPATH", "{shared}/go"),
            ("CGO_ENABLED", "0"),
            ("GOPROXY", "off"),
        ],
        prepare: &[&["go", "build", "-o", "hello", "."]],
        command: &["./hello", "file"],
        results: &["file"],
        ..ROW
    },
    Scenario {
        name: "musl-static",
        needs: &["musl-gcc"],
        files: MUSL,
        prepare: &[&["musl-gcc", "-static", "-O1", "-o", "threads", "threads.c"]],
        command: &["./threads"],
        ..ROW
    },
    Scenario {
        name: "glibc-static",
        needs: &["gcc"],
        files: MUSL,
        prepare: &[&["gcc", "-static", "-pthread", "-O1", "-o", "threads", "threads.c"]],
        command: &["./threads"],
        ..ROW
    },
    Scenario {
        name: "musl-static-no-secret",
        needs: &["musl-gcc"],
        files: STEAL,
        prepare: &[&["musl-gcc", "-static", "-o", "cat", "cat.c"]],
        command: &["./cat", "{secret}"],
        check: Check::NoSecret,
        ..ROW
    },
    Scenario {
        name: "elf32-refused",
        files: &[("old", ELF32)],
        prepare: &[&["chmod", "+x", "old"]],
        command: &["./old"],
        check: Check::Own(says_32_bit),
        ..ROW
    },
];

/// Exit code 126 and the words "32-bit", whatever the host's kernel would do with the file.
fn says_32_bit(rig: &Rig<'_>) -> Result<()> {
    let inside = rig.boxed(&rig.row.plain(rig)).run()?;
    ensure!(inside.code == 126, "must be 126: {}", inside.text());
    ensure!(String::from_utf8_lossy(&inside.stderr).contains("32-bit"), "must say 32-bit: {}", inside.text());
    Ok(())
}
