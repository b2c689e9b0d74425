//! Files by which programs find the jar's own name service.

use std::path::{Path, PathBuf};

use belljar_policy::Answered;

use super::Draft;
use super::network::is_served;
use super::step::{Place, Placed};

const RESOLV_CONF: &str = "# The name service of this jar. It answers for the names that the policy lists.\n\
                           nameserver 127.0.0.1\noptions timeout:10 attempts:2\n";
const NSSWITCH_CONF: &str = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n\
                             protocols: files\nservices: files\nethers: files\nrpc: files\n";

/// Small files of the jar's own: what services answered, and those of a jar that has a name service.
pub(super) fn places(draft: &Draft<'_>) -> Vec<Place> {
    let mut places = if is_served(draft) { name_service(draft) } else { Vec::new() };
    for Answered { path, text, .. } in &draft.policy.answers {
        let old = places.iter_mut().find(|place| place.at.as_ref() == Some(path));
        match old.map(|place| &mut place.what) {
            Some(Placed::Text(own)) => own.push_str(text),
            _ => places.push(Place { at: Some(path.clone()), what: Placed::Text(text.clone()) }),
        }
    }
    places
}

fn name_service(draft: &Draft<'_>) -> Vec<Place> {
    let name = super::privileges::host_name(draft);
    let hosts = format!("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n127.0.0.1 {name}\n");
    let texts = [
        ("/etc/hosts", hosts),
        ("/etc/nsswitch.conf", NSSWITCH_CONF.to_owned()),
        ("/etc/resolv.conf", RESOLV_CONF.to_owned()),
    ];
    let place = |(at, text)| Place { at: Some(PathBuf::from(at)), what: Placed::Text(text) };
    texts.into_iter().map(place).collect()
}

/// A grant of the host's file of the same name gives way to the jar's own.
pub(super) fn replaces(draft: &Draft<'_>, path: &Path) -> bool {
    draft.policy.answers.iter().any(|answered| answered.path == path)
        || is_served(draft) && is_of_name_service(path)
}

fn is_of_name_service(path: &Path) -> bool {
    ["/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf"].iter().any(|own| path == Path::new(own))
}
