//! The presets, as the text that `belljar policy show` can print.

/// Name (with its `@`) and TOML text of each preset.
pub const PRESETS: &[(&str, &str)] = &[
    ("@base", include_str!("../presets/base.toml")),
    ("@strict", include_str!("../presets/strict.toml")),
    ("@filter", include_str!("../presets/filter.toml")),
    ("@low-integrity", include_str!("../presets/low-integrity.toml")),
    ("@dev", include_str!("../presets/dev.toml")),
];

/// The preset that holds when no policy is named.
pub const DEFAULT_PRESET: &str = "@strict";

/// Text of a preset.
///
/// ```
/// assert!(belljar_policy::preset_text("@base").is_some());
/// ```
#[must_use]
pub fn preset_text(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(preset, _)| *preset == name).map(|(_, text)| *text)
}
