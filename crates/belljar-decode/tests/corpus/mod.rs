//! Pictures made for the tests: whole ones, broken ones, bombs.
#![allow(dead_code, reason = "each test file uses a part")]

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbaImage};

const FORMATS: &[(&str, ImageFormat)] = &[
    ("a.png", ImageFormat::Png),
    ("a.jpg", ImageFormat::Jpeg),
    ("a.webp", ImageFormat::WebP),
    ("a.gif", ImageFormat::Gif),
    ("a.tif", ImageFormat::Tiff),
];

/// Opaque, and no two rows alike.
pub(crate) fn pixels(width: u32, height: u32) -> Vec<u8> {
    let pixel = |x: u32, y: u32| [x, y * 3, (x ^ y) * 7, 255].map(|part| u8::try_from(part % 256).unwrap());
    (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect()
}

/// A picture in the format of its name.
pub(crate) fn picture(name: &str, width: u32, height: u32) -> Vec<u8> {
    let (_, format) = FORMATS.iter().find(|(known, _)| *known == name).unwrap();
    let plain = DynamicImage::ImageRgba8(RgbaImage::from_raw(width, height, pixels(width, height)).unwrap());
    let plain = if *format == ImageFormat::Jpeg { DynamicImage::ImageRgb8(plain.into_rgb8()) } else { plain };
    let mut bytes = Cursor::new(Vec::new());
    plain.write_to(&mut bytes, *format).unwrap();
    bytes.into_inner()
}

/// One of each format.
pub(crate) fn pictures(width: u32, height: u32) -> Vec<(&'static str, Vec<u8>)> {
    FORMATS.iter().map(|(name, _)| (*name, picture(name, width, height))).collect()
}

/// A JPEG that says how its camera was held: 1 = upright, up to 8.
pub(crate) fn held(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    // A TIFF header, one entry (orientation, one short number), and no further list.
    let mut about = b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    about.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let length = u16::try_from(about.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE1], &length, &about, &jpeg[2..]].concat()
}

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(most).unwrap()).unwrap()
    }
}

/// Cut off, with bits turned, with another format's start, and noise.
pub(crate) fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let mut numbers = Numbers(0x2545_F491_4F6C_DD1D);
    let mut all = Vec::new();
    let whole = pictures(48, 40);
    for (name, bytes) in &whole {
        for part in 1..6 {
            all.push((*name, bytes[..bytes.len() * part / 6].to_vec()));
        }
        for _ in 0..20 {
            let mut turned = bytes.clone();
            for _ in 0..4 {
                let at = numbers.below(turned.len());
                turned[at] ^= 1 << numbers.below(8);
            }
            all.push((*name, turned));
        }
        for (_, other) in &whole {
            all.push((*name, [&bytes[..16], &other[16.min(other.len())..]].concat()));
        }
    }
    all.push(("a.png", Vec::new()));
    all.push(("a.gif", (0..4096).map(|_| u8::try_from(numbers.below(256)).unwrap()).collect()));
    all
}

/// Small files that say or become large pictures.
pub(crate) fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let mut wide = picture("a.png", 8, 8);
    // Width and height of the header, and its checksum.
    wide[16..24].copy_from_slice(&[0, 1, 0x86, 0xA0, 0, 1, 0x86, 0xA0]);
    let sum = crc(&wide[12..29]);
    wide[29..33].copy_from_slice(&sum.to_be_bytes());
    let mut screen = picture("a.gif", 8, 8);
    screen[6..10].fill(0xFF);
    let mut strip = picture("a.tif", 8, 8);
    strip.iter_mut().skip(8).for_each(|byte| *byte |= 0x7F);
    vec![("wide.png", wide), ("screen.gif", screen), ("strip.tif", strip)]
}

/// PNG's checksum.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg()))
    })
}
