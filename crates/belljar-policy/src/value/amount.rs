//! Sizes (`256M`) and durations (`1h30m`).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::PolicyError;

/// An amount of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

const SIZE: &str = "a size such as 512K, 256M or 2G (K, M, G, T count in 1024)";
const DURATION: &str = "a duration such as 500ms, 10s, 10m or 1h30m";

/// Largest first, so that printing takes the longest unit that divides.
const SIZE_UNITS: &[(&str, u64)] = &[("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)];
const TIME_UNITS: &[(&str, u64)] =
    &[("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads `2G`, `1GiB`, `4096`, `4096B`.
pub(crate) fn size(text: &str) -> Result<Bytes, PolicyError> {
    parse_size(text).map(Bytes).ok_or_else(|| PolicyError::bad(text, SIZE))
}

fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = leading_number(text)?;
    let unit = unit.strip_suffix("iB").unwrap_or(unit);
    let factor = match unit {
        "" | "B" => 1,
        _ => SIZE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?.1,
    };
    number.checked_mul(factor)
}

/// Reads `1h30m`; a bare number counts seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, PolicyError> {
    parse_duration(text).map(Duration::from_millis).ok_or_else(|| PolicyError::bad(text, DURATION))
}

fn parse_duration(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse::<u32>() {
        return u64::from(seconds).checked_mul(1000);
    }
    let (mut rest, mut total) = (text, 0_u64);
    while !rest.is_empty() {
        let (number, tail) = leading_number(rest)?;
        let end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, next) = tail.split_at(end);
        let factor = TIME_UNITS.iter().find(|(name, _)| *name == unit)?.1;
        total = total.checked_add(number.checked_mul(factor)?)?;
        rest = next;
    }
    (!text.is_empty()).then_some(total)
}

fn leading_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((digits.parse().ok()?, rest))
}

/// The shortest text that [`size`] reads back to the same amount.
pub(crate) fn size_text(Bytes(bytes): Bytes) -> String {
    let unit = SIZE_UNITS.iter().find(|(_, factor)| bytes != 0 && bytes.is_multiple_of(*factor));
    unit.map_or_else(|| bytes.to_string(), |(name, factor)| format!("{}{name}", bytes / factor))
}

/// Text that [`duration`] reads back, to the millisecond.
pub(crate) fn duration_text(time: Duration) -> String {
    let mut rest = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    for (name, factor) in TIME_UNITS {
        if rest >= *factor {
            out.push_str(&format!("{}{name}", rest / factor));
            rest %= factor;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [("256M", 256 << 20), ("2G", 2 << 30), ("1GiB", 1 << 30), ("7", 7), ("7B", 7)] {
            assert_eq!(size(text).unwrap(), Bytes(bytes), "{text}");
        }
        for bad in ["", "G", "-1", "1.5G", "2Q", "99999999999999999999", "20000000T", "1 G", "1MB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
        assert_eq!(size_text(Bytes(1536)), "1536");
        assert_eq!(size_text(Bytes(3 << 30)), "3G");
    }

    #[test]
    fn durations() {
        for (text, ms) in
            [("10m", 600_000), ("60s", 60_000), ("1h30m", 5_400_000), ("500ms", 500), ("9", 9000)]
        {
            assert_eq!(duration(text).unwrap(), Duration::from_millis(ms), "{text}");
        }
        for bad in ["", "m", "1x", "1h30", "-1s", "99999999999999999999d"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        assert_eq!(duration_text(Duration::from_millis(5_400_250)), "1h30m250ms");
    }
}
