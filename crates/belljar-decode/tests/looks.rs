//! What comes out looks like what went in: the right way up, with its transparency, in its colours, whatever the picture's kind.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod corpus;

use std::io::Cursor;

use belljar_decode::{Limits, Pixels, decode};
use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, Rgba, RgbaImage};

const RED: [u8; 4] = [255, 0, 0, 255];
const GREEN: [u8; 4] = [0, 255, 0, 255];
const BLUE: [u8; 4] = [0, 0, 255, 255];
const WHITE: [u8; 4] = [255, 255, 255, 255];

/// A quarter each of red, green, blue and white, from the upper left, 64 x 32.
fn quarters() -> RgbaImage {
    RgbaImage::from_fn(64, 32, |x, y| {
        Rgba([[RED, GREEN], [BLUE, WHITE]][usize::from(y >= 16)][usize::from(x >= 32)])
    })
}

fn written(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn thumbnail(bytes: &[u8], side: u32) -> Pixels {
    decode(bytes, Limits { side: Some(side), ..Limits::default() }).unwrap()
}

fn pixel(of: &Pixels, x: u32, y: u32) -> [u8; 4] {
    let at = usize::try_from((y * of.width + x) * 4).unwrap();
    of.rgba[at..at + 4].try_into().unwrap()
}

/// The middles of the four quarters.
fn middles(of: &Pixels) -> [[u8; 4]; 4] {
    let (left, right, top, bottom) = (of.width / 4, of.width * 3 / 4, of.height / 4, of.height * 3 / 4);
    [(left, top), (right, top), (left, bottom), (right, bottom)].map(|(x, y)| pixel(of, x, y))
}

fn is_near(found: [[u8; 4]; 4], due: [[u8; 4]; 4]) -> bool {
    found.iter().flatten().zip(due.iter().flatten()).all(|(found, due)| found.abs_diff(*due) < 12)
}

#[test]
fn pictures_come_out_the_way_their_camera_was_held() {
    let plain = written(DynamicImage::from(quarters()).into_rgb8(), ImageFormat::Jpeg);
    let turns = [
        (1, [RED, GREEN, BLUE, WHITE]),
        (2, [GREEN, RED, WHITE, BLUE]),
        (3, [WHITE, BLUE, GREEN, RED]),
        (4, [BLUE, WHITE, RED, GREEN]),
        (5, [RED, BLUE, GREEN, WHITE]),
        (6, [BLUE, RED, WHITE, GREEN]),
        (7, [WHITE, GREEN, BLUE, RED]),
        (8, [GREEN, WHITE, RED, BLUE]),
    ];
    for (orientation, due) in turns {
        let made = thumbnail(&corpus::held(&plain, orientation), 32);
        let size = if orientation < 5 { (32, 16) } else { (16, 32) };
        assert_eq!((made.width, made.height), size, "orientation {orientation}");
        assert!(is_near(middles(&made), due), "orientation {orientation}: {:?}", middles(&made));
    }
}

#[test]
fn what_is_hidden_by_transparency_does_not_show_at_the_edges() {
    let is_inside = |x: u32, y: u32| x.abs_diff(60).pow(2) + y.abs_diff(60).pow(2) < 50 * 50;
    let disc =
        RgbaImage::from_fn(120, 120, |x, y| Rgba(if is_inside(x, y) { GREEN } else { [255, 0, 255, 0] }));
    for side in [40, 100] {
        for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Tiff] {
            let made = thumbnail(&written(disc.clone(), format), side);
            assert_eq!(pixel(&made, 0, 0)[3], 0, "{format:?}: the corner is clear");
            assert_eq!(pixel(&made, side / 2, side / 2), GREEN, "{format:?}: the middle is whole");
            let mut edges = 0;
            for seen in made.rgba.chunks_exact(4).filter(|pixel| pixel[3] > 8) {
                assert!(seen[0] < 8 && seen[1] > 247 && seen[2] < 8, "{format:?}: {seen:?}");
                edges += usize::from(seen[3] < 247);
            }
            assert!(edges > 20, "{format:?}: {edges} pixels of the edge are in between");
        }
    }
}

#[test]
fn pictures_that_shrink_a_little_keep_what_is_fine() {
    let board = ImageBuffer::from_fn(300, 300, |x, y| Luma([if (x + y) % 2 == 0 { 255_u8 } else { 0 }]));
    for side in [100, 160, 250] {
        let made = thumbnail(&written(board.clone(), ImageFormat::Png), side);
        let (least, most) = made
            .rgba
            .chunks_exact(4)
            .fold((255, 0), |(least, most), pixel| (pixel[0].min(least), pixel[0].max(most)));
        assert!(
            least > 40 && most < 215,
            "{side}: black and white are grey from afar, not {least} to {most}"
        );
    }
}

#[test]
fn every_depth_and_kind_of_colour_is_what_it_was() {
    let grey = |bytes: &[u8]| pixel(&thumbnail(bytes, 8), 4, 4);
    let (w, h, png) = (16, 16, ImageFormat::Png);
    let l8 = ImageBuffer::from_pixel(w, h, Luma([100_u8]));
    let l16 = ImageBuffer::from_pixel(w, h, Luma([100_u16 * 257]));
    let la8 = ImageBuffer::from_pixel(w, h, LumaA([100_u8, 51]));
    let rgb16 = ImageBuffer::from_pixel(w, h, Rgb([10_u16 * 257, 100 * 257, 200 * 257]));
    let rgba16 = ImageBuffer::from_pixel(w, h, Rgba([10_u16 * 257, 100 * 257, 200 * 257, 255 * 257]));
    assert_eq!(grey(&written(l8.clone(), png)), [100, 100, 100, 255]);
    assert_eq!(grey(&written(l16.clone(), png)), [100, 100, 100, 255]);
    assert_eq!(grey(&written(l16, ImageFormat::Tiff)), [100, 100, 100, 255]);
    assert_eq!(grey(&written(la8, png)), [100, 100, 100, 51]);
    assert_eq!(grey(&written(rgb16, png)), [10, 100, 200, 255]);
    assert_eq!(grey(&written(rgba16, png)), [10, 100, 200, 255]);
    let jpeg = grey(&written(l8, ImageFormat::Jpeg));
    assert!(jpeg[..3].iter().all(|part| part.abs_diff(100) < 3), "{jpeg:?}");
    let cmyk = grey(include_bytes!("corpus/cmyk.jpg"));
    assert!(is_near([cmyk; 4], [[255, 127, 0, 255]; 4]), "no cyan, half of magenta, all yellow: {cmyk:?}");
}

#[test]
fn of_a_moving_picture_the_first_frame_comes_out() {
    let mut bytes = Vec::new();
    let mut moving = GifEncoder::new(&mut bytes);
    let black = RgbaImage::from_pixel(64, 32, Rgba([0, 0, 0, 255]));
    moving.encode_frames([Frame::new(quarters()), Frame::new(black)]).unwrap();
    drop(moving);
    assert!(is_near(middles(&thumbnail(&bytes, 32)), [RED, GREEN, BLUE, WHITE]));
}
