//! `--ask` and `--ask-save`: whom to ask, and where "always" is written down.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use belljar::Command;
use belljar::ask::{Ask, AskError, PolicyFile, Way};
use belljar::policy::{DEFAULT_PRESET, fold};
use belljar::report::Verdict;

use crate::fault::Fault;
use crate::words::Words;

/// Lets the command ask, where that was typed. `read` are the files that the policy was read from.
pub(crate) fn set_up(
    command: &mut Command,
    words: &Words,
    cwd: &Path,
    read: Vec<PathBuf>,
) -> Result<(), Fault> {
    let Some(way) = words.value("ask") else {
        return match words.has("ask-save") {
            true => Err(Fault::new(Verdict::SetupFailed, "--ask-save without --ask", "add --ask tty")),
            false => Ok(()),
        };
    };
    if words.has("explain") {
        let hint = "ask, or explain at the end";
        return Err(Fault::new(
            Verdict::SetupFailed,
            "--ask with --explain: both answer for what is lacking",
            hint,
        ));
    }
    let mut ask = Ask::new(Way::parse(way).map_err(|error| fault(&error))?);
    let sources: Vec<&OsStr> = words
        .given()
        .iter()
        .filter(|given| given.name == "extends")
        .filter_map(|given| given.value.as_deref())
        .collect();
    let (presets, files): (Vec<&OsStr>, Vec<&OsStr>) =
        sources.iter().partition(|source| source.as_encoded_bytes().starts_with(b"@"));
    // Folded as they were read, so that "always" is written where the rules came from.
    let files: Vec<PathBuf> = files.into_iter().map(|file| fold(&cwd.join(file))).collect();
    let save = words.value("ask-save").map(|file| fold(&cwd.join(file))).or_else(|| files.last().cloned());
    if let Some(path) = save {
        ask.save(PolicyFile { path, bases: bases(&presets, &files) });
    }
    ask.policies(read);
    command.ask(ask);
    Ok(())
}

/// What a new file extends: the sources of this run, in their order of kind.
fn bases(presets: &[&OsStr], files: &[PathBuf]) -> Vec<String> {
    let presets = presets.iter().map(|preset| preset.to_string_lossy().into_owned());
    let files = files.iter().map(|file| file.to_string_lossy().into_owned());
    let all: Vec<String> = presets.chain(files).collect();
    if all.is_empty() { vec![DEFAULT_PRESET.to_owned()] } else { all }
}

fn fault(error: &AskError) -> Fault {
    Fault::from_error(Verdict::SetupFailed, error, error.hint())
}
