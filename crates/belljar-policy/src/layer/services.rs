//! The setter of `services`.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::{Layer, Scalar, Word, grant, net_allow};
use crate::error::PolicyError;
use crate::model::{Access, Service, ServiceRule, Setting};
use crate::value::{host, name};
use crate::words::SERVICES;

/// Data about time zones.
const ZONES: &[&str] = &["?/usr/share/zoneinfo", "?/etc/localtime", "?/etc/timezone"];

/// What a service takes behind `=`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Nothing,
    Names,
    NamesOrNothing,
}

/// What an entry becomes.
#[derive(Clone, Copy)]
pub(crate) enum Becomes {
    /// Looked up at the start.
    Entry(Service),
    /// A host that is reached.
    Host,
    /// Files of the system.
    Zones,
}

impl Becomes {
    /// It is looked up by this service.
    pub(crate) fn is(self, wanted: Service) -> bool {
        matches!(self, Self::Entry(service) if service == wanted)
    }
}

/// `services` and `--service NAME[=LIMIT,...]`.
pub(crate) fn service(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let text = word.text()?;
    let (known, limits) = text.split_once('=').map_or((text, None), |(known, limits)| (known, Some(limits)));
    let (takes, becomes) = name::choice(known, "service", SERVICES)?;
    let names: Vec<&str> = limits.into_iter().flat_map(|limits| limits.split(',')).collect();
    check(known, takes, &names)?;
    match becomes {
        Becomes::Entry(service) => entry(layer, service, &names, word),
        Becomes::Host => names.into_iter().try_for_each(|name| net_allow(layer, part(&word, name))),
        Becomes::Zones => {
            ZONES.iter().try_for_each(|path| grant(layer, part(&word, path), Access::ReadNoexec))
        }
    }
}

fn check(known: &str, takes: Takes, names: &[&str]) -> Result<(), PolicyError> {
    let (fits, fix) = match takes {
        Takes::Nothing => (names.is_empty(), format!("--service {known}")),
        Takes::Names => (!names.is_empty(), format!("--service {known}=NAME,...")),
        Takes::NamesOrNothing => (true, String::new()),
    };
    if fits && names.iter().all(|name| !name.is_empty()) {
        return Ok(());
    }
    Err(PolicyError::bad(&format!("{known}={}", names.join(",")), "a service with its limits").fix(fix))
}

/// The same word with another value.
fn part<'a>(word: &Word<'a>, value: &'a str) -> Word<'a> {
    Word { value: Scalar::Text(OsStr::new(value)), origin: word.origin.clone(), ..*word }
}

fn entry(layer: &mut Layer, service: Service, names: &[&str], word: Word<'_>) -> Result<(), PolicyError> {
    let names = match service {
        Service::Dns => names.iter().map(|text| name_of_host(text)).collect::<Result<Vec<_>, _>>()?,
        _ => names.iter().map(|text| name::account(text)).collect::<Result<Vec<_>, _>>()?,
    };
    if service == Service::FileArgs {
        let folder: PathBuf = word.base.folder.to_path_buf();
        layer.without.get_or_insert_with(|| Setting::new(folder, word.origin.clone()));
    }
    let new = ServiceRule { service, names, origin: word.origin };
    let known = layer.services.iter().any(|old| old.service == new.service && old.names == new.names);
    if !known {
        layer.services.push(new);
    }
    Ok(())
}

fn name_of_host(text: &str) -> Result<String, PolicyError> {
    host::dns_name(text).ok_or_else(|| PolicyError::bad(text, "a name such as www.example.org"))
}
