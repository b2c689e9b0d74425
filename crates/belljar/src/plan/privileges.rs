//! Rights, descriptors, terminal, processes.

use belljar_policy::{Origin, Setting, Subject};

use super::Draft;
use super::step::Step;
use crate::error::PlanError;
use crate::report::Layer;

/// Whom the jar runs as when the supervisor is root: nobody.
const NOBODY: u32 = 65534;

pub(super) fn plan(draft: &mut Draft<'_>) -> Result<(), PlanError> {
    refuse_host_name(draft)?;
    identity(draft);
    rights(draft);
    processes(draft);
    terminal(draft);
    program(draft);
    Ok(())
}

/// Only a namespace can give a name of the jar's own.
fn refuse_host_name(draft: &Draft<'_>) -> Result<(), PlanError> {
    match &draft.policy.hostname {
        Some(name) if !draft.namespaced() => {
            let rule = format!("host name {}", name.value.escape_debug());
            Err(PlanError::NeedsUserns { rule, origin: name.origin.to_string() })
        }
        _ => Ok(()),
    }
}

fn identity(draft: &mut Draft<'_>) {
    if draft.host.uid == 0 {
        draft.step(Step::BecomeUser { uid: NOBODY, gid: NOBODY });
        draft.holds(Subject::Privileges, "never the host's root", Origin::Default, &[Layer::Privileges]);
    } else if draft.namespaced() {
        draft.step(Step::MapIds);
    }
    if draft.host.extra_groups && draft.host.uid != 0 {
        draft.notes.push("supplementary groups of the caller are kept: only root can drop them".to_owned());
    }
}

fn rights(draft: &mut Draft<'_>) {
    draft.step(Step::CloseInherited);
    if draft.namespaced() {
        let own_proc = has_own_proc(draft);
        draft.step(if own_proc { Step::LimitInside } else { Step::LimitNamespaces });
        draft.step(Step::SecureBits);
        draft.step(Step::DropCapabilities);
    } else {
        // An ordinary caller can hold some too.
        draft.step(Step::DropCapabilities);
    }
    draft.step(Step::NoNewPrivs);
    draft.step(Step::NotDumpable);
    draft.holds(
        Subject::Privileges,
        "no capability, no set-user-id program, no nested user namespace",
        Origin::Default,
        &[Layer::Privileges, Layer::Seccomp],
    );
}

/// A grant of the host's `/proc` takes the place of the jar's own.
fn has_own_proc(draft: &Draft<'_>) -> bool {
    let fs = &draft.policy.fs;
    let granted = fs.rules.iter().any(|rule| rule.inside() == Some(std::path::Path::new("/proc")));
    fs.proc.value == belljar_policy::ProcView::Own && !granted
}

fn processes(draft: &mut Draft<'_>) {
    // Without a PID namespace init must outlive the supervisor by a moment: it is who ends the tree.
    if draft.call.dies_with_thread && draft.namespaced() {
        draft.step(Step::DieWithParent);
    }
    if draft.namespaced() {
        draft.step(Step::Hostname(host_name(draft).to_owned()));
        let layers = [Layer::Namespaces, Layer::Seccomp];
        draft.holds(Subject::Ipc, "processes and queues of the host do not exist", Origin::Default, &layers);
        return;
    }
    draft.step(Step::Subreaper);
    let rule = "signals, shared memory and queues stay inside";
    if draft.host.landlock >= 6 {
        draft.holds(Subject::Ipc, rule, Origin::Default, &[Layer::Landlock, Layer::Seccomp]);
    } else {
        let gap = "signals to your other processes cannot be refused by this kernel's Landlock";
        draft.gap(Subject::Ipc, rule, Origin::Default, &[Layer::Seccomp], gap);
    }
}

/// Unless named, one that the host's own `/etc/hosts` knows: programs look up the address of their own name.
pub(super) fn host_name<'d>(draft: &'d Draft<'_>) -> &'d str {
    draft.policy.hostname.as_ref().map_or("localhost", |name| name.value.as_str())
}

fn terminal(draft: &mut Draft<'_>) {
    draft.step(Step::NewSession);
    let mask = draft.call.terminals;
    if mask == 0 {
        return;
    }
    if draft.namespaced() && draft.policy.fs.dev.value == belljar_policy::DevView::Basic {
        draft.step(Step::OpenTerminal);
    }
    draft.step(Step::UseTerminal(mask));
    let layers = [Layer::Pty, Layer::Seccomp];
    draft.holds(Subject::Ipc, "the caller's terminal is not shared", Origin::Default, &layers);
}

fn program(draft: &mut Draft<'_>) {
    let policy = draft.policy;
    if let Some(Setting { value, .. }) = policy.umask {
        draft.step(Step::Umask(value));
    }
    draft.step(Step::Chdir(policy.fs.cwd.as_ref().map(|cwd| cwd.value.clone())));
    draft.step(Step::CloseOnExec(policy.pass_fds.iter().map(|pass| pass.fd).collect()));
    for step in [Step::ResetSignals, Step::SelfProbe, Step::Exec] {
        draft.step(step);
    }
    let fds = if policy.pass_fds.is_empty() {
        "descriptors 0-2 only"
    } else {
        "descriptors 0-2 and the named ones"
    };
    draft.holds(Subject::Privileges, fds, Origin::Default, &[Layer::Descriptors]);
    draft.holds(
        Subject::Privileges,
        "environment: named variables only",
        Origin::Default,
        &[Layer::Environment],
    );
}
