//! Whether a JPEG has its end. Its decoder fills what is missing with grey and says nothing, where those of other formats fail.

/// Begins each marker.
const MARK: u8 = 0xFF;
/// Begin and end of the picture.
const BEGIN: u8 = 0xD8;
const END: u8 = 0xD9;
/// Markers without a length.
const BARE: [std::ops::RangeInclusive<u8>; 2] = [0x01..=0x01, 0xD0..=0xD7];

/// A JPEG whose bytes end before its picture does. Of other formats nothing is said.
pub(crate) fn is_cut(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes.strip_prefix(&[MARK, BEGIN]) else { return false };
    loop {
        let (marker, after) = match next(rest) {
            Some((END, _)) => return false,
            Some(found) => found,
            None => return true,
        };
        rest = match length(marker, after) {
            Some(length) => after.get(length..).unwrap_or_default(),
            None => return true,
        };
    }
}

/// The next marker and what follows it. Between segments only filling bytes stand before it, in a scan pixels: there a zero follows
/// a byte that would be a marker.
fn next(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == MARK)?;
        at += bytes.get(at..)?.iter().position(|byte| *byte != MARK)?;
        match bytes.get(at)? {
            0 => {}
            marker => return Some((*marker, bytes.get(at.checked_add(1)?..)?)),
        }
    }
}

/// Bytes of a segment after its marker; none where they end before they say so.
fn length(marker: u8, after: &[u8]) -> Option<usize> {
    if BARE.iter().any(|bare| bare.contains(&marker)) {
        return Some(0);
    }
    let (high, low) = (*after.first()?, *after.get(1)?);
    Some(usize::from(u16::from_be_bytes([high, low])).max(2))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{DynamicImage, ImageFormat};

    use super::*;

    fn picture(format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(64, 64).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_part_of_a_jpeg_is_cut_and_the_whole_is_not() {
        let whole = picture(ImageFormat::Jpeg);
        for length in 2..whole.len() {
            assert!(is_cut(&whole[..length]), "{length} of {}", whole.len());
        }
        assert!(!is_cut(&whole));
        assert!(!is_cut(&[&whole[..], b"more\xFF"].concat()), "what follows the end is nobody's");
    }

    /// Cameras keep a small picture in the head of the large one: its end is not that of the picture.
    #[test]
    fn the_end_of_a_picture_in_the_head_does_not_count() {
        let whole = picture(ImageFormat::Jpeg);
        let size = u16::try_from(whole.len() + 2).unwrap().to_be_bytes();
        let head = [&[MARK, BEGIN, MARK, 0xE1][..], &size, &whole, &whole[2..]].concat();
        assert!(!is_cut(&head));
        assert!(is_cut(&head[..head.len() - 2]));
    }

    #[test]
    fn of_other_formats_nothing_is_said() {
        let png = picture(ImageFormat::Png);
        assert!(!is_cut(&png[..png.len() / 2]) && !is_cut(b"") && !is_cut(b"\xFF"));
    }
}
