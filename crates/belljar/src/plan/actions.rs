//! Actions: the supervisor serves them, over a channel in the jar's own memory.

use belljar_policy::Subject;

use super::Draft;
use crate::action;
use crate::error::{PlanError, shown};
use crate::report::Layer;

pub(super) fn plan(draft: &mut Draft<'_>) -> Result<(), PlanError> {
    for rule in &draft.policy.actions {
        let origin = rule.origin.to_string();
        let name = action::name(rule.action);
        if !draft.namespaced() {
            return Err(PlanError::NeedsUserns { rule: format!("action {name}"), origin });
        }
        // What a jar asks for reaches nothing but the supervisor, which checks it.
        let text = format!("action {name}, and no other, with {}", shown(&rule.with));
        draft.holds(Subject::Ipc, text, origin, &[Layer::Supervisor]);
    }
    Ok(())
}
