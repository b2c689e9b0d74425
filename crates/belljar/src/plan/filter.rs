//! The system call filter: the policy's groups and names, less what the plan takes away.

use belljar_bpf::{Action, Filter, FilterBuilder, SeccompData};
use belljar_policy::{Origin, Otherwise, Setting, Subject};
use serde::{Deserialize, Serialize};

use super::compile::{Compiled, compile};
use super::removals::{self, EPERM};
use super::step::Step;
use super::{Draft, broker, huge_pages, ready};
use crate::error::PlanError;
use crate::report::Layer;

/// A compiled filter: code, jump if true, jump if false, constant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FilterPlan {
    /// The instructions.
    pub instructions: Vec<(u16, u8, u8, u32)>,
}

impl FilterPlan {
    /// Whether a call with null arguments is refused.
    #[must_use]
    pub(crate) fn refuses(&self, call: &str) -> bool {
        let Some(nr) = belljar_bpf::syscall_number(call) else { return true };
        self.verdict(&SeccompData::x86_64(nr, [0; 6])) != Action::Allow
    }

    /// The verdict on a call.
    #[must_use]
    pub(crate) fn verdict(&self, data: &SeccompData) -> Action {
        self.raise().eval(data)
    }

    /// The filter again.
    pub(super) fn raise(&self) -> Filter {
        let insn = |&(code, jt, jf, k): &(u16, u8, u8, u32)| belljar_bpf::Insn { code, jt, jf, k };
        Filter::from_insns(self.instructions.iter().map(insn).collect())
    }
}

/// Newer spellings of calls that the broker answers. It does not know them: programs take the older ones.
const NEWER: &[&str] =
    &["setxattrat", "removexattrat", "getxattrat", "listxattrat", "file_getattr", "file_setattr"];

/// A call that nothing lets through ends its process.
pub(super) fn kills(draft: &Draft<'_>) -> bool {
    draft.policy.syscalls.otherwise.as_ref().is_some_and(|setting| setting.value == Otherwise::Kill)
}

/// No entry of the policy lets this call through.
pub(super) fn never_granted(draft: &Draft<'_>, call: &str) -> bool {
    let grants = |item: &Setting<String>| match belljar_bpf::group(&item.value) {
        Ok(group) => group.lets_through(call),
        Err(_) => item.value == call,
    };
    let syscalls = &draft.policy.syscalls;
    !syscalls.allow.iter().any(grants) && !syscalls.when.contains_key(call)
}

/// The filter, and where refusals are told to the broker, what hands them over to it.
pub(super) fn plan(draft: &mut Draft<'_>) -> Result<(FilterPlan, Option<Filter>), PlanError> {
    let Compiled { surface, tells, filter, told } = match ready::find(draft) {
        Some(ready) => ready.compiled(),
        None => compile(draft)?,
    };
    // Beside promises they are told to the listener of the filter that both are in.
    let own = tells && draft.policy.promises.is_none();
    draft.step(if own { Step::TellingSeccomp } else { Step::Seccomp });
    draft.holds(Subject::Syscalls, surface, Origin::Default, &[Layer::Seccomp]);
    Ok((filter, told))
}

/// The policy's rules, and what the planner takes away.
pub(super) fn build(draft: &Draft<'_>) -> Result<FilterBuilder, PlanError> {
    let policy = &draft.policy.syscalls;
    let mut builder = Filter::builder();
    if kills(draft) {
        builder = builder
            .known_denied(Action::KillProcess)
            .map_err(|source| rule_error(source, &Origin::Default))?;
    }
    for item in &policy.allow {
        builder = add(builder, item)?;
    }
    if draft.policy.debug.value {
        builder = add(builder, &Setting::new("@debug".to_owned(), draft.policy.debug.origin.clone()))?;
    }
    for (call, text) in &policy.when {
        builder = builder.only_when(call, &text.value).map_err(|source| rule_error(source, &text.origin))?;
    }
    for item in &policy.deny {
        builder = remove(builder, item)?;
    }
    // What nothing lets through needs no removal, which would answer in place of the policy's verdict.
    let needed = |builder: &FilterBuilder, call: &str| !kills(draft) || builder.lets_through(call);
    for removal in removals::in_force(draft) {
        if !needed(&builder, removal.call) {
            continue;
        }
        builder = builder
            .deny(removal.call, removal.when, removal.action)
            .map_err(|source| rule_error(source, &Origin::Default))?;
    }
    builder = huge_pages::refuse(draft, builder)?;
    if broker::is_needed(draft) {
        for call in NEWER {
            let number = belljar_bpf::syscall_number(call).unwrap_or(u32::MAX);
            builder = builder
                .planned(number, None, Action::ENOSYS)
                .map_err(|source| rule_error(source, &Origin::Default))?;
        }
    }
    Ok(builder)
}

fn add(builder: FilterBuilder, item: &Setting<String>) -> Result<FilterBuilder, PlanError> {
    let added = match item.value.as_str() {
        group if group.starts_with('@') => builder.allow_group(group),
        call => builder.allow(call),
    };
    added.map_err(|source| rule_error(source, &item.origin))
}

fn remove(builder: FilterBuilder, item: &Setting<String>) -> Result<FilterBuilder, PlanError> {
    let removed = match item.value.as_str() {
        group if group.starts_with('@') => builder.deny_group(group, EPERM),
        call => builder.deny(call, None, EPERM),
    };
    removed.map_err(|source| rule_error(source, &item.origin))
}

pub(super) fn rule_error(source: belljar_bpf::RuleError, origin: &Origin) -> PlanError {
    PlanError::Syscall { source: Box::new(source), origin: origin.to_string() }
}

pub(super) fn lower(filter: &Filter) -> FilterPlan {
    let instructions = filter.insns().iter().map(|insn| (insn.code, insn.jt, insn.jf, insn.k)).collect();
    FilterPlan { instructions }
}

/// The filter as the child loads it.
pub(crate) fn sock_filters(plan: &FilterPlan) -> Vec<belljar_sys::abi::SockFilter> {
    let to_kernel =
        |&(code, jt, jf, k): &(u16, u8, u8, u32)| belljar_sys::abi::SockFilter { code, jt, jf, k };
    plan.instructions.iter().map(to_kernel).collect()
}
