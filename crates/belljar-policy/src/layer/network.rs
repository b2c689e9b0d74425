//! Setters of `[net]`.

use std::net::IpAddr;

use super::{Layer, Word, add, contradiction, once};
use crate::error::PolicyError;
use crate::model::{NetMode, NetRule, Origin, Publish, Setting, UnixService, UnixSocket};
use crate::value::{Written as _, host, name, path};
use crate::words::{NET_MODES, UNIX_SERVICES};

/// `net.mode` and `--net MODE|HOST[:PORT]`.
pub(crate) fn net_mode(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let text = word.text()?;
    let mode = name::choice(text, "network mode", NET_MODES);
    match mode {
        Err(_) if word.from_flag => net_allow(layer, word),
        other => once(&mut layer.mode, "net.mode", word.setting(other?)),
    }
}

/// `net.allow`.
pub(crate) fn net_allow(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let rule = net_rule(word)?;
    add_host(&mut layer.allow, rule);
    Ok(())
}

/// `net.deny`.
pub(crate) fn net_deny(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let rule = net_rule(word)?;
    add_host(&mut layer.deny, rule);
    Ok(())
}

fn net_rule(word: Word<'_>) -> Result<NetRule, PolicyError> {
    let (target, port) = host::host(word.text()?)?;
    Ok(NetRule { target, port, origin: word.origin })
}

pub(crate) fn add_host(list: &mut Vec<NetRule>, new: NetRule) {
    if !list.iter().any(|old| old.target == new.target && old.port == new.port) {
        list.push(new);
    }
}

/// `net.reach` and `--reach localhost:PORT`.
pub(crate) fn net_reach(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let text = word.text()?;
    let port = host::local_port(text).ok_or_else(|| {
        let error = PolicyError::bad(text, "a service of this host such as localhost:5432");
        error.fix("other hosts are granted with --net HOST:PORT")
    })?;
    add(&mut layer.reach, word.setting(port));
    Ok(())
}

/// `net.publish` and `--publish PORT[:HOSTPORT]`.
pub(crate) fn net_publish(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let text = word.text()?;
    let (inside, outside) = text.split_once(':').unwrap_or((text, text));
    let ports = host::port(inside).zip(host::port(outside));
    let (port, host_port) =
        ports.ok_or_else(|| PolicyError::bad(text, "a port of the jar such as 8080 or 8080:18080"))?;
    let new = Publish { port, host_port };
    if let Some(old) = layer.publish.iter().find(|old| old.value.host_port == host_port && old.value != new) {
        let about = format!("port {host_port} of the host");
        let sides = ((&*old.value.written(), &old.origin), (&*new.written(), &word.origin));
        return Err(contradiction(&about, sides.0, sides.1));
    }
    add(&mut layer.publish, word.setting(new));
    Ok(())
}

/// `net.sockets` and `--socket NAME|PATH`.
pub(crate) fn net_sockets(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let raw = word.raw()?;
    let named = UNIX_SERVICES.iter().find(|(name, _)| raw == *name).map(|(_, service)| service.clone());
    let service = match named {
        Some(service) => service,
        None if raw.as_encoded_bytes().contains(&b'/') => UnixService::Path(path::plain(raw, word.base)?),
        None => {
            return Err(name::unknown(word.text()?, "service", UNIX_SERVICES.iter().map(|(name, _)| *name))
                .fix("or the path of a socket; one of the current folder is written ./NAME"));
        }
    };
    add_socket(
        &mut layer.sockets,
        UnixSocket { service, behind: None, dangerous: false, origin: word.origin },
    );
    Ok(())
}

pub(crate) fn add_socket(list: &mut Vec<UnixSocket>, new: UnixSocket) {
    if !list.iter().any(|old| old.service == new.service) {
        list.push(new);
    }
}

/// `net.hosts` and `--host NAME=ADDRESS`.
pub(crate) fn net_hosts(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let text = word.text()?;
    let bad = || PolicyError::bad(text, "an address of a name such as db.example=10.0.0.5");
    let (name, addr) = word.name.map(|name| (name, text)).or_else(|| text.split_once('=')).ok_or_else(bad)?;
    let name = host::dns_name(name).ok_or_else(bad)?;
    let addr: IpAddr = addr.parse().map_err(|_| bad())?;
    let mut slot = layer.hosts.remove(&name);
    once(&mut slot, &name, word.setting(addr.to_canonical()))?;
    layer.hosts.extend(slot.map(|setting| (name, setting)));
    Ok(())
}

/// `net.proxy`.
pub(crate) fn net_proxy(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let on = super::process::switch(&word)?;
    once(&mut layer.proxy, word.key, word.setting(on))
}

/// The first grant of the layer that has a meaning in mode list only, as it was written.
fn listed(layer: &Layer) -> Option<(String, &Origin)> {
    let allow = layer.allow.first();
    let host = |rule: &NetRule| format!("allow {}", host::host_text(&rule.target, rule.port));
    let reach = || layer.reach.first().map(|port| (format!("reach localhost:{}", port.value), &port.origin));
    allow.map(|rule| (host(rule), &rule.origin)).or_else(reach)
}

/// The mode of a layer: what it says, or what its grants need.
pub(crate) fn implied_mode(layer: &Layer) -> Result<Option<Setting<NetMode>>, PolicyError> {
    let Some(mode) = &layer.mode else {
        return Ok(listed(layer).map(|(_, origin)| Setting::new(NetMode::List, origin.clone())));
    };
    let clash = |(said, origin): (String, &Origin), help: &str| {
        let word = format!("mode {}", mode.value.written());
        contradiction("net", (&word, &mode.origin), (&said, origin)).fix(help)
    };
    if let Some(first) = listed(layer).filter(|_| mode.value != NetMode::List) {
        return Err(clash(first, "hosts are allowed in mode list only"));
    }
    if let Some(first) = layer.sockets.first().filter(|_| mode.value == NetMode::Off) {
        let said = format!("socket {}", first.service.written());
        return Err(clash(
            (said, &first.origin),
            "mode off means no sockets at all; none has them without a network",
        ));
    }
    let own = matches!(mode.value, NetMode::None | NetMode::List);
    match layer.publish.first().filter(|_| !own) {
        Some(first) => {
            let said = format!("publish {}", first.value.written());
            Err(clash((said, &first.origin), "only a jar with a network of its own has ports to publish"))
        }
        None => Ok(Some(mode.clone())),
    }
}
