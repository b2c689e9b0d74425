//! `belljar-decode`: pictures of every format, hostile ones, and what of them comes near anybody else.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod corpus;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use belljar_decode::{Answer, Limits, decode, encode};
use proptest::prelude::*;

/// A folder with pictures, and a place for results.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::Builder::new().prefix("decode").tempdir_in("/var/tmp").unwrap())
    }

    fn out(&self) -> PathBuf {
        self.0.path().join("out")
    }

    fn put(&self, name: impl AsRef<Path>, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn run<S: AsRef<OsStr>>(&self, options: &[&str], files: &[S]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_belljar-decode"));
        command.arg("--image").arg("--out").arg(self.out()).args(options).arg("--").args(files);
        command.output().unwrap()
    }

    /// Size of the result of a file.
    fn result(&self, name: &str) -> Option<(u32, u32)> {
        let png = fs::read(self.out().join(format!("{name}.png"))).ok()?;
        let pixels = decode(&png, Limits::default()).unwrap();
        Some((pixels.width, pixels.height))
    }
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_format_becomes_a_thumbnail() {
    let desk = Desk::new();
    let pictures = corpus::pictures(640, 320);
    let files: Vec<PathBuf> = pictures.iter().map(|(name, bytes)| desk.put(name, bytes)).collect();
    let made = desk.run(&["--thumbnail", "64"], &files);
    assert!(made.status.success(), "{made:?}");
    assert!(told(&made).starts_with("5 of 5 pictures in "), "{made:?}");
    for (name, _) in &pictures {
        assert_eq!(desk.result(name), Some((64, 32)), "{name}");
    }
    let again = desk.run(&[], &files);
    assert_eq!(again.status.code(), Some(1), "nothing is overwritten: {again:?}");
    assert!(
        told(&again).contains("a.png: a.png.png is there already; --overwrite replaces it\n"),
        "{again:?}"
    );
    let whole = desk.run(&["--overwrite", "--quiet"], &files);
    assert_eq!((whole.status.code(), told(&whole).as_str()), (Some(0), ""));
    assert_eq!(desk.result("a.png"), Some((640, 320)));
}

#[test]
fn pixels_are_those_of_the_picture() {
    let png = corpus::picture("a.png", 8, 4);
    let pixels = decode(&png, Limits::default()).unwrap();
    assert_eq!(pixels.rgba, corpus::pixels(8, 4));
    let small = Limits { side: Some(4), ..Limits::default() };
    let again = decode(&encode(8, 4, &pixels.rgba, Limits::default()).unwrap(), small).unwrap();
    assert_eq!((again.width, again.height), (4, 2));
}

#[test]
fn hostile_pictures_end_their_workers_at_most() {
    let desk = Desk::new();
    let (mut files, mut good) = (Vec::new(), Vec::new());
    for (at, (name, bytes)) in corpus::hostile().into_iter().enumerate() {
        files.push(desk.put(format!("hostile-{at}-{name}"), &bytes));
        // Between them pictures that must come out whole.
        if at % 10 == 0 {
            good.push(format!("good-{at}.png"));
            files.push(desk.put(format!("good-{at}.png"), &corpus::picture("a.png", 64, 64)));
        }
    }
    assert!(files.len() > 150, "{}", files.len());
    let made = desk.run(&["--thumbnail", "32", "--jobs", "2"], &files);
    assert_eq!(made.status.code(), Some(1), "the parent goes on: {made:?}");
    for name in &good {
        assert_eq!(desk.result(name), Some((32, 32)), "{name}");
    }
    let results = fs::read_dir(desk.out()).unwrap().map(|entry| entry.unwrap());
    let mut whole = 0;
    for entry in results {
        let pixels = decode(&fs::read(entry.path()).unwrap(), Limits::default()).unwrap();
        assert!(pixels.width <= 32 && pixels.height <= 32, "{:?}", entry.path());
        whole += 1;
    }
    let lines = told(&made);
    let reasons = lines.lines().filter(|line| line.starts_with("belljar: "));
    // These have a result as well.
    let failed = reasons.filter(|line| !line.contains("ends before the picture does")).count();
    assert_eq!(whole + failed, files.len(), "each one is a result or a reason: {}", told(&made));
}

#[test]
fn a_cut_jpeg_is_made_and_told() {
    let desk = Desk::new();
    let bytes = corpus::picture("a.jpg", 64, 64);
    let files = [desk.put("whole.jpg", &bytes), desk.put("cut.jpg", &bytes[..bytes.len() - 40])];
    let made = desk.run(&["--thumbnail", "32"], &files);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let lines = told(&made);
    assert!(lines.contains("cut.jpg: its file ends before the picture does"), "{lines}");
    assert!(lines.contains("2 of 2 pictures in ") && lines.ends_with(" s, 1 not whole\n"), "{lines}");
    assert_eq!((desk.result("whole.jpg"), desk.result("cut.jpg")), (Some((32, 32)), Some((32, 32))));
    let quiet = desk.run(&["--overwrite", "--quiet"], &files);
    assert_eq!(told(&quiet).lines().count(), 1, "{quiet:?}");
}

#[test]
fn bombs_are_refused_by_what_they_say_of_themselves_and_held_where_they_lie() {
    let desk = Desk::new();
    let files: Vec<PathBuf> = corpus::bombs().iter().map(|(name, bytes)| desk.put(name, bytes)).collect();
    let made = desk.run(&["--thumbnail", "32"], &files);
    assert_eq!(made.status.code(), Some(1), "{made:?}");
    let lines = told(&made);
    assert!(lines.contains("wide.png: larger than the limits"), "{lines}");
    assert_eq!(lines.lines().filter(|line| line.starts_with("belljar: ")).count(), files.len(), "{lines}");
}

#[test]
fn only_plain_files_are_opened_and_every_name_is_escaped() {
    let desk = Desk::new();
    let pipe = desk.0.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let text = desk.put("a\u{1b}[2Jb.png", b"no picture");
    let files = [desk.0.path().to_path_buf(), pipe, "/dev/zero".into(), desk.0.path().join("absent"), text];
    let made = desk.run(&[], &files);
    assert_eq!(made.status.code(), Some(1), "{made:?}");
    let lines = told(&made);
    assert_eq!(lines.matches("not a plain file").count(), 3, "{lines}");
    assert!(lines.contains("a\\x1b[2Jb.png: not a PNG") && !lines.contains('\u{1b}'), "{lines}");
    assert_eq!(fs::read_dir(desk.out()).unwrap().count(), 0);
}

#[test]
fn nothing_is_tried_with_a_mistake_or_without_a_place() {
    let desk = Desk::new();
    let nowhere = Command::new(env!("CARGO_BIN_EXE_belljar-decode"))
        .args(["--image", "--out", "/proc/nowhere", "x.png"])
        .output()
        .unwrap();
    assert_eq!(nowhere.status.code(), Some(125), "{nowhere:?}");
    let file = desk.put("out", b"a file");
    let taken = desk.run(&[], &[&file]);
    assert_eq!(taken.status.code(), Some(125), "{taken:?}");
    assert!(told(&taken).ends_with("hint: it is a file; give --out a folder\n"), "{taken:?}");
    let mistake = desk.run(&["--thumbnail", "0"], &["x.png"]);
    assert_eq!(mistake.status.code(), Some(125), "{mistake:?}");
    assert!(told(&mistake).contains("hint: belljar decode --image"), "{mistake:?}");
}

#[test]
fn no_result_replaces_that_of_an_earlier_file_of_the_same_run() {
    let desk = Desk::new();
    fs::create_dir(desk.0.path().join("b")).unwrap();
    let files = [("a.png", 8), ("b/a.png", 12)]
        .map(|(name, side)| desk.put(name, &corpus::picture("a.png", side, side)));
    for options in [&["--jobs", "2"][..], &["--overwrite"]] {
        let made = desk.run(options, &files);
        assert_eq!(made.status.code(), Some(1), "{made:?}");
        assert!(told(&made).contains("b/a.png: its result would replace that of "), "{made:?}");
        assert_eq!(desk.result("a.png"), Some((8, 8)), "the first one's");
    }
}

proptest! {
    /// A worker that was taken over answers what it likes.
    #[test]
    fn no_answer_makes_the_parent_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(Answer::Picture { width, height, pixels, .. }) = belljar::worker::wire::decode::<Answer>(&bytes, Vec::new()) {
            prop_assert!(encode(width, height, &pixels, Limits::default()).is_err(), "pixels without memory");
        }
    }

    #[test]
    fn a_size_is_believed_only_with_its_bytes(
        width in prop_oneof![0_u32..12, any::<u32>()],
        height in prop_oneof![0_u32..12, any::<u32>()],
        len in prop_oneof![(0_usize..144).prop_map(|pixels| pixels * 4), 0_usize..4096],
    ) {
        let fits = u128::from(width) * u128::from(height) * 4 == u128::try_from(len).unwrap() && len > 0;
        prop_assert_eq!(encode(width, height, &vec![9; len], Limits::default()).is_ok(), fits);
    }
}

#[test]
fn the_example_decodes_with_a_pool_in_a_few_lines() {
    let desk = Desk::new();
    let files = [desk.put("a.webp", &corpus::picture("a.webp", 300, 200)), desk.put("b.png", b"no picture")];
    let own = std::env::current_exe().unwrap();
    let example = own.parent().and_then(Path::parent).unwrap().join("examples/decoder");
    assert!(
        fs::metadata(&example).is_ok(),
        "build it first: cargo build -p belljar-decode --example decoder"
    );
    let shown = Command::new(example).args(&files).output().unwrap();
    let lines = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.status.success() && lines.contains("a.webp: 128x85, "), "{shown:?}");
    assert!(lines.contains("b.png: not a PNG"), "{lines}");
}
