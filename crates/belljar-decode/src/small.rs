//! Making pictures small.

use image::imageops::FilterType;
use image::{DynamicImage, Rgba, RgbaImage};

/// Most pixels of a picture that is made only a little smaller: doing that well takes 16 bytes for each.
const SMOOTHED: u64 = 4_000_000;

/// The picture, fitted into a square of this side if it is larger.
pub(crate) fn small(picture: DynamicImage, side: Option<u32>) -> DynamicImage {
    match side {
        Some(side) if picture.width() > side || picture.height() > side => {
            if picture.color().has_alpha() {
                let weighted = each(picture.into_rgba8(), weigh);
                each(fitted(&weighted.into(), side).into_rgba8(), unweigh).into()
            } else {
                fitted(&picture, side)
            }
        }
        _ => picture,
    }
}

/// The quick way gives each pixel to one pixel of the result: where that is nearly as large, it drops every other row.
fn fitted(picture: &DynamicImage, side: u32) -> DynamicImage {
    let longest = picture.width().max(picture.height());
    let pixels = u64::from(picture.width()).saturating_mul(picture.height().into());
    if longest < side.saturating_mul(2) && pixels <= SMOOTHED {
        picture.resize(side, side, FilterType::Triangle)
    } else {
        picture.thumbnail(side, side)
    }
}

fn each(mut picture: RgbaImage, change: fn(&mut Rgba<u8>)) -> RgbaImage {
    picture.pixels_mut().for_each(change);
    picture
}

/// A colour counts as much as it is seen: what lies hidden where nothing is seen must not come out at the edges.
fn weigh(Rgba([colours @ .., alpha]): &mut Rgba<u8>) {
    let weighed = |colour: u8| (u32::from(colour) * u32::from(*alpha) + 127) / 255;
    *colours = colours.map(|colour| u8::try_from(weighed(colour)).unwrap_or(u8::MAX));
}

fn unweigh(Rgba([colours @ .., alpha]): &mut Rgba<u8>) {
    let seen = u32::from(*alpha).max(1);
    *colours =
        colours.map(|colour| u8::try_from((u32::from(colour) * 255 + seen / 2) / seen).unwrap_or(u8::MAX));
}
