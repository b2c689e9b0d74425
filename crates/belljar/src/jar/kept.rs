//! What one start of a command leaves to the next: its plan, as long as everything is the same that it was made from, and the user
//! namespaces by which root's grants are translated.

use std::sync::Arc;

use belljar_policy::Policy;

use super::owners::Spaces;
use crate::error::PlanError;
use crate::plan::{self, Call, Plan};
use crate::probe::HostFacts;

/// What is kept between the starts of one command.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    planned: Option<Planned>,
    spaces: Spaces,
}

/// A plan and all that it follows from. What is held cannot change: whoever changes a policy or facts has others.
#[derive(Debug)]
struct Planned {
    policy: Arc<Policy>,
    facts: Arc<HostFacts>,
    call: Call,
    plan: Arc<Plan>,
}

impl Planned {
    fn is_of(&self, policy: &Arc<Policy>, facts: &Arc<HostFacts>, call: Call) -> bool {
        self.call == call && same(&self.policy, policy) && same(&self.facts, facts)
    }
}

fn same<T: PartialEq>(one: &Arc<T>, other: &Arc<T>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}

impl Kept {
    pub(super) fn take_spaces(&mut self) -> Spaces {
        std::mem::take(&mut self.spaces)
    }

    pub(super) fn put_spaces(&mut self, spaces: Spaces) {
        self.spaces = spaces;
    }

    /// The plan: the last one, if nothing has changed since.
    pub(super) fn plan(
        &mut self,
        policy: &Arc<Policy>,
        facts: &Arc<HostFacts>,
        call: Call,
    ) -> Result<Arc<Plan>, PlanError> {
        if let Some(planned) = self.planned.as_ref().filter(|planned| planned.is_of(policy, facts, call)) {
            return Ok(Arc::clone(&planned.plan));
        }
        let plan = Arc::new(plan::plan(policy, facts, call)?);
        let (policy, facts) = (Arc::clone(policy), Arc::clone(facts));
        self.planned = Some(Planned { policy, facts, call, plan: Arc::clone(&plan) });
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_made_again_when_anything_it_follows_from_has_changed() {
        let mut kept = Kept::default();
        let facts = Arc::new(crate::probe::probe());
        let strict = Arc::new(Policy::preset("@strict").unwrap());
        let call = Call::default();
        let first = kept.plan(&strict, &facts, call).unwrap();
        assert!(Arc::ptr_eq(&first, &kept.plan(&strict, &facts, call).unwrap()));
        // Read or probed again, with the same outcome.
        let (again, probed) = (Arc::new((*strict).clone()), Arc::new((*facts).clone()));
        assert!(Arc::ptr_eq(&first, &kept.plan(&again, &probed, call).unwrap()));

        let wider = Arc::new((*strict).clone().read("/srv").unwrap());
        let other = kept.plan(&wider, &facts, call).unwrap();
        assert_eq!(*other, plan::plan(&wider, &facts, call).unwrap());
        assert_ne!(first, other);
        let call = Call::new(7, true);
        assert_eq!(*kept.plan(&wider, &facts, call).unwrap(), plan::plan(&wider, &facts, call).unwrap());
        let mut poorer = (*facts).clone();
        poorer.landlock = 0;
        let planned = kept.plan(&wider, &Arc::new(poorer.clone()), call).unwrap();
        assert_eq!(*planned, plan::plan(&wider, &poorer, call).unwrap());
    }
}
