//! `crates/belljar-capi/belljar.h`: what C sees of the functions and types of `belljar-capi`, by cbindgen.

use std::collections::HashMap;

use anyhow::{Context, Result};
use cbindgen::{Builder, Config, DocumentationStyle, EnumConfig, ExportConfig, Language, RenameRule};

use crate::{generate, tree};

/// The crate's folder.
pub(crate) const PLACE: &str = "crates/belljar-capi";

/// Types of the crate and their names in C.
const NAMES: &[(&str, &str)] = &[
    ("Child", "belljar_child"),
    ("Command", "belljar_command"),
    ("Killer", "belljar_killer"),
    ("Policy", "belljar_policy"),
    ("Report", "belljar_report"),
    ("Stdio", "belljar_stdio"),
    ("Verdict", "belljar_verdict"),
];

/// What the reader of the header has to know before any function.
const HEAD: &str = "\
/* Belljar for programs in C. Written by `cargo xtask generate header`; docs/c-api.md is the guide.
 *
 * Texts are NUL-terminated UTF-8. A function that fails returns NULL or -1 and leaves what went wrong, and what to do about it, for
 * the calling thread: belljar_last_error, belljar_last_remedy. NULL for a handle or a text is such a failure, never a crash.
 *
 * Handles are freed once, by the function named after them. One command or child is used by one thread at a time; policies, reports
 * and killers by any number. No function uses a signal, changes the environment or keeps state between handles, but for
 * belljar_confine, belljar_pledge and belljar_unveil, which are about the process itself.
 */";

/// Writes or compares the header.
pub(crate) fn generate(check: bool) -> Result<()> {
    let mut builder = Builder::new().with_config(config());
    for file in tree::files(&format!("{PLACE}/src"), "rs")? {
        builder = builder.with_src(tree::root().join(file));
    }
    let mut text = Vec::new();
    builder.generate().context("cbindgen")?.write(&mut text);
    generate::put(&format!("{PLACE}/belljar.h"), &without_safety(&String::from_utf8(text)?), check)
}

/// Without what is said to Rust alone: the sections of comments on safety, which the head says once for all of C.
fn without_safety(text: &str) -> String {
    let mut inside = false;
    let mut kept: Vec<&str> = Vec::new();
    for line in text.lines() {
        inside = line.starts_with("//") && (inside || line == "// # Safety");
        if line == "// # Safety" && kept.last() == Some(&"//") {
            kept.pop();
        }
        if !inside {
            kept.push(line);
        }
    }
    kept.join("\n") + "\n"
}

fn config() -> Config {
    let rename: HashMap<String, String> =
        NAMES.iter().map(|(ours, theirs)| ((*ours).to_owned(), (*theirs).to_owned())).collect();
    Config {
        language: Language::C,
        header: Some(HEAD.to_owned()),
        include_guard: Some("BELLJAR_H".to_owned()),
        cpp_compat: true,
        documentation_style: DocumentationStyle::C99,
        no_includes: true,
        sys_includes: vec!["stdint.h".to_owned()],
        line_length: 110,
        export: ExportConfig { rename, include: vec!["Stdio".to_owned()], ..ExportConfig::default() },
        enumeration: EnumConfig {
            rename_variants: RenameRule::ScreamingSnakeCase,
            prefix_with_name: true,
            ..EnumConfig::default()
        },
        ..Config::default()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn sections_on_safety_are_left_out() {
        let text = "// A.\n//\n// # Safety\n// `x` lives.\nint a(void);\n// B.\nint b(void);\n";
        assert_eq!(super::without_safety(text), "// A.\nint a(void);\n// B.\nint b(void);\n");
    }

    #[test]
    fn the_checked_in_header_is_what_the_crate_has_now() {
        super::generate(true).unwrap();
    }
}
