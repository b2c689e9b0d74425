//! Environment variables and system calls.

use super::Decision;
use crate::model::{Origin, Policy, Setting};
use crate::text::shown;

/// What the policy says about an environment variable.
///
/// ```
/// use belljar_policy::{Policy, env_decision};
/// let policy = Policy::none().env_pass("LC_*")?;
/// assert!(env_decision(&policy, "LC_ALL").allowed);
/// assert_eq!(env_decision(&policy, "TOKEN").flag.as_deref(), Some("--env TOKEN"));
/// # Ok::<(), belljar_policy::PolicyError>(())
/// ```
#[must_use]
pub fn env_decision(policy: &Policy, name: &str) -> Decision {
    let object = shown(name);
    if let Some(value) = policy.env.set.get(name) {
        return Decision::new(object, true, format!("env.set.{}", shown(name)), &value.origin)
            .note("a fixed value");
    }
    match policy.env.pass.iter().find(|rule| passes(&rule.value, name)) {
        Some(rule) => {
            Decision::new(object, true, format!("env.pass \"{}\"", shown(&rule.value)), &rule.origin)
        }
        None => Decision::new(object, false, "nothing passes that no rule names", &Origin::Default)
            .flag(|| format!("--env {}", shown(name))),
    }
}

/// A pattern of `env.pass` covers a name or another pattern.
pub(crate) fn passes(pattern: &str, name: &str) -> bool {
    pattern == name || pattern.strip_suffix('*').is_some_and(|prefix| name.starts_with(prefix))
}

/// What the policy's lists say about a system call. `holds` knows whether a group (`@default`) holds a call; the groups belong to
/// the filter compiler.
///
/// ```
/// use belljar_policy::{Policy, syscall_decision};
/// let policy = Policy::none().allow_syscall("@default")?.deny_syscall("ptrace")?;
/// let holds = |group: &str, _: &str| group == "@default";
/// assert!(syscall_decision(&policy, "read", &holds).allowed);
/// assert!(!syscall_decision(&policy, "ptrace", &holds).allowed);
/// # Ok::<(), belljar_policy::PolicyError>(())
/// ```
#[must_use]
pub fn syscall_decision(policy: &Policy, call: &str, holds: &dyn Fn(&str, &str) -> bool) -> Decision {
    let object = shown(call);
    let covers = |rule: &&Setting<String>| {
        rule.value == call || rule.value.starts_with('@') && holds(&rule.value, call)
    };
    let lists = &policy.syscalls;
    if let Some(rule) = lists.deny.iter().find(covers) {
        return Decision::new(
            object,
            false,
            format!("syscalls.deny \"{}\"", shown(&rule.value)),
            &rule.origin,
        )
        .note("deny wins: only removing this rule allows it");
    }
    if let Some(rule) = lists.when.get(call) {
        let text = format!("syscalls.when.{} = \"{}\"", shown(call), shown(&rule.value));
        return Decision::new(object, true, text, &rule.origin).note("only with these arguments");
    }
    let debugs = holds("@debug", call);
    match lists.allow.iter().find(covers) {
        Some(rule) => {
            Decision::new(object, true, format!("syscalls.allow \"{}\"", shown(&rule.value)), &rule.origin)
        }
        None if debugs && policy.debug.value => {
            Decision::new(object, true, "debug = true", &policy.debug.origin)
        }
        None => Decision::new(object, false, "no system call passes that no rule names", &Origin::Default)
            .flag(|| if debugs { "--debug".to_owned() } else { format!("--allow-syscall {}", shown(call)) }),
    }
}
