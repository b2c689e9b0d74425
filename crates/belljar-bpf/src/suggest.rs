//! The nearest known word to a mistyped one.

/// The candidate with the smallest edit distance, if that is small enough to be a typing error.
pub(crate) fn nearest(word: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    if word.len() > 64 {
        return None;
    }
    let limit = word.len().div_ceil(3).min(3);
    let scored = known.map(|name| (distance(word.as_bytes(), name.as_bytes()), name));
    scored.min().filter(|&(far, _)| far <= limit).map(|(_, name)| name)
}

/// Levenshtein distance without regard to case, one row at a time.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut left = i + 1;
        let mut diagonal = i;
        for (cell, to) in row.iter_mut().skip(1).zip(b) {
            let replace = diagonal + usize::from(!from.eq_ignore_ascii_case(to));
            diagonal = *cell;
            left = replace.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_is_levenshtein() {
        assert_eq!(distance(b"kitten", b"sitting"), 3);
        assert_eq!(distance(b"", b"abc"), 3);
        assert_eq!(distance(b"abc", b""), 3);
        assert_eq!(distance(b"TCGETS", b"tcgets"), 0);
    }

    #[test]
    fn far_words_give_no_suggestion() {
        assert_eq!(nearest("opennat", ["openat", "read"].into_iter()), Some("openat"));
        assert_eq!(nearest("zzzz", ["openat", "read"].into_iter()), None);
    }
}
