//! A process' line in `/proc`, which begins with its number and its name.

/// Fields behind the name: the first is the state, the third of the line. A name may hold anything, parentheses too, so what comes
/// behind is found from the last one.
pub(crate) fn fields(stat: &str) -> Option<impl Iterator<Item = &str>> {
    stat.rsplit_once(')').map(|(_, fields)| fields.split_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_any_name() {
        let behind = |stat| fields(stat).map(|fields| fields.collect::<Vec<_>>());
        assert_eq!(behind("7 (a) b) S 1\n"), Some(vec!["S", "1"]));
        assert_eq!(behind("7 (a"), None);
    }
}
