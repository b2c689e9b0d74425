//! What an executable needs to start: read by the `object` library, which is made for hostile files, and never much of one.

mod pieces;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use object::elf::{DT_NEEDED, DT_RPATH, DT_RUNPATH, FileHeader64, PT_INTERP};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::{Endianness, ReadRef, StringTable};
use rustix::fs::{Mode, OFlags};

use pieces::Pieces;

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

/// Longest first line of a script, as the kernel reads it and longer.
const MAX_LINE: u64 = 4096;
/// Libraries that one program may need.
const MAX_FILES: usize = 512;
/// Folders that a program may name for looking for them.
const MAX_FOLDERS: usize = 64;

/// Whether a file is a 32-bit ELF program. A file that cannot be read is not.
pub(crate) fn is_32_bit(path: &Path) -> bool {
    let mut head = [0_u8; 5];
    let read = open_now(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && head == *b"\x7fELF\x01"
}

/// What the kernel would start first for this file; none when it names nothing.
pub(crate) fn interpreter(path: &Path) -> Option<PathBuf> {
    let file = open(path).ok()?;
    match first_line(&file).ok()? {
        Some(line) => script_interpreter(&line),
        None => elf_interpreter(&Pieces::of(file)),
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
    let file = open(path)?;
    if let Some(line) = first_line(&file)? {
        return Ok(script_interpreter(&line).into_iter().collect());
    }
    elf_needs(path, &Pieces::of(file))
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a readable ELF file"))
}

fn of_system(path: &Path) -> bool {
    fs::canonicalize(path).is_ok_and(|real| SYSTEM.iter().any(|system| real.starts_with(system)))
}

/// Opens for reading without waiting for a writer, which a FIFO would.
pub(crate) fn open_now(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

/// Devices and pipes would not end, or not begin.
fn open(path: &Path) -> io::Result<File> {
    let file = open_now(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "not a plain file")),
    }
}

/// The rest of the first line of a script; none for anything else.
fn first_line(file: &File) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    file.take(MAX_LINE).read_to_end(&mut line)?;
    Ok(line.strip_prefix(b"#!").map(<[u8]>::to_vec))
}

fn elf_interpreter(data: &Pieces) -> Option<PathBuf> {
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

fn elf_needs(path: &Path, data: &Pieces) -> Option<Vec<PathBuf>> {
    let header = FileHeader64::<Endianness>::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let mut needed: Vec<PathBuf> = elf_interpreter(data).into_iter().collect();
    let sections = header.sections(endian, data).ok()?;
    if let Some((entries, link)) = sections.dynamic(endian, data).ok()? {
        let strings = sections.strings(endian, data, link).ok()?;
        let names = |tag| dynamic_strings(entries, endian, strings, tag);
        let lists = names(DT_RUNPATH).chain(names(DT_RPATH));
        let mut folders: Vec<PathBuf> =
            lists.flat_map(|list| search_folders(path, list)).take(MAX_FOLDERS).collect();
        folders.extend(LIBRARY_FOLDERS.iter().map(PathBuf::from));
        needed.extend(names(DT_NEEDED).take(MAX_FILES).filter_map(|name| library(name, &folders)));
    }
    Some(needed)
}

fn dynamic_strings<'a, R: ReadRef<'a> + 'a>(
    entries: &'a [object::elf::Dyn64<Endianness>],
    endian: Endianness,
    strings: StringTable<'a, R>,
    tag: object::elf::DynamicTag,
) -> impl Iterator<Item = &'a str> {
    let tagged = entries.iter().filter(move |entry| entry.tag(endian) == tag);
    tagged.filter_map(move |entry| std::str::from_utf8(entry.string(endian, strings).ok()?).ok())
}

fn search_folders(file: &Path, list: &'_ str) -> impl Iterator<Item = PathBuf> {
    let origin = file.parent().unwrap_or(Path::new("/")).to_string_lossy().into_owned();
    list.split(':').map(move |dir| PathBuf::from(dir.replace("$ORIGIN", &origin)))
}

