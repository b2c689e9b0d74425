//! Actions: the supervisor serves them, over a channel in the jar's own memory.

use belljar_policy::Subject;

use super::Draft;
use crate::error::{PlanError, shown};
use crate::report::Layer;

/// Folder in the jar that the helper lies in.
pub const BIN: &str = "/run/belljar/bin";

/// Name of the helper.
pub const HELPER: &str = "belljar-request";

/// Folder in the jar that requests and replies pass through.
pub const CHANNEL: &str = "/run/belljar/channel";

/// FIFO of the requests, in [`CHANNEL`].
pub const REQUESTS: &str = "requests";

/// Table of the replies, in [`CHANNEL`].
pub const REPLIES: &str = "replies";

pub(super) fn plan(draft: &mut Draft<'_>) -> Result<(), PlanError> {
    for rule in &draft.policy.actions {
        let origin = rule.origin.to_string();
        let name = rule.action.name();
        if !draft.namespaced() {
            return Err(PlanError::NeedsUserns { rule: format!("action {name}"), origin });
        }
        // What a jar asks for reaches nothing but the supervisor, which checks it.
        let text = format!("action {name}, and no other, with {}", shown(&rule.with));
        draft.holds(Subject::Ipc, text, origin, &[Layer::Supervisor]);
    }
    Ok(())
}
