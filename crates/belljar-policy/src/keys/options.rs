//! Options that are no policy: what belljar prints and which engine runs the program.

use super::{Category, Key, Kind};
use crate::error::PolicyError;
use crate::layer::{Layer, Word};

/// Every option that is no policy, in the same columns as [`super::KEYS`], so that man page and completions are complete.
pub const OPTIONS: &[Key] = &[
    Key {
        name: "report",
        flags: &["--report"],
        value: "FILE|fd:N",
        kind: Kind::Text,
        repeatable: false,
        default: "no report",
        category: Category::Output,
        short: "Write the JSON report of the run here.",
        long: include_str!("report.md"),
        needs: &[],
        weaker: "Nothing: it needs no kernel feature.",
        since: "0.1",
        example: "--report run.json",
        toml: "",
        set: elsewhere,
    },
    Key {
        name: "verbose",
        flags: &["--verbose", "-v"],
        value: "",
        kind: Kind::Switch,
        repeatable: true,
        default: "off",
        category: Category::Output,
        short: "Say at the end what held each rule.",
        long: include_str!("verbose.md"),
        needs: &[],
        weaker: "Nothing: it needs no kernel feature.",
        since: "0.1",
        example: "--verbose",
        toml: "",
        set: elsewhere,
    },
    Key {
        name: "quiet",
        flags: &["--quiet", "-q"],
        value: "",
        kind: Kind::Switch,
        repeatable: false,
        default: "off",
        category: Category::Output,
        short: "Do not say which limit ended the run.",
        long: include_str!("quiet.md"),
        needs: &[],
        weaker: "Nothing: it needs no kernel feature.",
        since: "0.1",
        example: "--quiet",
        toml: "",
        set: elsewhere,
    },
    Key {
        name: "json",
        flags: &["--json"],
        value: "",
        kind: Kind::Switch,
        repeatable: false,
        default: "off",
        category: Category::Output,
        short: "Print JSON instead of text.",
        long: include_str!("json.md"),
        needs: &[],
        weaker: "Nothing: it needs no kernel feature.",
        since: "0.1",
        example: "--json",
        toml: "",
        set: elsewhere,
    },
    Key {
        name: "engine",
        flags: &["--engine"],
        value: "NAME",
        kind: Kind::Choice(&["auto", "process"]),
        repeatable: false,
        default: "auto",
        category: Category::Output,
        short: "What runs the program.",
        long: include_str!("engine.md"),
        needs: &[],
        weaker: "Nothing: it needs no kernel feature.",
        since: "0.1",
        example: "--engine process",
        toml: "",
        set: elsewhere,
    },
];

/// Options never reach a layer.
fn elsewhere(_: &mut Layer, _: Word<'_>) -> Result<(), PolicyError> {
    Ok(())
}
