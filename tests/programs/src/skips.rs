//! The checked-in list of rows that may be skipped: `NAME WHO REASON` per line, WHO one of `root`, `user`, `any`.

const EXPECTED: &str = include_str!("../expected-skips.txt");

/// One line per row that was skipped and must not be.
pub(crate) fn unlisted(skipped: &[&str]) -> Vec<String> {
    let who = if rustix::process::geteuid().is_root() { "root" } else { "user" };
    let unlisted = skipped.iter().filter(|name| !EXPECTED.lines().any(|line| allows(line, name, who)));
    unlisted.map(|name| format!("skipped but not in expected-skips.txt: {name}")).collect()
}

fn allows(line: &str, name: &str, who: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some(name) && words.next().is_some_and(|whom| whom == who || whom == "any")
}

#[cfg(test)]
mod tests {
    use super::{EXPECTED, allows, unlisted};
    use crate::scenarios;

    #[test]
    fn a_skip_is_allowed_by_name_and_account() {
        assert!(allows("a-b  user  some reason", "a-b", "user"));
        assert!(allows("a-b  any", "a-b", "root"));
        assert!(!allows("a-b  user", "a-b", "root"));
        assert!(!allows("a-b  user", "a", "user"));
        assert_eq!(unlisted(&["no-such-row"]).len(), 1);
    }

    #[test]
    fn the_list_names_rows() {
        let rows = EXPECTED.lines().filter(|line| !line.starts_with('#'));
        for name in rows.filter_map(|line| line.split_whitespace().next()) {
            assert!(scenarios::all().any(|row| row.name == name), "{name}");
        }
    }
}
