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
    pub fn new(flag: impl Into<String>, value: impl Into<OsString>) -> Self {
        Self { flag: flag.into(), value: Some(value.into()) }
    }

    /// A flag without one.
    pub fn switch(flag: impl Into<String>) -> Self {
        Self { flag: flag.into(), value: None }
    }

    /// The row of the flag, with the value checked to be there or not.
    pub(crate) fn key(&self) -> Result<&'static Key, PolicyError> {
        let known = KEYS.iter().flat_map(|key| key.flags.iter().copied());
        let key = flag(&self.flag).ok_or_else(|| {
            PolicyError::new(Fault::UnknownFlag(self.flag.clone())).meant(nearest(&self.flag, known))
        })?;
        let wanted = key.kind != Kind::Switch;
        if wanted == self.value.is_some() {
            return Ok(key);
        }
        Err(PolicyError::new(Fault::FlagValue { flag: self.flag.clone(), wanted }))
    }

    fn shown(&self) -> String {
        let value = self.value.as_deref().map(|value| format!(" {}", printable(value)));
        printable(OsStr::new(&self.flag)) + value.as_deref().unwrap_or("")
    }

    /// Where an error in this flag is shown: the flag itself, its value marked.
    pub(crate) fn place(&self) -> Place {
        let text = self.shown();
        let all = text.chars().count();
        let before =
            if self.value.is_some() { printable(OsStr::new(&self.flag)).chars().count() + 1 } else { 0 };
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Place {
            file: "command line".to_owned(),
            line: 1,
            column: number(before + 1),
            width: number(all.saturating_sub(before).max(1)),
            text,
        }
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
        Some(text) => number(text, key.kind).map_or(Scalar::Text(text), Scalar::Int),
    };
    let origin = Origin::Flag(typed.shown());
    (key.set)(layer, Word { key, name: None, value, from_flag: true, base, origin })
}

/// Flags carry text only; keys that count take it as a number.
fn number(text: &OsStr, kind: Kind) -> Option<i64> {
    let text = text.to_str().filter(|_| matches!(kind, Kind::Count(_)))?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
