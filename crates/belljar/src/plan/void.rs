//! Rules that come to nothing on this host: known when the root is laid out, which is after the plan.

use super::{Place, Plan, Step, files};
use crate::report::{Enforcement, Void};

impl Plan {
    /// What is placed, in order.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Place> {
        self.init.iter().filter_map(|step| match step {
            Step::Place(place) => Some(place),
            _ => None,
        })
    }

    /// What holds each rule, where these placements (by their numbers) have come to nothing.
    pub(crate) fn held(&self, void: &[(usize, Void)]) -> Vec<Enforcement> {
        let mut rows = self.enforced.clone();
        for (number, why) in void {
            let Some(place) = self.places().nth(*number) else { continue };
            let (rule, origin) = files::sentence(place);
            let named = |row: &&mut Enforcement| row.rule == rule && row.origin == origin;
            rows.iter_mut().filter(named).for_each(|row| row.come_to_nothing(*why));
        }
        rows
    }
}

impl Enforcement {
    fn come_to_nothing(&mut self, why: Void) {
        self.layers.clear();
        self.gap = None;
        self.void = Some(why);
    }
}
