//! The environment of the jar: built from nothing.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use belljar_policy::EnvPolicy;

/// Variables by which programs find a proxy. `no_proxy`: servers of the jar itself are reached without one.
const PROXY_VARIABLES: &[(&str, &str)] = &[
    ("http_proxy", "http://127.0.0.1:3128"),
    ("HTTP_PROXY", "http://127.0.0.1:3128"),
    ("https_proxy", "http://127.0.0.1:3128"),
    ("HTTPS_PROXY", "http://127.0.0.1:3128"),
    ("all_proxy", "socks5h://127.0.0.1:1080"),
    ("ALL_PROXY", "socks5h://127.0.0.1:1080"),
    ("no_proxy", "localhost,127.0.0.1,::1"),
    ("NO_PROXY", "localhost,127.0.0.1,::1"),
];

/// Names of the proxies, except where the policy has a word about the variable.
pub(super) fn add_proxies(policy: &EnvPolicy, built: &mut BTreeMap<OsString, OsString>) {
    for (name, value) in PROXY_VARIABLES {
        if !policy.set.contains_key(*name) {
            built.insert(OsString::from(name), OsString::from(value));
        }
    }
}

/// Passed variables of the caller, then fixed ones over them.
pub(super) fn build(policy: &EnvPolicy, caller: &[(OsString, OsString)]) -> BTreeMap<OsString, OsString> {
    let mut built: BTreeMap<OsString, OsString> =
        caller.iter().filter(|(name, _)| passes(policy, name)).cloned().collect();
    for (name, value) in &policy.set {
        built.insert(OsString::from(name), OsString::from(&value.value));
    }
    built
}

/// The command's own word: a value, or nothing to keep a variable away.
pub(super) fn overrule(own: &BTreeMap<OsString, Option<OsString>>, built: &mut BTreeMap<OsString, OsString>) {
    for (name, value) in own {
        match value {
            Some(value) => built.insert(name.clone(), value.clone()),
            None => built.remove(name),
        };
    }
}

fn passes(policy: &EnvPolicy, name: &OsStr) -> bool {
    policy.pass.iter().any(|item| match item.value.strip_suffix('*') {
        Some(prefix) => name.as_bytes().starts_with(prefix.as_bytes()),
        None => name.as_bytes() == item.value.as_bytes(),
    })
}

#[cfg(test)]
mod tests {
    use belljar_policy::{Origin, Policy, Setting};

    use super::*;

    #[test]
    fn an_empty_list_passes_nothing_and_fixed_values_win() {
        let caller = [("A", "1"), ("LC_ALL", "C"), ("LD_PRELOAD", "x")].map(|(n, v)| (n.into(), v.into()));
        let mut policy = Policy::none().env;
        assert!(build(&policy, &caller).is_empty());
        policy.pass = ["A", "LC_*"].map(|name| Setting::new(name.to_owned(), Origin::Api)).to_vec();
        policy.set.insert("A".to_owned(), Setting::new("2".to_owned(), Origin::Api));
        let built = build(&policy, &caller);
        assert_eq!(built.get(OsStr::new("A")).unwrap(), "2");
        assert_eq!(built.len(), 2);
        let mut built = built;
        let own = [("A", Some("3")), ("LC_ALL", None), ("B", Some("4"))];
        overrule(&own.map(|(name, value)| (name.into(), value.map(Into::into))).into(), &mut built);
        assert_eq!(built, [("A", "3"), ("B", "4")].map(|(name, value)| (name.into(), value.into())).into());
    }
}
