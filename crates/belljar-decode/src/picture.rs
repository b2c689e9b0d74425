//! What comes back from a worker: checked, then written as PNG from plain pixels.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};

use crate::decode::Limits;

/// What is wrong with an answer. Only a worker that was taken over answers so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// No pixels, or more than were asked for.
    #[error("its worker answered with a size that was not asked for")]
    Size,
    /// Bytes that are not this many pixels.
    #[error("its worker answered with other bytes than its size takes")]
    Bytes,
    /// PNG could not be made of them.
    #[error("it could not be written as PNG")]
    Encoding,
}

/// PNG of pixels that a worker sent.
///
/// # Errors
/// [`Flaw`]: the size is none that the limits give, or the bytes are not of this size.
///
/// ```
/// use belljar_decode::{Flaw, Limits, encode};
/// let limits = Limits { side: Some(2), ..Limits::default() };
/// assert!(encode(2, 1, &[255; 8], limits).is_ok());
/// assert_eq!(encode(2, 2, &[255; 8], limits), Err(Flaw::Bytes));
/// assert_eq!(encode(3, 1, &[255; 12], limits), Err(Flaw::Size));
/// ```
pub fn encode(width: u32, height: u32, rgba: &[u8], limits: Limits) -> Result<Vec<u8>, Flaw> {
    let side = limits.side.unwrap_or(u32::MAX);
    let pixels = u64::from(width).saturating_mul(u64::from(height));
    if pixels == 0 || pixels > limits.pixels || width > side || height > side {
        return Err(Flaw::Size);
    }
    if u64::try_from(rgba.len()).ok() != pixels.checked_mul(4) {
        return Err(Flaw::Bytes);
    }
    let mut png = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive);
    encoder.write_image(rgba, width, height, ExtendedColorType::Rgba8).map_err(|_| Flaw::Encoding)?;
    Ok(png)
}
