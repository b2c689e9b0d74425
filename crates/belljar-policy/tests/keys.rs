//! The key table is complete, and what it shows works.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use belljar_policy::{
    FlagValue, KEYS, Key, Kind, OPTIONS, Origin, Policy, Request, flag, load, narrow, to_toml,
};

fn no_files(_: &std::path::Path) -> std::io::Result<String> {
    Err(std::io::ErrorKind::NotFound.into())
}

/// Splits an example as a shell would, single quotes only.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn flags_of(line: &str) -> Vec<FlagValue> {
    let mut words = words(line).into_iter();
    let mut flags = Vec::new();
    while let Some(word) = words.next() {
        let key = flag(&word).unwrap_or_else(|| panic!("{word} is no flag"));
        flags.push(match key.kind {
            Kind::Switch => FlagValue::switch(word),
            _ => FlagValue::new(word, words.next().unwrap()),
        });
    }
    flags
}

fn request() -> Request {
    Request { cwd: "/src/project".into(), home: Some("/home/u".into()), ..Request::default() }
}

/// The policy without origins, so that two ways of writing it can be compared.
fn bare(mut policy: Policy) -> String {
    policy.dropped.clear();
    let text = serde_json::to_value(&policy).unwrap();
    fn strip(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Object(map) => {
                map.into_iter().filter(|(name, _)| name != "origin").map(|(k, v)| (k, strip(v))).collect()
            }
            serde_json::Value::Array(items) => items.into_iter().map(strip).collect(),
            other => other,
        }
    }
    strip(text).to_string()
}

#[test]
fn every_column_is_filled() {
    for key in KEYS.iter().chain(OPTIONS) {
        for (column, text) in [
            ("default", key.default),
            ("short", key.short),
            ("long", key.long),
            ("weaker", key.weaker),
            ("since", key.since),
        ] {
            assert!(!text.trim().is_empty(), "{}: {column} is empty", key.name);
        }
        assert!(key.short.ends_with('.'), "{}: {}", key.name, key.short);
        assert_eq!(key.value.is_empty(), key.kind == Kind::Switch || key.name == "belljar", "{}", key.name);
        assert_eq!(key.needs.is_empty(), key.weaker.contains("needs no kernel feature"), "{}", key.name);
    }
    assert!(KEYS.iter().all(|key| !key.toml.is_empty()));
    assert!(KEYS.iter().filter(|key| key.name != "belljar").all(|key| !key.example.is_empty()));
    assert!(OPTIONS.iter().all(|key| !key.example.is_empty() && key.toml.is_empty()));
}

#[test]
fn names_and_flags_are_unique() {
    let rows: Vec<&Key> = KEYS.iter().chain(OPTIONS).collect();
    let mut names: Vec<&str> = rows.iter().map(|key| key.name).collect();
    names.extend(rows.iter().flat_map(|key| key.flags));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn flag_example_and_document_example_mean_the_same() {
    for key in KEYS.iter().filter(|key| !matches!(key.name, "belljar" | "extends")) {
        let document = format!("belljar = 1\n{}", key.toml);
        let from_file =
            Request { inputs: Request::text("/src/project/jar.toml", document).inputs, ..request() };
        let empty = Request::text("/src/project/jar.toml", "belljar = 1").inputs;
        let from_flags = Request { inputs: empty, flags: flags_of(key.example), ..request() };
        let file =
            load(&from_file, &no_files).unwrap_or_else(|error| panic!("{}: {}", key.name, error.render()));
        let flags =
            load(&from_flags, &no_files).unwrap_or_else(|error| panic!("{}: {}", key.name, error.render()));
        let (file, flags) = (bare(file), bare(flags));
        // A field of the policy in model.rs, and what merge.rs makes of it.
        assert!(file != bare(Policy::none()), "{}: the example reaches no field of the policy", key.name);
        assert_eq!(file, flags, "{}: its columns `toml` and `example` do not say the same", key.name);
    }
}

#[test]
fn every_key_is_written_as_it_was_read_and_survives_a_project_that_asks_for_no_more() {
    for key in KEYS.iter().filter(|key| !matches!(key.name, "belljar" | "extends")) {
        let read = |document: String| {
            let inputs = Request::text("/src/project/jar.toml", document).inputs;
            load(&Request { inputs, ..request() }, &no_files)
                .unwrap_or_else(|error| panic!("{}", error.render()))
        };
        let policy = read(format!("belljar = 1\n{}", key.toml));
        let again = bare(read(to_toml(&policy, false)));
        assert_eq!(again, bare(policy.clone()), "{}: show.rs does not write it", key.name);
        let narrowed = narrow(&policy, &policy);
        assert!(narrowed.refused.is_empty(), "{}: narrow/ refuses it: {:?}", key.name, narrowed.refused);
        // Where nothing is granted there is nothing to hide.
        if key.name != "fs.hide" {
            assert_eq!(bare(narrowed.policy), bare(policy), "{}: narrow/ drops it", key.name);
        }
    }
}

#[test]
fn source_examples_load() {
    for key in KEYS.iter().filter(|key| matches!(key.name, "belljar" | "extends")) {
        load(&Request { inputs: Request::text("a.toml", key.toml).inputs, ..request() }, &no_files).unwrap();
    }
    let extends = KEYS.iter().find(|key| key.name == "extends").unwrap();
    load(&Request { flags: flags_of(extends.example), ..request() }, &no_files).unwrap();
}

#[test]
fn each_preset_is_told_about() {
    let extends = KEYS.iter().find(|key| key.name == "extends").unwrap();
    for (name, _) in belljar_policy::PRESETS {
        assert!(extends.long.contains(&format!("`{name}`")), "src/keys/extends.md says nothing about {name}");
    }
}

#[test]
fn each_rule_of_each_preset_names_its_line() {
    for (name, text) in belljar_policy::PRESETS {
        let policy =
            load(&Request { flags: vec![FlagValue::new("-p", *name)], ..request() }, &no_files).unwrap();
        let own = policy.fs.rules.iter().filter_map(|rule| match &rule.origin {
            Origin::Preset { name: from, line } if from == name => Some((rule, *line)),
            _ => None,
        });
        for (rule, line) in own {
            let text = text.lines().nth(line as usize - 1).unwrap();
            let last = rule
                .outside()
                .and_then(|path| path.file_name())
                .map_or("@program".into(), |f| f.to_string_lossy());
            assert!(text.contains(last.as_ref()) || text.contains("\".\""), "{name}:{line} {text} {rule:?}");
        }
    }
}
