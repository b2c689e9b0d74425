//! The JSON Schema of a policy, for editors. Made from the key table.

use crate::document::SECTIONS;
use crate::keys::{KEYS, Key, Kind};
use crate::show::quoted;
use crate::words::{ACCESS, ACTIONS, LAYERS, SUBJECTS};

const SIZE: &str = r#"{"anyOf": [{"type": "string", "pattern": "^([0-9]+([KMGTkmgt](iB)?|B)?|none)$"}, {"type": "integer", "minimum": 0}]}"#;
const DURATION: &str = r#"{"anyOf": [{"type": "string", "pattern": "^([0-9]+|([0-9]+(d|h|m|s|ms))+|none)$"}, {"type": "integer", "minimum": 1}]}"#;
const TEXTS: &str = r#"{"type": "array", "items": {"type": "string"}}"#;

/// The schema (draft 2020-12), pretty enough to be checked in.
///
/// ```
/// assert!(belljar_policy::schema().contains("\"additionalProperties\": false"));
/// ```
#[must_use]
pub fn schema() -> String {
    let mut rows = Vec::new();
    for key in KEYS.iter().filter(|key| !key.name.contains('.')) {
        rows.push(property(key.name, key));
    }
    for section in SECTIONS {
        rows.push(format!("    {}: {}", quoted(section), table(section)));
    }
    format!(
        "{{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"title\": \"Belljar policy\",\n  \
         \"type\": \"object\",\n  \"required\": [\"belljar\"],\n  \"additionalProperties\": false,\n  \
         \"properties\": {{\n{}\n  }}\n}}\n",
        rows.join(",\n")
    )
}

fn table(section: &str) -> String {
    let own = KEYS.iter().filter(|key| !matches!(key.kind, Kind::Grant(_)));
    let rows: Vec<String> = own
        .filter_map(|key| Some((key.name.strip_prefix(section)?.strip_prefix('.')?, key)))
        .map(|(name, key)| format!("    {}", property(name, key)))
        .collect();
    let paths = if section == "fs" { fs_paths() } else { String::new() };
    format!(
        "{{\n      \"type\": \"object\",\n      \"additionalProperties\": false,{paths}\n      \"properties\": {{\n{}\n      }}\n    }}",
        rows.join(",\n")
    )
}

fn fs_paths() -> String {
    let access = choices(ACCESS.iter().map(|(word, _)| *word));
    format!("\n      \"patternProperties\": {{\"^[/.~?@]\": {access}}},")
}

fn property(name: &str, key: &Key) -> String {
    let inner = shape(key);
    let rest = inner.strip_prefix('{').unwrap_or(&inner);
    format!("    {}: {{\"description\": {}, {rest}", quoted(name), quoted(key.short))
}

fn shape(key: &Key) -> String {
    match key.kind {
        Kind::Choice(words) => choices(words.iter().copied()),
        Kind::Size => SIZE.to_owned(),
        Kind::Duration => DURATION.to_owned(),
        Kind::Count(1) => r#"{"const": 1}"#.to_owned(),
        Kind::Count(most) => {
            format!(r#"{{"anyOf": [{{"type": "integer", "minimum": 1, "maximum": {most}}}, {{"const": "none"}}]}}"#)
        }
        Kind::Switch => r#"{"type": "boolean"}"#.to_owned(),
        Kind::Octal => r#"{"type": "string", "pattern": "^0*[0-7]{1,3}$"}"#.to_owned(),
        Kind::Text | Kind::Path | Kind::Grant(_) => r#"{"type": "string"}"#.to_owned(),
        Kind::Paths | Kind::Words | Kind::Hosts => TEXTS.to_owned(),
        Kind::Descriptors => {
            r#"{"type": "array", "items": {"anyOf": [{"type": "integer", "minimum": 3, "maximum": 65535}, {"type": "string", "pattern": "^[0-9]+(:(read|write))?$"}]}}"#.to_owned()
        }
        Kind::Map if key.name == "require" => demands(),
        Kind::Map if key.name == "actions" => named(ACTIONS.iter().map(|(word, _)| *word)),
        Kind::Map => r#"{"type": "object", "additionalProperties": {"type": "string"}}"#.to_owned(),
    }
}

fn demands() -> String {
    let layers = choices(LAYERS.iter().map(|(word, _)| *word));
    let one = format!(r#"{{"type": "integer", "minimum": 1, "maximum": 4}}, {layers}"#);
    let demand = format!(r#"{{"anyOf": [{one}, {{"type": "array", "items": {{"anyOf": [{one}]}}}}]}}"#);
    let subjects = choices(SUBJECTS.iter().map(|(word, _)| *word));
    format!(r#"{{"type": "object", "propertyNames": {subjects}, "additionalProperties": {demand}}}"#)
}

/// Texts under these names only.
fn named<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let names = choices(words);
    format!(r#"{{"type": "object", "propertyNames": {names}, "additionalProperties": {{"type": "string"}}}}"#)
}

fn choices<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(quoted).collect();
    format!("{{\"enum\": [{}]}}", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_json_and_names_every_key() {
        let value: serde_json::Value = serde_json::from_str(&schema()).unwrap();
        for key in KEYS.iter().filter(|key| !matches!(key.kind, Kind::Grant(_))) {
            let mut parts = key.name.split('.');
            let mut at = &value["properties"][parts.next().unwrap()];
            for part in parts {
                at = &at["properties"][part];
            }
            assert_eq!(at["description"], key.short, "{}", key.name);
        }
        assert_eq!(value["properties"]["fs"]["patternProperties"]["^[/.~?@]"]["enum"][0], "hide");
    }
}
