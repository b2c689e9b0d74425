//! `belljar decode`: hands over to `belljar-decode`, so that this program carries no decoder.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use belljar::report::Verdict;

use super::end;
use crate::fault::Fault;
use crate::words::Words;

/// The program beside this one.
const HELPER: &str = "belljar-decode";

pub(crate) fn decode(words: &Words) -> u8 {
    end(Err(hand_over(words)))
}

/// Becomes the helper; comes back with the reason why not.
fn hand_over(words: &Words) -> Fault {
    if let Some(missing) = ["image", "out"].into_iter().find(|name| !words.has(name)) {
        let hint = "for example: belljar decode --image --out thumbnails in/*.jpg";
        return Fault::new(Verdict::SetupFailed, format!("--{missing} is missing"), hint);
    }
    let helper = match std::env::current_exe() {
        Ok(own) => beside(&own),
        Err(error) => return Fault::from_error(Verdict::SetupFailed, &error, ""),
    };
    let error = Command::new(&helper).args(handed(words)).exec();
    match error.kind() {
        std::io::ErrorKind::NotFound => absent(&helper),
        _ => Fault::new(
            Verdict::SetupFailed,
            format!("{} cannot be run: {error}", belljar::policy::printable(helper.as_os_str())),
            "install it anew, from where belljar came",
        ),
    }
}

fn beside(own: &Path) -> PathBuf {
    own.with_file_name(HELPER)
}

fn absent(helper: &Path) -> Fault {
    let place = belljar::policy::printable(helper.as_os_str());
    let reason = format!(
        "{place} is not there: the decoders are a program of their own, which this belljar came without"
    );
    let hint = format!("put {HELPER} beside belljar; cargo xtask dist makes both");
    Fault::new(Verdict::SetupFailed, reason, hint)
}

/// The words again, options first.
fn handed(words: &Words) -> Vec<OsString> {
    let mut handed = Vec::new();
    for given in words.given() {
        handed.push(OsString::from(format!("--{}", given.name)));
        handed.extend(given.value.clone());
    }
    handed.push("--".into());
    handed.extend(words.rest().map(OsStr::to_owned));
    handed
}
