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

/// Edit distance without regard to case, one row at a time; two swapped neighbours count as one mistake.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut older: Vec<usize> = Vec::new();
    let mut old: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let replaced = at(&old, j) + usize::from(!same(from, to));
            let shifted = at(&old, j + 1).min(at(&row, j)) + 1;
            let swapped = if is_swap(a, b, i, j) { at(&older, j - 1) + 1 } else { usize::MAX };
            row.push(replaced.min(shifted).min(swapped));
        }
        older = std::mem::replace(&mut old, row);
    }
    old.last().copied().unwrap_or(0)
}

fn same(a: &u8, b: &u8) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// True if the letters that end at `i` and `j` are each other's reverse.
fn is_swap(a: &[u8], b: &[u8], i: usize, j: usize) -> bool {
    let pair = |word: &[u8], end: usize| Some((*word.get(end.checked_sub(1)?)?, *word.get(end)?));
    let (Some((a0, a1)), Some((b0, b1))) = (pair(a, i), pair(b, j)) else { return false };
    same(&a0, &b1) && same(&a1, &b0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_mistakes() {
        assert_eq!(distance(b"TCGEST", b"TCGETS"), 1);
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
