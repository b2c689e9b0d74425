//! Filters that were compiled with this program, for policies that name no call of their own: reading the groups and compiling
//! them again at each start would take longer than everything else that a plan takes.

use belljar_policy::Policy;

use super::compile::{self, Compiled};
use super::filter::FilterPlan;
use super::filters::READY;
use super::{Call, Draft, broker, huge_pages, removals};
use crate::error::PlanError;
use crate::probe::HostFacts;

/// All that the filter of such a policy follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub struct Shape {
    /// What the planner takes away: one bit for each row of its table.
    pub removals: u128,
    /// The self-probe's own socket is refused without a word.
    pub quiet: bool,
    /// Refusals are told.
    pub tells: bool,
    /// Huge pages are refused.
    pub counted: bool,
}

/// A filter in its shape.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) shape: Shape,
    /// How many calls it lets through, for people.
    pub(super) surface: &'static str,
    pub(super) instructions: &'static [(u16, u8, u8, u32)],
}

impl Ready {
    pub(super) fn compiled(&self) -> Compiled {
        let filter = FilterPlan { instructions: self.instructions.to_vec() };
        Compiled { surface: self.surface.to_owned(), tells: self.shape.tells, filter, told: None }
    }
}

/// The ready filter of this draft.
pub(super) fn find(draft: &Draft<'_>) -> Option<&'static Ready> {
    let shape = shape(draft)?;
    READY.iter().find(|ready| ready.shape == shape)
}

/// The shape of a draft whose policy grants the default group and says no more about calls.
fn shape(draft: &Draft<'_>) -> Option<Shape> {
    let calls = &draft.policy.syscalls;
    let default = matches!(calls.allow.as_slice(), [only] if only.value == "@default");
    let silent = calls.deny.is_empty() && calls.when.is_empty() && calls.otherwise.is_none();
    let plain = default && silent && !draft.policy.debug.value && !broker::is_needed(draft);
    plain.then(|| Shape {
        removals: removals::bits(draft),
        quiet: compile::is_quiet(draft),
        tells: compile::would_tell(draft),
        counted: huge_pages::are_refused(draft),
    })
}

/// What [`super::plan`] has ready for such a jar, as it is compiled now: its shape, its surface, its instructions; none
/// where a filter is compiled for each start. For the generator of the table, and for the test that compares both.
///
/// # Errors
/// See [`super::plan`].
#[doc(hidden)]
pub fn compiled(
    policy: &Policy,
    host: &HostFacts,
    call: Call,
) -> Result<Option<(Shape, String, FilterPlan)>, PlanError> {
    let draft = Draft::new(policy, host, call)?;
    let Some(shape) = shape(&draft) else { return Ok(None) };
    let Compiled { surface, tells, filter, .. } = compile::compile(&draft)?;
    Ok(Some((Shape { tells, ..shape }, surface, filter)))
}
