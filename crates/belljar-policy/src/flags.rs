//! The command line as a layer.

use std::ffi::{OsStr, OsString};

use crate::error::{Fault, Place, PolicyError};
use crate::keys::{KEYS, Key, Kind, flag};
use crate::layer::{Layer, Scalar, Word};
use crate::model::Origin;
use crate::text::{nearest, printable};
use crate::value::path::Base;

/// One flag as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagValue {
    /// The flag with its dashes: `--read` or `-r`.
    pub flag: String,
    /// Its value, byte for byte; none for switches.
    pub value: Option<OsString>,
}

impl FlagValue {
    /// A flag with a value.
    #[must_use]
    pub fn new(flag: impl Into<String>, value: impl Into<OsString>) -> Self {
        Self { flag: flag.into(), value: Some(value.into()) }
    }

    /// A flag without one.
    #[must_use]
    pub fn switch(flag: impl Into<String>) -> Self {
        Self { flag: flag.into(), value: None }
    }

    /// The row of the flag, with the value checked to be there or not.
    pub(crate) fn key(&self) -> Result<&'static Key, PolicyError> {
        let known = KEYS.iter().flat_map(|key| key.flags.iter().copied());
        let key = flag(&self.flag).ok_or_else(|| {
            let fault = Fault::UnknownFlag(self.flag.clone());
            PolicyError::new(fault).meant(nearest(&self.flag, known)).at(|| self.mark(false))
        })?;
        let wanted = key.kind != Kind::Switch;
        if wanted == self.value.is_some() {
            return Ok(key);
        }
        let fault = Fault::FlagValue { flag: self.flag.clone(), wanted };
        Err(PolicyError::new(fault).at(|| self.mark(!wanted)))
    }

    fn shown(&self) -> String {
        let value = self.value.as_deref().map(|value| format!(" {}", printable(value)));
        printable(OsStr::new(&self.flag)) + value.as_deref().unwrap_or("")
    }

    /// Where an error in this flag is shown: its value marked, or the flag when it has none.
    pub(crate) fn place(&self) -> Place {
        self.mark(self.value.is_some())
    }

    fn mark(&self, value: bool) -> Place {
        let text = self.shown();
        let flag = printable(OsStr::new(&self.flag)).chars().count();
        let (before, width) =
            if value { (flag + 1, text.chars().count().saturating_sub(flag + 1)) } else { (0, flag) };
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let file = "command line".to_owned();
        Place { file, line: 1, column: number(before + 1), width: number(width.max(1)), text }
    }
}

/// All flags as one layer; `--policy` is read before.
pub(crate) fn layer(flags: &[FlagValue], base: Base<'_>) -> Result<Layer, PolicyError> {
    let mut layer = Layer::default();
    for typed in flags {
        put(&mut layer, typed, base).map_err(|error| error.at(|| typed.place()))?;
    }
    Ok(layer)
}

fn put(layer: &mut Layer, typed: &FlagValue, base: Base<'_>) -> Result<(), PolicyError> {
    let key = typed.key()?;
    let value = match typed.value.as_deref() {
        None => Scalar::Bool(true),
        Some(text) => scalar(text, key.kind),
    };
    let origin = Origin::Flag(typed.shown());
    (key.set)(layer, Word { key: key.name, kind: key.kind, name: None, value, from_flag: true, base, origin })
}

/// The value of a flag: text, except for keys that count and switches.
pub(crate) fn scalar(text: &OsStr, kind: Kind) -> Scalar<'_> {
    match (kind, text.to_str()) {
        (Kind::Count(_), Some(digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().map_or(Scalar::Text(text), Scalar::Int)
        }
        (Kind::Switch, Some("true")) => Scalar::Bool(true),
        (Kind::Switch, Some("false")) => Scalar::Bool(false),
        _ => Scalar::Text(text),
    }
}
