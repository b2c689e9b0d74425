//! `cargo xtask capi`: the libraries for C in `target/dist/capi`: header, static and shared library, pkg-config file.
//!
//! The workspace is built static (`crt-static`), where cargo makes no shared libraries. So this build has a target folder and flags
//! of its own. A panic must unwind to the boundary, where it becomes an error: the host program is not ours to end.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::{must, output, program, say};
use crate::{header, tree};

const TARGET: &str = "x86_64-unknown-linux-gnu";
/// What changes when programs must be built anew; `libbelljar.so.ABI` is what they name.
const ABI: u32 = 0;

/// Builds the libraries into `target/dist/capi`, for a later `--prefix` (`/usr/local`).
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let prefix = match arguments {
        [] => "/usr/local",
        [flag, prefix] if flag == "--prefix" => prefix,
        _ => bail!("usage: cargo xtask capi [--prefix FOLDER]"),
    };
    let place = build(prefix)?;
    say(&format!("{}: copy include and lib to {prefix}", place.display()));
    Ok(())
}

/// The same; returns the folder that holds `include` and `lib`.
pub(crate) fn build(prefix: &str) -> Result<PathBuf> {
    let built = libraries()?;
    let place = tree::root().join("target/dist/capi");
    if place.is_dir() {
        fs::remove_dir_all(&place)?;
    }
    let (include, lib) = (place.join("include"), place.join("lib"));
    fs::create_dir_all(lib.join("pkgconfig"))?;
    fs::create_dir_all(&include)?;
    copy(&tree::root().join(header::PLACE).join("belljar.h"), &include.join("belljar.h"))?;
    copy(&built.join("libbelljar_capi.a"), &lib.join("libbelljar.a"))?;
    let (version, soname) = (version()?, soname());
    let shared = format!("libbelljar.so.{version}");
    copy(&built.join("libbelljar_capi.so"), &lib.join(&shared))?;
    symlink(&shared, lib.join(&soname))?;
    symlink(&soname, lib.join("libbelljar.so"))?;
    fs::write(lib.join("pkgconfig/belljar.pc"), package(prefix, &version, &system_libraries()?))?;
    inspect(&lib.join(shared))?;
    Ok(place)
}

fn soname() -> String {
    format!("libbelljar.so.{ABI}")
}

/// Builds both; returns the folder that they are in.
fn libraries() -> Result<PathBuf> {
    let folder = tree::root().join("target/capi-build");
    let mut command = program("cargo", ["rustc", "--quiet", "--locked", "--release", "--target", TARGET]);
    command.args(["--package", "belljar-capi", "--lib", "--crate-type", "staticlib,cdylib", "--target-dir"]);
    command.arg(&folder).args(["--", &format!("-Clink-arg=-Wl,-soname,{}", soname())]);
    let paths = format!("--remap-path-prefix={}=.", tree::root().display());
    command.env("CARGO_ENCODED_RUSTFLAGS", ["-Ctarget-feature=-crt-static", &paths].join("\x1f"));
    command.env("CARGO_PROFILE_RELEASE_PANIC", "unwind").env("CARGO_PROFILE_RELEASE_STRIP", "debuginfo");
    // A library is loaded once and stays: what counts for the command's start does not here, and builds take half as long.
    command.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    must(&mut command)?;
    Ok(folder.join(TARGET).join("release"))
}

fn version() -> Result<String> {
    let metadata = tree::metadata(false)?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let own = packages.iter().find(|package| package["name"] == "belljar-capi");
    let version = own.and_then(|package| package["version"].as_str());
    Ok(version.context("belljar-capi has a version")?.to_owned())
}

/// What a program that links the static library needs of the system, as the compiler tells when it makes one of nothing. It puts
/// its output in place by renaming, so that must be a file of our own: root would replace a device by it.
fn system_libraries() -> Result<String> {
    let folder = tree::root().join("target/capi-build");
    let source = folder.join("none.rs");
    fs::create_dir_all(&folder)?;
    fs::write(&source, "")?;
    let mut command =
        program("rustc", ["--target", TARGET, "--crate-type", "staticlib", "--crate-name", "none"]);
    command.args(["--print", "native-static-libs", "-Ctarget-feature=-crt-static", "-o"]);
    let printed = command.arg(folder.join("libnone.a")).arg(&source).output()?;
    let text = String::from_utf8_lossy(&printed.stderr).into_owned();
    let found = text.lines().find_map(|line| line.split_once("native-static-libs: "));
    let (_, libraries) = found.with_context(|| format!("rustc names no libraries: {text}"))?;
    // The compiler brings the unwinder that fits, the shared or the static one.
    Ok(libraries.split_whitespace().filter(|word| *word != "-lgcc_s").collect::<Vec<_>>().join(" "))
}

fn package(prefix: &str, version: &str, libraries: &str) -> String {
    format!(
        "prefix={prefix}\nlibdir=${{prefix}}/lib\nincludedir=${{prefix}}/include\n\nName: belljar\n\
         Description: runs code you do not trust with practically no privileges\nVersion: {version}\n\
         Libs: -L${{libdir}} -lbelljar\nLibs.private: {libraries}\nCflags: -I${{includedir}}\n"
    )
}

/// Fails unless the shared library gives away the functions of the header and nothing else.
fn inspect(shared: &Path) -> Result<()> {
    let listed = output(program("nm", ["--dynamic", "--defined-only", "--format=posix"]).arg(shared))?;
    let given: Vec<&str> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
    let header = tree::read(Path::new(header::PLACE).join("belljar.h"))?;
    let strange: Vec<&&str> = given.iter().filter(|name| !header.contains(&format!("{name}("))).collect();
    if given.is_empty() || !strange.is_empty() {
        bail!("{} gives away {strange:?}", shared.display());
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map(drop).with_context(|| format!("copying {}", from.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileTypeExt;

    #[test]
    fn asking_the_compiler_leaves_devices_alone() {
        let probe = crate::tree::root().join("target/capi-probe");
        if std::fs::write(&probe, "").is_err() {
            eprintln!("SKIP: needs a tree of one's own");
            return;
        }
        std::fs::remove_file(probe).unwrap();
        assert!(super::system_libraries().unwrap().contains("-lc"));
        assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }

    #[test]
    fn the_package_names_what_a_static_program_needs() {
        let text = super::package("/opt/belljar", "1.2.3", "-lc -lm");
        for line in
            ["prefix=/opt/belljar", "Version: 1.2.3", "Libs.private: -lc -lm", "Libs: -L${libdir} -lbelljar"]
        {
            assert!(text.lines().any(|own| own == line), "{text}");
        }
    }
}
