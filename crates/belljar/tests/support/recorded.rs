//! Recorded hosts, and policies as the command line makes them there.

use std::path::Path;

use belljar::HostFacts;
use belljar::policy::{FlagValue, Policy, PolicyError, Request, load};

pub(crate) const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

pub(crate) fn host(name: &str) -> HostFacts {
    let path = Path::new(HERE).join(format!("hosts/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn policy(flags: &[(&str, &str)]) -> Policy {
    try_policy(flags).unwrap_or_else(|error| panic!("{flags:?}: {error}"))
}

/// The policy of a command line, in a project folder of an ordinary home.
pub(crate) fn try_policy(flags: &[(&str, &str)]) -> Result<Policy, PolicyError> {
    let request = Request {
        flags: flags.iter().map(|(flag, value)| FlagValue::new(*flag, *value)).collect(),
        cwd: "/src/project".into(),
        home: Some("/home/ann".into()),
        ..Request::default()
    };
    load(&request, &|_| Err(std::io::ErrorKind::NotFound.into()))
}
