//! Services: what belljar looks up once, at the start, so that the program need not reach for it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Origin;
use crate::value::path::form;

/// Something that is looked up for the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Service {
    /// The files among its arguments, for reading.
    FileArgs,
    /// The addresses of these names.
    Dns,
    /// The accounts and groups of these names; of all when there are none.
    Users,
}

/// One entry of `services`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRule {
    /// What is looked up.
    pub service: Service,
    /// The only names that it is asked for.
    pub names: Vec<String>,
    /// Who wrote it.
    pub origin: Origin,
}

/// A small file of the jar with what a service found. Made by the library at the start, never by a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Where it is in the jar.
    #[serde(with = "form")]
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
    /// Who asked for it.
    pub origin: Origin,
}
