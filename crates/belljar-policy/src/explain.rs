//! Texts for `belljar explain`.

use crate::keys::{Feature, KEYS, Key, OPTIONS};
use crate::text::nearest;

/// Words for the kernel features, in the order of the enum.
const FEATURES: &[(Feature, &str)] = &[
    (Feature::Namespaces, "user and mount namespaces"),
    (Feature::Landlock, "Landlock"),
    (Feature::Seccomp, "seccomp"),
    (Feature::Rlimit, "resource limits"),
    (Feature::Cgroup, "control groups"),
    (Feature::Notify, "seccomp user notification"),
];

impl Feature {
    /// The feature in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        FEATURES.iter().find(|(feature, _)| *feature == self).map_or("", |(_, words)| *words)
    }
}

/// Everything about a key (`limits.memory`) or flag (`--memory`, `-m`); none when there is no such key.
///
/// ```
/// let text = belljar_policy::explain("-m").unwrap_or_default();
/// assert!(text.starts_with("limits.memory"));
/// ```
#[must_use]
pub fn explain(name: &str) -> Option<String> {
    let rows = || KEYS.iter().chain(OPTIONS);
    let named = rows().find(|key| key.name == name);
    // The last part alone is enough where it is no key itself: `memory`.
    let short = || rows().find(|key| key.name.rsplit('.').next() == Some(name));
    let key = named.or_else(|| rows().find(|key| key.flags.contains(&name))).or_else(short);
    key.map(page)
}

/// The key or flag that a mistyped name most likely meant.
#[must_use]
pub fn explain_nearest(name: &str) -> Option<&'static str> {
    let rows = KEYS.iter().chain(OPTIONS);
    let names =
        |key: &'static Key| key.flags.iter().copied().chain([key.name]).chain(key.name.rsplit('.').next());
    nearest(name, rows.flat_map(names))
}

fn page(key: &Key) -> String {
    let mut out = format!("{}\n  {}\n\n{}\n", key.name, key.short, key.long.trim_end());
    let needs: Vec<&str> = key.needs.iter().map(|feature| feature.words()).collect();
    let flags: Vec<String> =
        key.flags.iter().map(|flag| format!("{flag} {}", key.value).trim_end().to_owned()).collect();
    let rows = [
        ("Flags", flags.join(", ")),
        ("Default", key.default.to_owned()),
        ("Needs", needs.join(", ")),
        ("Without it", key.weaker.to_owned()),
        ("Since", key.since.to_owned()),
        ("Example", key.example.to_owned()),
        ("In a file", key.toml.replace('\n', "\n              ")),
    ];
    out.push('\n');
    for (label, text) in rows.iter().filter(|(_, text)| !text.is_empty()) {
        out.push_str(&format!("  {label:<11} {text}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_and_flag_is_explained() {
        for key in KEYS.iter().chain(OPTIONS) {
            let text = explain(key.name).unwrap();
            assert!(text.contains(key.short) && text.contains(key.weaker), "{}", key.name);
            for flag in key.flags {
                assert_eq!(explain(flag).as_ref(), Some(&text));
            }
            assert!(key.needs.iter().all(|feature| text.contains(feature.words())), "{}", key.name);
        }
        assert_eq!(explain("nonsense"), None);
        assert_eq!(explain_nearest("--memmory"), Some("--memory"));
    }
}
