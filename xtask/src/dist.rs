//! `cargo xtask dist`: the binary to ship, `target/dist/belljar`: static, position-independent, quick to start.
//!
//! With musl's `libc.a` on the machine the binary starts in 0.1 ms, else it is linked with glibc and says so; the
//! reason stands in `dist/musl_seam.c`. Static and position-independent at once costs 0.01 ms over a fixed
//! address and gives the supervisor a random layout.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::command::{must, output, program, say};
use crate::tree;

/// The only target so far; named so that flags do not reach procedural macros.
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// The most bytes of the binary.
const SIZE: u64 = 6_000_000;
/// Where distributions put musl's static library and start files.
const MUSL: &[&str] = &["/usr/lib/x86_64-linux-musl", "/usr/lib/musl/lib", "/usr/local/musl/lib"];

/// Functions of musl in whose place the linker is told to put the seam's.
const REPLACED: &[&str] = &["pthread_getattr_np", "sigaction", "memcpy", "memmove", "memcmp", "bcmp"];

/// How the seam is compiled: its copying loops must not become calls of themselves.
const SEAM_FLAGS: &[&str] = &[
    "-std=c99",
    "-D_POSIX_C_SOURCE=200809L",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-O2",
    "-fPIE",
    "-fno-builtin",
    "-fno-tree-loop-distribute-patterns",
    "-c",
    "dist/musl_seam.c",
    "-o",
];

/// What the compiler's unwinder calls without asking for it to be linked: with glibc it always is.
const CALLED_UNASKED: &[&str] = &[
    "pthread_getspecific",
    "pthread_key_create",
    "pthread_mutex_lock",
    "pthread_mutex_unlock",
    "pthread_once",
    "pthread_setspecific",
];

/// A program that is shipped, and how it is called to show that it starts.
struct Shipped {
    package: &'static str,
    binary: &'static str,
    starts: &'static [&'static str],
    /// Its exit status then.
    status: i32,
}

const SHIPPED: &[Shipped] = &[
    Shipped { package: "belljar-cli", binary: "belljar", starts: &["--version"], status: 0 },
    // Beside the command, which carries no decoder.
    Shipped { package: "belljar-decode", binary: "belljar-decode", starts: &[], status: 125 },
];

/// Builds the binaries, checks them, and puts them in place.
pub(crate) fn run(_: &[String]) -> Result<()> {
    fs::create_dir_all(tree::root().join("target/dist"))?;
    SHIPPED.iter().try_for_each(ship)
}

fn ship(shipped: &Shipped) -> Result<()> {
    let built = build(shipped.package, shipped.binary)?;
    let place = tree::root().join("target/dist").join(shipped.binary);
    fs::copy(&built, &place).with_context(|| format!("copying {}", built.display()))?;
    fs::set_permissions(&place, fs::Permissions::from_mode(0o755))?;
    inspect(&place, shipped)
}

/// Builds one binary of a package the way the shipped one is built, and returns its path.
pub(crate) fn build(package: &str, binary: &str) -> Result<PathBuf> {
    let folder = tree::root().join("target/dist-build");
    let mut command = program("cargo", ["build", "--quiet", "--locked", "--release", "--target", TARGET]);
    command.args(["--package", package, "--bin", binary, "--target-dir"]).arg(&folder);
    command.env("CARGO_ENCODED_RUSTFLAGS", flags(&folder)?.join("\x1f"));
    command.env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
    must(&mut command)?;
    Ok(folder.join(TARGET).join("release").join(binary))
}

/// Compiler flags: static and position-independent, no path of this machine inside, musl when there is one.
fn flags(folder: &Path) -> Result<Vec<String>> {
    let mut flags = vec!["-Ctarget-feature=+crt-static".to_owned(), "-Crelocation-model=pie".to_owned()];
    flags.push(format!("--remap-path-prefix={}=.", tree::root().display()));
    match musl() {
        Ok(library) => flags.extend(musl_flags(&library, &seam(folder)?)),
        Err(reason) => say(&format!("dist: linking with glibc (starts about 0.5 ms slower): {reason:#}")),
    }
    Ok(flags)
}

/// The folder of musl's static library, when it can carry a position-independent program of the gnu target.
fn musl() -> Result<PathBuf> {
    let mut folders = MUSL.iter().map(Path::new);
    let found = folders.find(|folder| folder.join("rcrt1.o").is_file() && folder.join("libc.a").is_file());
    let folder = found.context("no libc.a and rcrt1.o of musl (Debian: musl-tools)")?;
    let names = output(program("nm", ["--quiet", "--defined-only"]).arg(folder.join("libc.a")))?;
    if !names.lines().any(|line| line.ends_with(" open64")) {
        bail!("this musl lacks the names with 64 that the standard library of {TARGET} uses");
    }
    Ok(folder.to_path_buf())
}

