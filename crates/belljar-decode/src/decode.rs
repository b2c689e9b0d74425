//! The part that reads hostile bytes. It runs in a worker.

use std::io::{Cursor, Read as _};

use belljar::worker::{Buffer, Descriptor};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};
use serde::{Deserialize, Serialize};

use crate::small::small;
use crate::whole::is_cut;

/// What a worker is asked.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    /// The picture, open for reading.
    pub file: Descriptor,
    /// Its length in bytes, as far as the parent knows.
    pub length: u64,
    /// What may become of it.
    pub limits: Limits,
}

/// How large a picture may be, on its way and at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Longest file, in bytes.
    pub file: u64,
    /// Pixels of the picture as it is stored.
    pub pixels: u64,
    /// Memory for decoding it, in bytes.
    pub memory: u64,
    /// Longest side of the result, in pixels; none = as it is.
    pub side: Option<u32>,
}

impl Default for Limits {
    /// 256 MiB of file, 64 million pixels, 512 MiB of memory.
    fn default() -> Self {
        Self { file: 256 << 20, pixels: 64_000_000, memory: 512 << 20, side: None }
    }
}

/// What a worker says. Nothing of it is trusted.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    /// The picture.
    Picture {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Red, green, blue and alpha of each pixel, row by row.
        pixels: Buffer,
        /// The file ended before the picture: a part of it is filled.
        cut: bool,
    },
    /// There is none.
    Refused(Reason),
}

/// Why there is no picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Reason {
    /// It starts like no format that is known.
    #[error("not a PNG, JPEG, WebP, GIF or TIFF picture")]
    Unknown,
    /// More pixels, bytes or memory than the limits give.
    #[error("larger than the limits")]
    TooLarge,
    /// The decoder's words.
    #[error("broken picture: {0}")]
    Broken(String),
    /// The decoder's words: the picture may be whole.
    #[error("of a kind that is not decoded: {0}")]
    Unsupported(String),
    /// The file could not be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

/// A picture in plain pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green, blue and alpha of each pixel.
    pub rgba: Vec<u8>,
}

impl Order {
    /// Reads, decodes, answers.
    #[must_use]
    pub fn carry_out(self) -> Answer {
        let bytes = read(self.file, self.limits.file, self.length);
        let made = bytes.and_then(|bytes| Ok((decode(&bytes, self.limits)?, is_cut(&bytes))));
        let sent = made.and_then(|(Pixels { width, height, rgba }, cut)| {
            let pixels = Buffer::copy_of(&rgba).map_err(|error| Reason::Unreadable(error.to_string()))?;
            Ok(Answer::Picture { width, height, pixels, cut })
        });
        sent.unwrap_or_else(Answer::Refused)
    }
}

/// `expected` is what the parent saw of its length: room, and nothing more.
fn read(file: Descriptor, most: u64, expected: u64) -> Result<Vec<u8>, Reason> {
    let file = std::fs::File::from(file.into_owned());
    // One byte more tells the end without another growth.
    let mut bytes = Vec::with_capacity(usize::try_from(expected.min(most)).unwrap_or(0).saturating_add(64));
    let read = file.take(most.saturating_add(1)).read_to_end(&mut bytes);
    let length = read.map_err(|error| Reason::Unreadable(error.to_string()))?;
    if u64::try_from(length).is_ok_and(|length| length <= most) { Ok(bytes) } else { Err(Reason::TooLarge) }
}

/// Decodes a small picture of each format: what decoders find out about the processor, and their tables, is there for every worker
/// that is forked afterwards.
pub fn warm() {
    let small = Limits { side: Some(WARM / 2), ..Limits::default() };
    for format in
        [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Tiff]
    {
        let mut bytes = Cursor::new(Vec::new());
        let made = DynamicImage::new_rgb8(WARM, WARM).write_to(&mut bytes, format);
        let warmed = made.is_ok() && decode(bytes.get_ref(), small).is_ok();
        debug_assert!(warmed, "{format:?}");
    }
}

/// Side of such a picture.
const WARM: u32 = 16;

/// Decodes a picture, turns it the way its camera was held, and makes it small.
///
/// # Errors
/// It is none, or too large.
pub fn decode(bytes: &[u8], limits: Limits) -> Result<Pixels, Reason> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| Reason::Unknown)?;
    if reader.format().is_none() {
        return Err(Reason::Unknown);
    }
    let mut decoder = reader.into_decoder().map_err(reason)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width).saturating_mul(u64::from(height));
    if pixels == 0 || pixels > limits.pixels || decoder.total_bytes() > limits.memory {
        return Err(if pixels == 0 {
            Reason::Broken("it has no pixels".to_owned())
        } else {
            Reason::TooLarge
        });
    }
    let mut most = image::Limits::default();
    most.max_alloc = Some(limits.memory);
    decoder.set_limits(most).map_err(reason)?;
    let turned = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(reason)?;
    Ok(plain(small(picture, limits.side), turned))
}

fn plain(mut picture: DynamicImage, turned: Orientation) -> Pixels {
    picture.apply_orientation(turned);
    let plain = picture.into_rgba8();
    Pixels { width: plain.width(), height: plain.height(), rgba: plain.into_raw() }
}

fn reason(error: ImageError) -> Reason {
    match error {
        ImageError::Limits(_) => Reason::TooLarge,
        ImageError::Unsupported(what) => Reason::Unsupported(what.to_string()),
        other => Reason::Broken(other.to_string()),
    }
}
