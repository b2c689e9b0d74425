//! Compilers and build tools.

use crate::scenario::{Check, File, ROW, Scenario};

const C_PROJECT: &[File] = &[
    ("Makefile", include_bytes!("../../fixtures/c/Makefile")),
    ("src/main.c", include_bytes!("../../fixtures/c/main.c")),
    ("src/words.c", include_bytes!("../../fixtures/c/words.c")),
    ("src/words.h", include_bytes!("../../fixtures/c/words.h")),
];

const CRATE: &[File] = &[
    ("Cargo.toml", b"[package]\nname = \"small\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n"),
    ("Cargo.lock", b"version = 3\n\n[[package]]\nname = \"small\"\nversion = \"0.1.0\"\n"),
    ("src/main.rs", b"fn main() {\n    println!(\"{}\", small::triple(14));\n}\n"),
    ("src/lib.rs", b"pub fn triple(x: u32) -> u32 {\n    3 * x\n}\n#[test]\nfn triples() {\n    assert_eq!(triple(2), 6);\n}\n"),
    ("build.rs", b"fn main() {\n    println!(\"cargo:rerun-if-changed=build.rs\");\n}\n"),
];

const CARGO: &str = "cargo build --offline --locked -q && cargo test --offline -q 2>&1 | grep -c '1 passed' && target/debug/small";

pub(crate) const ROWS: &[Scenario] = &[
    Scenario {
        name: "gcc-compile-and-run",
        needs: &["gcc"],
        files: C_PROJECT,
        command: &["sh", "-c", "gcc -O2 -Wall -o words src/main.c src/words.c && ./words b a c"],
        results: &["words"],
        ..ROW
    },
    Scenario {
        name: "make-project",
        needs: &["gcc", "make", "ar"],
        files: C_PROJECT,
        command: &["sh", "-c", "make -j2 --output-sync=target -s && make check && make -q && ./words z y"],
        results: &["words", "libwords.a", "src/main.o"],
        ..ROW
    },
    Scenario {
        name: "gcc-error",
        needs: &["gcc"],
        files: &[("bad.c", b"int main(void) { return nothing; }\n")],
        command: &["gcc", "-c", "bad.c"],
        check: Check::SameCode(1),
        ..ROW
    },
    Scenario {
        name: "cargo-distribution",
        needs: &["/usr/bin/cargo", "/usr/bin/rustc", "gcc"],
        files: CRATE,
        env: &[("CARGO_HOME", "{work}/.cargo-home"), ("RUSTC", "/usr/bin/rustc")],
        flags: &["-w", "{work}", "-e", "CARGO_HOME", "-e", "RUSTC"],
        command: &["sh", "-c", CARGO],
        ..ROW
    },
    Scenario {
        name: "cargo-rustup",
        needs: &["{cargo-home}/bin/cargo", "gcc"],
        files: CRATE,
        env: &[
            ("CARGO_HOME", "{cargo-home}"),
            ("RUSTUP_HOME", "{rustup-home}"),
            ("PATH", "{cargo-home}/bin:/usr/local/bin:/usr/bin:/bin"),
        ],
        flags: &[
            "-w",
            "{work}",
            "-r",
            "{cargo-home}",
            "-r",
            "{rustup-home}",
            "-e",
            "CARGO_HOME",
            "-e",
            "RUSTUP_HOME",
            "-e",
            "PATH",
        ],
        command: &["sh", "-c", CARGO],
        ..ROW
    },
    Scenario {
        name: "gcc-no-secret",
        needs: &["gcc"],
        command: &["sh", "-c", "printf '.incbin \"%s\"\\n' {secret} >spy.s && gcc -c spy.s -o spy.o"],
        check: Check::NoSecret,
        ..ROW
    },
    Scenario {
        name: "make-no-write",
        needs: &["make"],
        files: &[("Makefile", b"steal:\n\techo changed >$(VICTIM)\n")],
        command: &["make", "VICTIM={victim}"],
        check: Check::NoWrite,
        ..ROW
    },
];
