//! What a service is told besides its rules.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use crate::budget::Budgets;
use crate::lookup::{HostResolver, Resolver};
use crate::{Appeal, standin};

/// What a service may be told besides its rules.
#[derive(Clone)]
pub struct Settings {
    /// How much a jar gets.
    pub budgets: Budgets,
    /// Who knows the addresses of names.
    pub resolver: Arc<dyn Resolver>,
    /// How long its answer is used again; every connection is checked and dialled anew.
    pub fresh: Duration,
    /// Who may grant what the rules refuse; none = nobody.
    pub appeal: Option<Arc<dyn Appeal>>,
    /// The `/15` of the stand-in addresses; nothing else may be meant by them.
    pub stand_ins: Ipv4Addr,
    /// The jar has no network of its own: each of its connections is brought by an [`Adopter`](crate::Adopter), and no listener is made for
    /// what is granted later.
    pub brought: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            budgets: Budgets::default(),
            resolver: Arc::new(HostResolver),
            fresh: Duration::from_secs(5),
            appeal: None,
            stand_ins: standin::RANGE,
            brought: false,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Settings").field("budgets", &self.budgets).finish_non_exhaustive()
    }
}
