//! The presets: text that a person can read, and the same text read in advance, because every run starts with one.

use std::path::Path;

use crate::document::{Source, Value};
use crate::error::PolicyError;
use crate::generated::READY;
use crate::keys::Key;
use crate::layer::{Layer, Scalar, Word};
use crate::model::Origin;
use crate::read::Reading;
use crate::value::path::Base;

/// Name (with its `@`) and TOML text of each preset.
pub const PRESETS: &[(&str, &str)] = &[
    ("@system", include_str!("../presets/system.toml")),
    ("@base", include_str!("../presets/base.toml")),
    ("@strict", include_str!("../presets/strict.toml")),
    ("@filter", include_str!("../presets/filter.toml")),
    ("@low-integrity", include_str!("../presets/low-integrity.toml")),
    ("@tools", include_str!("../presets/tools.toml")),
    ("@dev", include_str!("../presets/dev.toml")),
    ("@viewer", include_str!("../presets/viewer.toml")),
    ("@preauth", include_str!("../presets/preauth.toml")),
    ("@decoder", include_str!("../presets/decoder.toml")),
    ("@renderer", include_str!("../presets/renderer.toml")),
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

/// A preset that was read when the crate was written.
pub(crate) struct Ready {
    pub(crate) name: &'static str,
    pub(crate) extends: &'static [&'static str],
    pub(crate) rows: &'static [Row],
}

/// One word of a preset.
pub(crate) struct Row {
    pub(crate) key: &'static Key,
    pub(crate) name: Option<&'static str>,
    pub(crate) value: Lit,
    pub(crate) line: u32,
}

/// A value in a constant.
#[derive(Clone, Copy)]
#[allow(dead_code, reason = "presets need not set a value of each type")]
pub(crate) enum Lit {
    Bool(bool),
    Int(i64),
    Text(&'static str),
}

/// The preset of this name, read in advance.
pub(crate) fn ready(name: &str) -> Option<&'static Ready> {
    READY.iter().find(|ready| ready.name == name)
}

/// The layer of a preset. Any error in it has no place: reading the text gives the same error with one.
pub(crate) fn layer(name: &str, ready: &Ready, base: Base<'_>) -> Result<Layer, PolicyError> {
    let mut layer = Layer::default();
    for row in ready.rows {
        let value = match row.value {
            Lit::Bool(on) => Scalar::Bool(on),
            Lit::Int(number) => Scalar::Int(number),
            Lit::Text(text) => Scalar::Text(text.as_ref()),
        };
        let origin = Origin::Preset { name: name.to_owned(), line: row.line };
        (row.key.set)(
            &mut layer,
            Word {
                key: row.key.name,
                kind: row.key.kind,
                name: row.name,
                value,
                from_flag: false,
                base,
                origin,
            },
        )?;
    }
    Ok(layer)
}

/// The Rust source of the presets read in advance (`src/generated/presets.rs`), made from their text.
///
/// # Errors
/// A preset's text is no policy.
pub fn presets_source() -> Result<String, PolicyError> {
    let mut out = String::from(HEAD);
    for (name, text) in PRESETS {
        preset_source(&mut out, name, text)?;
    }
    out.push_str("];\n");
    Ok(out)
}

const HEAD: &str =
    "//! Generated from `presets/*.toml` by `cargo xtask generate`; a test fails when it is stale.

use crate::keys::known;
use crate::presets::{Lit, Ready, Row};

#[rustfmt::skip]
pub(crate) const READY: &[Ready] = &[
";

fn preset_source(out: &mut String, name: &str, text: &str) -> Result<(), PolicyError> {
    let source = Source::new(name, text);
    let entries = source.parse()?;
    let parents: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.name == "extends")
        .flat_map(|entry| if let Value::List(items) = &entry.node.value { items.as_slice() } else { &[] })
        .filter_map(|item| if let Value::Text(text) = &item.value { Some(text.as_ref()) } else { None })
        .collect();
    out.push_str(&format!("    Ready {{ name: {name:?}, extends: &{parents:?}, rows: &[\n"));
    let base = Base { folder: Path::new("/"), home: None };
    let reading = Reading { source: &source, base, origin: &|_| Origin::Default };
    reading.words(&entries, &mut |key, word, line| {
        let value = match word.value {
            Scalar::Bool(on) => format!("Lit::Bool({on})"),
            Scalar::Int(number) => format!("Lit::Int({number})"),
            Scalar::Text(text) => format!("Lit::Text({text:?})"),
        };
        let (key, name) = (key.name, word.name);
        out.push_str(&format!(
            "        Row {{ key: known({key:?}), name: {name:?}, value: {value}, line: {line} }},\n"
        ));
        Ok(())
    })?;
    out.push_str("    ] },\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_what_the_text_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/generated/presets.rs");
        let made = presets_source().unwrap();
        assert!(std::fs::read_to_string(path).unwrap() == made, "stale: cargo xtask generate policy");
    }
}
