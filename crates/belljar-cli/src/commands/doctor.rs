//! `belljar doctor`: what this host really does.

use belljar::doctor::examine;

use super::{end, show, show_json};
use crate::words::Words;

/// Exit status where programs cannot be contained: an answer, not a failure.
const UNUSABLE: u8 = 1;

pub(crate) fn doctor(words: &Words) -> u8 {
    let diagnosis = examine();
    let status = if diagnosis.usable { 0 } else { UNUSABLE };
    end(if words.has("json") {
        show_json(serde_json::to_string_pretty(&diagnosis), status)
    } else {
        Ok(show(&diagnosis.to_string(), status))
    })
}
