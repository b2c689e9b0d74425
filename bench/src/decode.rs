//! `belljar decode` without its workers: the same pictures, decoded by the program itself. Only a measure.
#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use belljar::heap::Arena;
use belljar_decode::{HEAP, Limits, decode, encode};
use image::{DynamicImage, ImageFormat, RgbImage};

/// That of the workers. It is the C library's until it is opened.
#[global_allocator]
static ALLOCATOR: &Arena = &HEAP;

/// How many pictures there are, and of what size: what cameras and phones send along as previews.
const COUNT: u32 = 100;
const WIDTH: u32 = 800;
const HEIGHT: u32 = 600;
/// Longest side of a result.
const SIDE: u32 = 256;

const FORMATS: &[(&str, ImageFormat)] = &[
    ("jpg", ImageFormat::Jpeg),
    ("jpg", ImageFormat::Jpeg),
    ("png", ImageFormat::Png),
    ("webp", ImageFormat::WebP),
];

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", folder] => make(Path::new(folder)),
        ["run", from, to] => run(Path::new(from), Path::new(to)),
        ["run-in-arena", from, to] => {
            HEAP.open();
            run(Path::new(from), Path::new(to))
        }
        _ => bail!("bench-decode make FOLDER | run FOLDER FOLDER | run-in-arena FOLDER FOLDER"),
    }
}

fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    for (number, (name, format)) in (0..COUNT).zip(FORMATS.iter().cycle()) {
        let pixel = |x: u32, y: u32| {
            let wave = (x / 3).wrapping_mul(y / 5).wrapping_add(number * 7);
            image::Rgb([x / 4, y / 3, wave % 251].map(|part| u8::try_from(part % 256).unwrap_or(0)))
        };
        let picture = DynamicImage::ImageRgb8(RgbImage::from_fn(WIDTH, HEIGHT, pixel));
        picture.save_with_format(folder.join(format!("{number:03}.{name}")), *format)?;
    }
    Ok(())
}

fn run(from: &Path, to: &Path) -> Result<()> {
    let limits = Limits { side: Some(SIDE), ..Limits::default() };
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let pixels = decode(&fs::read(&path)?, limits)?;
        let png = encode(pixels.width, pixels.height, &pixels.rgba, limits)?;
        let name = path.file_name().context("a picture has a name")?;
        fs::write(to.join(name).with_extension("png"), png)?;
    }
    Ok(())
}
