//! The setter of `services`.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::{Layer, Scalar, Word, contradiction, grant, net_allow};
use crate::error::PolicyError;
use crate::model::{Access, SYSLOG, Service, ServiceRule, Setting};
use crate::value::amount::size;
use crate::value::path::{plain, written};
use crate::value::{Written as _, host, name};
use crate::words::{Becomes, NEEDLESS, SERVICES, Takes};

/// Data about time zones.
const ZONES: &[&str] = &["?/usr/share/zoneinfo", "?/etc/localtime", "?/etc/timezone"];

/// Where a log can go.
const OUTLETS: &str = "FILE, fd:N or syslog, and then a size if 16M is too much: log=jar.log,1M";

/// `services` and `--service NAME[=LIMIT,...]`.
pub(crate) fn service(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let text = word.text()?;
    let (known, limits) = text.split_once('=').map_or((text, None), |(known, limits)| (known, Some(limits)));
    if let Some((_, why)) = NEEDLESS.iter().find(|(needless, _)| *needless == known) {
        return Err(PolicyError::bad(known, "a service that an unmodified program needs").fix(*why));
    }
    let (takes, becomes) = name::choice(known, "service", SERVICES)?;
    let names: Vec<&str> = limits.into_iter().flat_map(|limits| limits.split(',')).collect();
    check(known, takes, &names)?;
    match becomes {
        Becomes::Entry(Service::Log) => log(layer, &names, word),
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
        Takes::NamesOrNothing => (true, format!("--service {known}, or --service {known}=NAME,...")),
        Takes::Outlet => (matches!(names.len(), 1 | 2), format!("--service {known}={OUTLETS}")),
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

/// One log for all programs of a jar, wherever they say something.
fn log(layer: &mut Layer, names: &[&str], word: Word<'_>) -> Result<(), PolicyError> {
    let [to, most @ ..] = names else { return Ok(()) };
    let to = match to.strip_prefix("fd:") {
        _ if *to == SYSLOG => SYSLOG.to_owned(),
        Some(number) => match number.parse::<u16>() {
            Ok(number) => format!("fd:{number}"),
            Err(_) => return Err(PolicyError::bad(to, "a descriptor such as fd:3")),
        },
        None => written(&plain(OsStr::new(to), word.base)?),
    };
    let most = most.iter().map(|most| size(most).map(|_| (*most).to_owned()));
    let names = std::iter::once(Ok(to)).chain(most).collect::<Result<Vec<_>, _>>()?;
    let new = ServiceRule { service: Service::Log, names, origin: word.origin };
    match layer.services.iter().find(|old| old.service == Service::Log) {
        Some(old) if old.names != new.names => {
            let (first, second) = (old.written(), new.written());
            Err(contradiction("services", (&first, &old.origin), (&second, &new.origin)))
        }
        Some(_) => Ok(()),
        None => {
            layer.services.push(new);
            Ok(())
        }
    }
}

fn name_of_host(text: &str) -> Result<String, PolicyError> {
    host::dns_name(text).ok_or_else(|| PolicyError::bad(text, "a name such as www.example.org"))
}
