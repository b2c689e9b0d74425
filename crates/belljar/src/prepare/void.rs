//! What a layout makes of a plan's table.

use std::path::Path;

use super::layout;
use crate::error::StartError;
use crate::plan::{Place, Plan};
use crate::report::Enforcement;
use crate::walk::Walker;

/// What holds each rule of a plan, once its root is laid out; nothing is opened.
///
/// # Errors
/// What would keep a jar of that plan from starting.
pub(crate) fn held(
    plan: &Plan,
    home: Option<&Path>,
    mut walker: Walker<'_>,
) -> Result<Vec<Enforcement>, StartError> {
    let places: Vec<&Place> = plan.places().collect();
    Ok(plan.held(&layout::lay_out(&places, home, &mut walker)?.void))
}
