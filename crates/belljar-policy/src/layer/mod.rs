//! One layer of a policy: what one preset, one file or the command line says, before anything is merged.

mod actions;
mod files;
mod network;
mod process;
mod rules;
mod services;

pub(crate) use actions::action;
pub(crate) use files::{cwd, dangerous, dev, grant, proc, root, same_spot, throw_away, tmp, unveil};
pub(crate) use network::{
    add_host, add_socket, implied_mode, net_allow, net_deny, net_hosts, net_mode, net_proxy, net_publish,
    net_reach, net_sockets,
};
pub(crate) use process::{
    debug, demand, descriptor, hostname, limit_count, limit_size, limit_time, promise, trace, umask, weaker,
};
pub(crate) use rules::{env_pass, env_set, syscall_allow, syscall_deny, syscall_otherwise, syscall_when};
pub(crate) use services::service;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Fault, PolicyError};
use crate::model::{
    ActionRule, Bytes, DevView, FsRule, NetMode, NetRule, Origin, Otherwise, PassFd, ProcView, Publish,
    Requirement, ServiceRule, Setting, Subject, UnixSocket,
};
use crate::text::printable;
use crate::value::path::Base;
use crate::value::{Kind, Written};

/// A value that a layer may set once.
pub(crate) type Once<T> = Option<Setting<T>>;

/// A value that a layer may set once, to an amount or to `none`.
pub(crate) type Amount<T> = Once<Option<T>>;

/// How a row of the key table changes a layer.
pub(crate) type Set = fn(&mut Layer, Word<'_>) -> Result<(), PolicyError>;

/// What one layer says.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    pub(crate) rules: Vec<FsRule>,
    /// Apart from the grants, so that hiding wins a tie whatever the order.
    pub(crate) hidden: Vec<FsRule>,
    pub(crate) permitted: Vec<Setting<PathBuf>>,
    pub(crate) tmp: Amount<Bytes>,
    pub(crate) throw_away: Amount<Bytes>,
    pub(crate) proc: Once<ProcView>,
    pub(crate) dev: Once<DevView>,
    pub(crate) cwd: Once<PathBuf>,
    pub(crate) root: Once<PathBuf>,
    pub(crate) mode: Once<NetMode>,
    pub(crate) allow: Vec<NetRule>,
    pub(crate) deny: Vec<NetRule>,
    pub(crate) reach: Vec<Setting<u16>>,
    pub(crate) publish: Vec<Setting<Publish>>,
    pub(crate) hosts: BTreeMap<String, Setting<IpAddr>>,
    pub(crate) sockets: Vec<UnixSocket>,
    pub(crate) proxy: Once<bool>,
    pub(crate) pass: Vec<Setting<String>>,
    pub(crate) set: BTreeMap<String, Setting<String>>,
    pub(crate) calls: Vec<Setting<String>>,
    pub(crate) no_calls: Vec<Setting<String>>,
    pub(crate) when: BTreeMap<String, Setting<String>>,
    pub(crate) otherwise: Once<Otherwise>,
    pub(crate) limits: LayerLimits,
    pub(crate) actions: Vec<ActionRule>,
    pub(crate) services: Vec<ServiceRule>,
    /// A folder that presets grant and this layer does not want, and who says so.
    pub(crate) without: Option<Setting<PathBuf>>,
    pub(crate) require: Vec<Requirement>,
    pub(crate) weaker: Vec<Setting<Subject>>,
    pub(crate) pass_fds: Vec<PassFd>,
    pub(crate) debug: Once<bool>,
    pub(crate) trace: Once<bool>,
    pub(crate) promises: Once<String>,
    /// Who hid everything that is not unveiled.
    pub(crate) veil: Option<Origin>,
    pub(crate) umask: Once<u32>,
    pub(crate) hostname: Once<String>,
}

/// Amounts of one layer.
#[derive(Debug, Default)]
pub(crate) struct LayerLimits {
    pub(crate) memory: Amount<Bytes>,
    pub(crate) pids: Amount<u32>,
    pub(crate) wall: Amount<Duration>,
    pub(crate) cpu: Amount<Duration>,
    pub(crate) files: Amount<u32>,
    pub(crate) fsize: Amount<Bytes>,
    pub(crate) data: Amount<Bytes>,
    pub(crate) output: Amount<Bytes>,
}

/// One value on its way into a layer.
#[derive(Debug)]
pub(crate) struct Word<'a> {
    /// The key that it is a value of.
    pub(crate) key: &'static str,
    pub(crate) kind: Kind,
    /// The name inside a map.
    pub(crate) name: Option<&'a str>,
    pub(crate) value: Scalar<'a>,
    pub(crate) from_flag: bool,
    pub(crate) base: Base<'a>,
    pub(crate) origin: Origin,
}

/// A value without structure.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scalar<'a> {
    Bool(bool),
    Int(i64),
    Text(&'a OsStr),
}

impl Layer {
    /// Moves the hidden places among the rules, where each replaces a grant of the same place.
    pub(crate) fn settle(&mut self) {
        let hidden = std::mem::take(&mut self.hidden);
        self.rules.retain(|rule| !hidden.iter().any(|hide| same_spot(hide, rule)));
        self.rules.extend(hidden);
    }
}

impl<'a> Word<'a> {
    /// The value as UTF-8 text.
    pub(crate) fn text(&self) -> Result<&'a str, PolicyError> {
        let raw = self.raw()?;
        raw.to_str().ok_or_else(|| PolicyError::bad(&printable(raw), "UTF-8 text"))
    }

    /// The value as it came from the command line or document.
    pub(crate) fn raw(&self) -> Result<&'a OsStr, PolicyError> {
        match self.value {
            Scalar::Text(text) => Ok(text),
            Scalar::Bool(_) => Err(wrong("text", "true or false")),
            Scalar::Int(_) => Err(wrong("text", "a number")),
        }
    }

    pub(crate) fn setting<T>(self, value: T) -> Setting<T> {
        Setting::new(value, self.origin)
    }
}

pub(crate) fn wrong(expected: &'static str, found: &'static str) -> PolicyError {
    PolicyError::new(Fault::WrongType { expected, found })
}

/// Sets a slot; the same value twice is fine, another one contradicts.
pub(crate) fn once<T: PartialEq + Written>(
    slot: &mut Once<T>,
    about: &str,
    new: Setting<T>,
) -> Result<(), PolicyError> {
    if let Some(old) = slot.as_ref().filter(|old| old.value != new.value) {
        return Err(contradiction(
            about,
            (&old.value.written(), &old.origin),
            (&new.value.written(), &new.origin),
        ));
    }
    slot.get_or_insert(new);
    Ok(())
}

/// Adds to a list unless the value is there.
pub(crate) fn add<T: PartialEq>(list: &mut Vec<Setting<T>>, new: Setting<T>) {
    if !list.iter().any(|old| old.value == new.value) {
        list.push(new);
    }
}

/// The error that names both sides.
pub(crate) fn contradiction(about: &str, first: (&str, &Origin), second: (&str, &Origin)) -> PolicyError {
    let side = |(value, origin): (&str, &Origin)| format!("{value} ({origin})");
    let fault = Fault::Contradiction { about: about.to_owned(), first: side(first), second: side(second) };
    PolicyError::new(fault).fix("keep one of the two")
}
