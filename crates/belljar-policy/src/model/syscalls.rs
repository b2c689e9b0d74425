//! System calls that pass, and what becomes of the others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Setting;

/// Rules about system calls. Text is kept: the filter compiler reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyscallPolicy {
    /// Names and `@groups` that pass.
    pub allow: Vec<Setting<String>>,
    /// Names and `@groups` that never pass; deny wins.
    pub deny: Vec<Setting<String>>,
    /// Conditions on arguments, by system call.
    pub when: BTreeMap<String, Setting<String>>,
    /// What happens to a call that nothing lets through; none = it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Setting<Otherwise>>,
}

/// What happens to a call that nothing lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Otherwise {
    /// The process ends by `SIGSYS`, unless a group gives an answer for the call.
    Kill,
    /// It fails.
    Refuse,
}