fn library(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name));
    }
    folders.iter().map(|dir| dir.join(name)).find(|path| fs::metadata(path).is_ok_and(|meta| meta.is_file()))
}

/// The reader, for fuzz targets.
#[cfg(feature = "test-hooks")]
pub mod hostile {
    use std::fs::File;
    use std::path::Path;

    /// What a file says that it needs: how many files; none where it is no program.
    #[must_use]
    pub fn needs(file: File) -> Option<usize> {
        match super::first_line(&file).ok()? {
            Some(line) => Some(super::script_interpreter(&line).into_iter().count()),
            None => {
                super::elf_needs(Path::new("/program"), &super::Pieces::of(file)).map(|needs| needs.len())
            }
        }
    }
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
    fn a_huge_file_is_not_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let (script, program) = (folder.path().join("script"), folder.path().join("program"));
        fs::write(&script, "#!/bin/sh\n").unwrap();
        fs::copy("/bin/ls", &program).unwrap();
        for file in [&script, &program] {
            // More than there is memory.
            File::options().append(true).open(file).unwrap().set_len(1 << 42).unwrap();
            assert!(closure(file).unwrap().len() > 1, "{}", file.display());
            assert!(interpreter(file).is_some());
        }
    }

    /// A program with two hundred thousand lists of a thousand folders each, and as many libraries to look for in them.
    fn endless() -> Vec<u8> {
        let words = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        let text = ["\0", &"/x:".repeat(1300), "\0lib\0"].concat();
        let (runpath, needed) = (DT_RUNPATH.0.unsigned_abs(), DT_NEEDED.0.unsigned_abs());
        let lib = text.len() as u64 - 4;
        let entries = words(&[runpath, 1, needed, lib]).repeat(200_000);
        let (at, tables) = (64 + text.len(), 64 + text.len() + entries.len());
        let section = |kind: u64, offset: usize, size: usize, link: u64| {
            words(&[kind << 32, 0, 0, offset as u64, size as u64, link, 8, 0])
        };
        let mut file = words(&[0x0001_0102_464c_457f, 0, 0x0000_0001_003e_0003, 0, 0, tables as u64]);
        file.extend(words(&[0x0038_0040_0000_0000, 0x0001_0003_0040_0000]));
        file.extend([text.as_bytes(), &entries].concat());
        file.extend(section(0, 0, 0, 0));
        file.extend(section(3, 64, text.len(), 0));
        file.extend(section(6, at, entries.len(), 1));
        file
    }

    #[test]
    fn what_a_program_wishes_for_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, endless()).unwrap();
        let needed = elf_needs(&file, &Pieces::of(File::open(&file).unwrap()));
        assert_eq!(needed, Some(Vec::new()), "it is read, and nothing is there");
        fs::write(folder.path().join("lib"), "").unwrap();
        let named = endless();
        let named = named.windows(3).position(|three| three == b"/x:").unwrap();
        let mut bytes = endless();
        bytes[named..named + 8].copy_from_slice(b"$ORIGIN:");
        fs::write(&file, bytes).unwrap();
        let needed = elf_needs(&file, &Pieces::of(File::open(&file).unwrap())).unwrap();
        assert_eq!(needed.len(), MAX_FILES);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
            at in proptest::collection::vec((0usize..4096, proptest::prelude::any::<u8>()), 0..12),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("file");
            let mut program = fs::read("/bin/true").unwrap();
            let size = program.len();
            // Headers stand at both ends.
            for (place, byte) in at {
                let place = if place % 2 == 0 { place } else { size.saturating_sub(place) };
                program[place % size] = byte;
            }
            for content in [bytes.clone(), [b"#!", &bytes[..]].concat(), program] {
                fs::write(&file, content).unwrap();
                drop((closure(&file), interpreter(&file), is_32_bit(&file)));
            }
        }
    }

    #[test]
    fn cut_and_foreign_files_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"\x7fELF\x02\x01\x01").unwrap();
        assert!(closure(&file).is_err());
    }
}
