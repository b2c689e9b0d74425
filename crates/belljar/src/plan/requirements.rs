//! Never pretend: what is required must hold, and what cannot hold must have been allowed to be weaker.

use belljar_policy::{Demand, Requirement, Subject};

use super::{Draft, Row};
use crate::error::{Gap, PlanError};
use crate::report::Layer;

pub(super) fn check(draft: &Draft<'_>) -> Result<(), PlanError> {
    let gaps: Vec<Gap> = draft.enforced.iter().filter_map(|row| unaccepted(draft, row)).collect();
    if !gaps.is_empty() {
        return Err(PlanError::NotEnforceable { gaps });
    }
    draft.policy.require.iter().try_for_each(|requirement| met(draft, requirement))
}

fn unaccepted(draft: &Draft<'_>, row: &Row) -> Option<Gap> {
    let why = row.line.gap.as_ref()?;
    let accepted = draft.policy.weaker.iter().any(|weaker| weaker.value == row.subject);
    (!accepted).then(|| Gap { rule: row.line.rule.clone(), why: why.clone(), subject: word(row.subject) })
}

fn met(draft: &Draft<'_>, requirement: &Requirement) -> Result<(), PlanError> {
    let mut rows = draft.enforced.iter().filter(|row| row.subject == requirement.subject).peekable();
    let unmet = |found: String| PlanError::RequirementUnmet {
        subject: word(requirement.subject),
        found,
        origin: requirement.origin.to_string(),
    };
    if rows.peek().is_none() {
        return Err(unmet("no rule is about it".to_owned()));
    }
    for row in rows {
        let enough = match &requirement.demand {
            Demand::Layers(count) => row.line.layers.len() >= usize::from(*count),
            Demand::Layer(name) => row.line.layers.iter().any(|layer| layer_word(*layer) == name),
            _ => false,
        };
        if !enough {
            return Err(unmet(format!("\"{}\" is held by {}", row.line.rule, row.line.held())));
        }
    }
    Ok(())
}

/// The policy's word for a layer.
fn layer_word(layer: Layer) -> &'static str {
    match layer {
        Layer::Namespaces | Layer::MountFlags => "namespaces",
        Layer::Landlock => "landlock",
        Layer::Seccomp => "seccomp",
        Layer::Cgroup => "cgroup",
        Layer::Rlimit => "rlimit",
        Layer::Broker => "broker",
        Layer::Privileges => "privileges",
        Layer::Supervisor => "supervisor",
        Layer::Pty => "pty",
        Layer::Descriptors => "descriptors",
        Layer::Environment => "environment",
        Layer::Tmpfs => "tmpfs",
    }
}

/// The policy's word for a subject.
fn word(subject: Subject) -> &'static str {
    match subject {
        Subject::Fs => "fs",
        Subject::Net => "net",
        Subject::Ipc => "ipc",
        Subject::Syscalls => "syscalls",
        Subject::Memory => "memory",
        Subject::Pids => "pids",
        Subject::Cpu => "cpu",
        _ => "privileges",
    }
}
