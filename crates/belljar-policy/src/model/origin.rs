//! Who wrote a rule.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::text::printable;
use crate::value::path::form;

/// Where a rule was written, so that every refusal can name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Origin {
    /// Built in: nobody wrote it.
    Default,
    /// A named preset, with the line inside its text.
    Preset {
        /// Name with its `@`.
        name: String,
        /// Line in the preset's text, from 1.
        line: u32,
    },
    /// A policy file.
    File {
        /// The file as it was named.
        #[serde(with = "form")]
        path: PathBuf,
        /// Line, from 1.
        line: u32,
    },
    /// A command-line flag, as typed.
    Flag(String),
    /// The library's caller.
    Api,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::Preset { name, line } => write!(out, "{name}:{line}"),
            Self::File { path, line } => write!(out, "{}:{line}", printable(path.as_os_str())),
            Self::Flag(flag) => out.write_str(&printable(flag.as_ref())),
            Self::Api => out.write_str("library call"),
        }
    }
}

/// A value together with the place that set it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting<T> {
    /// What was set.
    pub value: T,
    /// Who set it.
    pub origin: Origin,
}

impl<T> Setting<T> {
    /// Pairs a value with its origin.
    #[must_use]
    pub fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

/// [`form`](crate::value::path::form) for an optional path with its origin.
pub(crate) mod setting_form {
    use super::{Origin, PathBuf, Setting, form};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Form {
        #[serde(with = "form")]
        value: PathBuf,
        origin: Origin,
    }

    pub(crate) fn serialize<S: Serializer>(
        setting: &Option<Setting<PathBuf>>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        let form = setting.clone().map(|Setting { value, origin }| Form { value, origin });
        form.serialize(out)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Setting<PathBuf>>, D::Error> {
        Ok(Option::<Form>::deserialize(from)?.map(|Form { value, origin }| Setting { value, origin }))
    }
}
