//! `cargo xtask escape [WORDS]`: builds the attack suite and runs it with these words, as whoever calls. Without
//! `--against`, and where it names belljar, the attacked binary is built as it is shipped; beside it one with test hooks, for
//! attacks that must get out of a broken broker first.
//!
//! The suite ends with a failure when belljar let an attack out, or when an attack did not work without a box; what other
//! boxes let out is a result.

use anyhow::Result;

use crate::command::{must, program};
use crate::dist;
use crate::stage::Stage;
use crate::test::{program_of, with_test_hooks};

/// Builds and runs the suite with the terminal of the caller.
pub(crate) fn run(words: &[String]) -> Result<()> {
    let stage = Stage::new()?;
    let runner = stage.program(&program_of("escape")?)?;
    let mut command = program(&runner, ["run"]);
    command.args(words);
    if attacks_belljar(words) {
        let built = dist::build("belljar-cli", "belljar")?;
        command.arg("--belljar").arg(stage.program(&built)?);
        command.arg("--hooked").arg(stage.hooked(&with_test_hooks()?)?);
    }
    must(&mut command)
}

/// Whether belljar is among the boxes; it is the only one when none is named.
fn attacks_belljar(words: &[String]) -> bool {
    let list = words.iter().skip_while(|word| *word != "--against").nth(1);
    list.is_none_or(|list| list.split(',').any(|name| name == "belljar"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn belljar_is_built_only_when_it_is_attacked() {
        let asks = |line: &str| {
            super::attacks_belljar(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        };
        assert!(asks("") && asks("--only C1") && asks("--against bwrap,belljar --table"));
        assert!(!asks("--against bwrap") && !asks("--only C1 --against none,firejail"));
    }
}
