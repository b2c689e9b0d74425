//! The log of programs that know nothing of this library: what they say to `/dev/log`, as `syslog(3)` and `logger` do, becomes
//! lines in a place that the policy names.
//!
//! The broker gives a program that connects to `/dev/log` one end of a pair; a thread of the supervisor, the scribe, reads the
//! others. Nothing of the host's log is reached by that, unless the policy names it as the place.

mod outlet;
mod said;
mod scribe;

use std::path::Path;

use belljar_policy::{Access, LogTarget, Policy, fs_decision};

use crate::error::StartError;
use crate::walk::Walker;
use outlet::Outlet;
pub(crate) use scribe::{Intake, Scribe, Tally};

/// Where programs log.
pub(crate) const PATH: &str = "/dev/log";

/// A log whose place is open, before anybody says anything.
#[derive(Debug)]
pub(crate) struct Opened {
    outlet: Outlet,
    /// What lines call the jar.
    name: String,
    /// Bytes of text that pass.
    most: u64,
}

/// Opens the log that the policy names; none when it names none.
pub(crate) fn open(policy: &Policy) -> Result<Option<Opened>, StartError> {
    let Some((rule, (to, most))) = policy.services.iter().find_map(|rule| Some((rule, rule.log()?))) else {
        return Ok(None);
    };
    let failed = |(why, remedy): (String, &'static str)| StartError::Log {
        to: rule.names.first().cloned().unwrap_or_default(),
        origin: rule.origin.to_string(),
        why,
        remedy,
    };
    if let LogTarget::File(path) = &to {
        unwritten(policy, path).map_err(failed)?;
    }
    let outlet = Outlet::open(&to).map_err(failed)?;
    let name = policy.hostname.as_ref().map_or("jar", |name| name.value.as_str()).to_owned();
    Ok(Some(Opened { outlet, name, most }))
}

/// A program that can write the file could write what nobody said, and remove what was.
fn unwritten(policy: &Policy, path: &Path) -> Result<(), (String, &'static str)> {
    let folder = path.parent().and_then(|folder| Walker::new(&[]).real(folder).ok());
    let real = folder.zip(path.file_name()).map(|(folder, name)| folder.path.join(name));
    let written = |path: &Path| {
        let decision = fs_decision(policy, path);
        decision.allowed && decision.access == Some(Access::Write)
    };
    match written(path) || real.as_deref().is_some_and(written) {
        true => Err((
            "the program may write that file itself".to_owned(),
            "name a file outside of what is granted for writing",
        )),
        false => Ok(()),
    }
}
