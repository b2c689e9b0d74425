//! Amounts that are used up. A narrower one stands within a wider one, and both are drawn on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is left of an amount, and of those that it stands within.
#[derive(Debug)]
pub(super) struct Budget {
    left: AtomicU64,
    outer: Option<Arc<Budget>>,
    depth: u8,
}

/// How deep amounts stand in one another: a client could narrow for ever.
const DEEPEST: u8 = 16;

/// Narrowed too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooDeep;

impl Budget {
    /// So much within what there is. No amount is no budget of its own.
    pub(super) fn within(
        outer: Option<Arc<Self>>,
        amount: Option<u64>,
    ) -> Result<Option<Arc<Self>>, TooDeep> {
        let Some(amount) = amount else { return Ok(outer) };
        let depth = outer.as_ref().map_or(0, |outer| outer.depth);
        if depth == DEEPEST {
            return Err(TooDeep);
        }
        Ok(Some(Arc::new(Self { left: AtomicU64::new(amount), outer, depth: depth + 1 })))
    }

    /// Takes from all of them, or from none.
    pub(super) fn take(&self, much: u64) -> bool {
        let less = |left: u64| left.checked_sub(much);
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_err() {
            return false;
        }
        let taken = self.outer.as_ref().is_none_or(|outer| outer.take(much));
        if !taken {
            self.left.fetch_add(much, Ordering::Relaxed);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrower_amount_is_taken_from_the_wider_one_too() {
        let outer = Budget::within(None, Some(10)).unwrap();
        let inner = Budget::within(outer.clone(), Some(8)).unwrap().unwrap();
        let outer = outer.unwrap();
        assert!(inner.take(6) && !inner.take(3));
        assert!(outer.take(3) && !outer.take(2));
        // The inner one has 2 left, the outer one 1: nothing is taken where not all is there.
        assert!(!inner.take(2));
        assert!(inner.take(1) && !outer.take(1));
        assert!(Budget::within(None, None).unwrap().is_none());
    }

    #[test]
    fn nobody_narrows_for_ever() {
        let deeper = |budget| Budget::within(budget, Some(1));
        let deepest = (0..DEEPEST).try_fold(None, |budget, _| deeper(budget)).unwrap();
        assert_eq!(deeper(deepest).unwrap_err(), TooDeep);
    }
}
