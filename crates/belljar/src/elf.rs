//! What an executable needs to start: read by the `object` library, which is made for hostile files.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use object::elf::{DT_NEEDED, DT_RPATH, DT_RUNPATH, FileHeader64, PT_INTERP};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::{Endianness, StringTable};

/// Where the loader looks besides what the file says.
const LIBRARY_FOLDERS: &[&str] = &[
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib",
];

/// Where files of the system lie, symlinks resolved. What a program asks for elsewhere it does not get: the program is the
/// one who is not trusted, and its wish must not grant anything of the caller's own.
const SYSTEM: &[&str] =
    &["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store"];

/// Largest executable that is read.
const MAX_SIZE: u64 = 1 << 30;
/// Libraries that one program may need.
const MAX_FILES: usize = 512;

/// Whether a file is a 32-bit ELF program. A file that cannot be read is not.
pub(crate) fn is_32_bit(path: &Path) -> bool {
    let mut head = [0_u8; 5];
    let read = crate::prepare::head(path, &mut head);
    read.is_ok() && head == *b"\x7fELF\x01"
}

/// What the kernel would start first for this file; none when it names nothing.
pub(crate) fn interpreter(path: &Path) -> Option<PathBuf> {
    let data = read(path).ok()?;
    match data.strip_prefix(b"#!") {
        Some(line) => script_interpreter(line),
        None => elf_interpreter(&data),
    }
}

/// The program, and its interpreter (of an ELF file or of a script) and libraries as far as they are the system's.
pub(crate) fn closure(program: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = vec![program.to_path_buf()];
    let mut left = VecDeque::from([program.to_path_buf()]);
    while let Some(path) = left.pop_front() {
        for needed in needs(&path)? {
            if found.len() < MAX_FILES && !found.contains(&needed) && of_system(&needed) {
                found.push(needed.clone());
                left.push_back(needed);
            }
        }
    }
    Ok(found)
}

fn needs(path: &Path) -> io::Result<Vec<PathBuf>> {
    let data = read(path)?;
    if let Some(line) = data.strip_prefix(b"#!") {
        return Ok(script_interpreter(line).into_iter().collect());
    }
    elf_needs(path, &data)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a readable ELF file"))
}

fn of_system(path: &Path) -> bool {
    fs::canonicalize(path).is_ok_and(|real| SYSTEM.iter().any(|system| real.starts_with(system)))
}

/// Devices and pipes would not end, or not begin.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let wrong = |what| io::Error::new(io::ErrorKind::InvalidData, what);
    let file = crate::prepare::open_now(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(wrong("not a plain file"));
    }
    if meta.len() > MAX_SIZE {
        return Err(wrong("the file is too large"));
    }
    let mut data = Vec::new();
    file.take(MAX_SIZE).read_to_end(&mut data)?;
    Ok(data)
}

fn elf_interpreter(data: &[u8]) -> Option<PathBuf> {
    let header = FileHeader64::<Endianness>::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, data).ok()?;
    let segment = segments.iter().find(|segment| segment.p_type(endian) == PT_INTERP)?;
    let name = segment.data(endian, data).ok()?;
    Some(PathBuf::from(std::str::from_utf8(name.strip_suffix(b"\0").unwrap_or(name)).ok()?))
}

fn script_interpreter(line: &[u8]) -> Option<PathBuf> {
    let line = line.split(|byte| *byte == b'\n').next()?;
    let text = std::str::from_utf8(line).ok()?;
    text.split_whitespace().next().map(PathBuf::from)
}

fn elf_needs(path: &Path, data: &[u8]) -> Option<Vec<PathBuf>> {
    let header = FileHeader64::<Endianness>::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let mut needed: Vec<PathBuf> = elf_interpreter(data).into_iter().collect();
    let sections = header.sections(endian, data).ok()?;
    if let Some((entries, link)) = sections.dynamic(endian, data).ok()? {
        let strings = sections.strings(endian, data, link).ok()?;
        let names = |tag| dynamic_strings(entries, endian, strings, tag);
        let mut folders: Vec<PathBuf> =
            names(DT_RUNPATH).chain(names(DT_RPATH)).flat_map(|list| search_folders(path, list)).collect();
        folders.extend(LIBRARY_FOLDERS.iter().map(PathBuf::from));
        needed.extend(names(DT_NEEDED).filter_map(|name| library(name, &folders)));
    }
    Some(needed)
}

fn dynamic_strings<'a>(
    entries: &'a [object::elf::Dyn64<Endianness>],
    endian: Endianness,
    strings: StringTable<'a>,
    tag: object::elf::DynamicTag,
) -> impl Iterator<Item = &'a str> {
    let tagged = entries.iter().filter(move |entry| entry.tag(endian) == tag);
    tagged.filter_map(move |entry| std::str::from_utf8(entry.string(endian, strings).ok()?).ok())
}

fn search_folders(file: &Path, list: &str) -> Vec<PathBuf> {
    let origin = file.parent().unwrap_or(Path::new("/")).display().to_string();
    list.split(':').map(|dir| PathBuf::from(dir.replace("$ORIGIN", &origin))).collect()
}

fn library(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name));
    }
    folders.iter().map(|dir| dir.join(name)).find(|path| fs::metadata(path).is_ok_and(|meta| meta.is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dynamic_program_needs_its_loader_and_libc() {
        let files = closure(Path::new("/bin/ls")).unwrap();
        let names: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
        assert!(names.iter().any(|name| name.contains("ld-linux")), "{names:?}");
        assert!(names.iter().any(|name| name.contains("libc.so")), "{names:?}");
    }

    #[test]
    fn a_script_needs_its_interpreter_and_what_that_needs() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script");
        fs::write(&script, "#! /bin/sh -e\necho\n").unwrap();
        let files = closure(&script).unwrap();
        assert!(files.contains(&PathBuf::from("/bin/sh")));
    }

    #[test]
    fn a_programs_wish_grants_nothing_of_the_callers_own() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("deploy.sh");
        fs::write(&secret, "#!/bin/sh\nTOKEN=1\n").unwrap();
        let script = folder.path().join("script");
        for wish in [secret.display().to_string(), format!("/usr/../{}", secret.display())] {
            fs::write(&script, format!("#!{wish}\n")).unwrap();
            assert_eq!(closure(&script).unwrap(), std::slice::from_ref(&script), "{wish}");
        }
    }

    #[test]
    fn what_has_no_end_is_not_read() {
        assert!(closure(Path::new("/dev/zero")).is_err());
    }

    #[test]
    fn cut_and_foreign_files_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"\x7fELF\x02\x01\x01").unwrap();
        assert!(closure(&file).is_err());
    }
}