/// musl's start file in place of the compiler's, and its folder searched before glibc's.
fn musl_flags(library: &Path, seam: &Path) -> Vec<String> {
    let mut arguments = vec![
        "-nostartfiles".to_owned(),
        format!("-L{}", library.display()),
        library.join("rcrt1.o").display().to_string(),
        seam.display().to_string(),
        "-Wl,--entry=belljar_start".to_owned(),
        // The seam puts these right. A linker that cannot pack them leaves them to musl.
        "-Wl,-z,pack-relative-relocs".to_owned(),
    ];
    arguments.extend(REPLACED.iter().map(|name| format!("-Wl,--wrap={name}")));
    arguments.extend(CALLED_UNASKED.iter().map(|name| format!("-Wl,--undefined={name}")));
    arguments.iter().map(|argument| format!("-Clink-arg={argument}")).collect()
}

/// Compiles the seam. Its text is part of the object's name, because cargo links anew only when a flag changes.
fn seam(folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let mut hasher = DefaultHasher::new();
    tree::read("dist/musl_seam.c")?.hash(&mut hasher);
    let object = folder.join(format!("musl_seam-{:016x}.o", hasher.finish()));
    must(program("cc", SEAM_FLAGS).arg(&object))?;
    Ok(object)
}

/// What every name of a variable for tests begins with; a build with test hooks holds two of them.
const HOOK: &[u8] = b"BELLJAR_TEST_";

/// What glibc says in every program that holds it; musl has no such words.
const GLIBC: &[u8] = b"GNU C Library";

/// The C library in a static program, read from the program itself: how it was meant to be linked does not count.
pub(crate) fn libc(program: &[u8]) -> &'static str {
    if holds(program, GLIBC) { "glibc" } else { "musl" }
}

fn holds(program: &[u8], words: &[u8]) -> bool {
    program.windows(words.len()).any(|window| window == words)
}

/// Fails unless the binary is static, position-independent, small, without set-id bits, and starts.
fn inspect(binary: &Path, shipped: &Shipped) -> Result<()> {
    let elf = output(program("readelf", ["--wide", "--file-header", "--segments", "--dynamic"]).arg(binary))?;
    let facts = fs::metadata(binary)?;
    must_be_shippable(&elf, facts.len(), facts.permissions().mode())?;
    must_have_no_hooks(&fs::read(binary)?)?;
    let status = program(binary, shipped.starts).env_clear().stderr(Stdio::null()).status()?;
    if status.code() != Some(shipped.status) {
        bail!("{} ended with {status}", shipped.binary);
    }
    let Shipped { binary, .. } = shipped;
    say(&format!("target/dist/{binary}: static, position-independent, {} bytes", facts.len()));
    Ok(())
}

fn must_be_shippable(elf: &str, size: u64, mode: u32) -> Result<()> {
    let flaws = [
        (elf.contains("INTERP") || elf.contains("(NEEDED)"), "it is not static"),
        (!elf.contains("DYN (Position-Independent"), "it is not position-independent"),
        (size > SIZE, "it is over 6 MB"),
        (mode & 0o6000 != 0, "it has a set-id bit"),
    ];
    let found: Vec<&str> = flaws.iter().filter(|(present, _)| *present).map(|(_, flaw)| *flaw).collect();
    if !found.is_empty() {
        bail!("the binary cannot be shipped: {}", found.join(", "));
    }
    Ok(())
}

/// A build that listens to tests could be told to mask a layer, or to break the broker.
pub(crate) fn must_have_no_hooks(program: &[u8]) -> Result<()> {
    if holds(program, HOOK) {
        bail!("the binary cannot be shipped: it has test hooks");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{libc, must_be_shippable, must_have_no_hooks};

    #[test]
    fn a_program_with_glibc_is_told_from_one_with_musl() {
        assert_eq!(libc(b"\0GNU C Library (Debian GLIBC 2.36) stable\0"), "glibc");
        assert_eq!(libc(b"\0Invalid argument\0"), "musl");
    }

    #[test]
    fn a_build_with_test_hooks_is_not_shipped() {
        assert!(must_have_no_hooks(b"\0BELLJAR_TEST_MASK\0").is_err());
        assert!(must_have_no_hooks(b"\0BELLJAR_LOG\0").is_ok());
    }

    #[test]
    fn each_flaw_stops_the_shipping() {
        let good = "Type: DYN (Position-Independent Executable file)";
        assert!(must_be_shippable(good, 6_000_000, 0o755).is_ok());
        assert!(must_be_shippable("EXEC (Executable file)", 1, 0o755).is_err());
        assert!(must_be_shippable(&format!("{good}\n INTERP"), 1, 0o755).is_err());
        assert!(must_be_shippable(&format!("{good}\n 0x1 (NEEDED) libc"), 1, 0o755).is_err());
        assert!(must_be_shippable(good, 6_000_001, 0o755).is_err());
        assert!(must_be_shippable(good, 1, 0o4755).is_err());
    }
}
