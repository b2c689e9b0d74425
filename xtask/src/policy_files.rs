//! Files made from the key table and the presets.

use anyhow::{Result, anyhow};

use crate::generate::put;

/// Writes the JSON Schema of policies and the presets read in advance, or with `check` fails if one is not up to date.
///
/// # Errors
/// A preset that is no policy, or a file that is not up to date.
pub(crate) fn generate(check: bool) -> Result<()> {
    put("docs/policy.schema.json", &belljar_policy::schema(), check)?;
    let presets = belljar_policy::presets_source().map_err(|error| anyhow!(error.render()))?;
    put("crates/belljar-policy/src/generated/presets.rs", &presets, check)
}
