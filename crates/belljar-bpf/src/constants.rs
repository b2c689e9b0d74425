//! Named constants of the condition language.

use crate::generated::constants::CONSTANTS;
use crate::suggest;

/// The value of a named constant such as `TCGETS` or `AF_UNIX`.
#[must_use]
pub fn constant_value(name: &str) -> Option<u64> {
    let at = CONSTANTS.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    CONSTANTS.get(at).map(|(_, value)| *value)
}

/// All named constants with their values, by name.
pub fn constants() -> impl Iterator<Item = (&'static str, u64)> {
    CONSTANTS.iter().copied()
}

pub(crate) fn nearest_constant(name: &str) -> Option<&'static str> {
    suggest::nearest(name, CONSTANTS.iter().map(|(known, _)| *known))
}
