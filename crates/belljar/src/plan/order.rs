//! The one place that decides in which order steps run.

use super::step::Step;

/// A step of one of the two processes of a jar, by position. The reason is why it stands where it stands.
const INIT: &[(&str, &str)] = &[
    ("die-with-parent", "first: from here on nothing outlives the supervisor"),
    ("close-inherited", "before any work: a bug below finds no descriptor of the caller"),
    ("join-cgroup", "before anything costs memory or a process"),
    ("become-user", "the id maps need the host's /proc; everything after runs as the jar's user"),
    ("map-ids", "the same, without privileges"),
    ("limit-namespaces", "needs the host's /proc and the power over the own user namespace"),
    ("new-root", "before every placement; covers /proc, which the id maps needed"),
    ("aside", "before the placements that keep writes there"),
    ("place", "parents before children"),
    ("mask-proc", "after /proc is there, before the host's files are gone: the mask is one of them"),
    ("limit-inside", "after the last write to /proc: it is sealed"),
    ("open-terminal", "after /dev/pts is there"),
    ("pivot-root", "after the last host path was used"),
    ("seal-root", "after the last placement"),
    ("hostname", "needs the power over the own namespaces"),
    ("loopback", "needs the power over the own namespaces"),
    ("own-addresses", "the loopback is up; needs the same power"),
    (
        "serve",
        "the same, and low ports: whatever address a program means, it is one of these sockets or nothing",
    ),
    ("errands", "no order"),
    ("subreaper", "before the program exists"),
    ("secure-bits", "needs a capability"),
    ("drop-capabilities", "after the last step that needs one"),
    ("no-new-privs", "before the program exists, so that it holds for every exec"),
    ("not-dumpable", "last: /proc/self belongs to root from here on"),
];

const PROGRAM: &[(&str, &str)] = &[
    ("new-session", "before the terminal can become the controlling one"),
    ("use-terminal", "replaces standard descriptors before the rest is closed"),
    ("umask", "no order"),
    ("chdir", "before Landlock: entering needs no right, and a missing folder is told plainly"),
    ("landlock", "after the last mount: rules bind to the finished layout"),
    ("close-on-exec", "after Landlock has opened its paths"),
    (
        "broker",
        "after the last path was used, while descriptors are not limited: its listener is one, and is sent away",
    ),
    ("rlimit", "after the last step that opens descriptors"),
    ("reset-signals", "before the filter: tight filters forbid it"),
    ("seccomp", "last of the protections: it forbids most of the steps above"),
    ("self-probe", "sees what the program will see"),
    (
        "promise",
        "takes the filter's place, after the self-probe, which nobody has promised; answers a question of its own",
    ),
    ("exec", "nothing comes after"),
];

/// Position of a step in its process; none = the step belongs to the other process.
fn rank(table: &[(&str, &str)], step: &Step) -> Option<usize> {
    let name = kind(step);
    table.iter().position(|(entry, _)| *entry == name)
}

/// Sorts steps of both processes and splits them. Placements keep their order: the planner made parents come first.
pub(super) fn arrange(steps: Vec<Step>) -> (Vec<Step>, Vec<Step>) {
    let (mut init, mut program): (Vec<Step>, Vec<Step>) =
        steps.into_iter().partition(|step| rank(INIT, step).is_some());
    init.sort_by_cached_key(|step| rank(INIT, step));
    program.sort_by_cached_key(|step| rank(PROGRAM, step));
    (init, program)
}

fn kind(step: &Step) -> &'static str {
    match step {
        Step::DieWithParent => "die-with-parent",
        Step::CloseInherited => "close-inherited",
        Step::JoinCgroup => "join-cgroup",
        Step::BecomeUser { .. } => "become-user",
        Step::MapIds => "map-ids",
        Step::LimitNamespaces => "limit-namespaces",
        Step::LimitInside => "limit-inside",
        Step::NewRoot => "new-root",
        Step::Aside(_) => "aside",
        Step::Place(_) => "place",
        Step::MaskProc => "mask-proc",
        Step::OpenTerminal => "open-terminal",
        Step::PivotRoot => "pivot-root",
        Step::SealRoot => "seal-root",
        Step::Hostname(_) => "hostname",
        Step::Loopback => "loopback",
        Step::OwnAddresses => "own-addresses",
        Step::Serve { .. } => "serve",
        Step::Errands => "errands",
        Step::Subreaper => "subreaper",
        Step::SecureBits => "secure-bits",
        Step::DropCapabilities => "drop-capabilities",
        Step::NoNewPrivs => "no-new-privs",
        Step::NotDumpable => "not-dumpable",
        Step::NewSession => "new-session",
        Step::UseTerminal(_) => "use-terminal",
        Step::Umask(_) => "umask",
        Step::Chdir(_) => "chdir",
        Step::Landlock => "landlock",
        Step::CloseOnExec(_) => "close-on-exec",
        Step::Broker => "broker",
        Step::Rlimit(..) => "rlimit",
        Step::ResetSignals => "reset-signals",
        Step::Seccomp | Step::TellingSeccomp => "seccomp",
        Step::SelfProbe => "self-probe",
        Step::Promise => "promise",
        Step::Exec => "exec",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protections_come_in_their_order_whatever_the_planner_pushed_first() {
        let pushed = vec![
            Step::Exec,
            Step::Seccomp,
            Step::NoNewPrivs,
            Step::SelfProbe,
            Step::Landlock,
            Step::PivotRoot,
            Step::DropCapabilities,
            Step::NewRoot,
        ];
        let (init, program) = arrange(pushed);
        assert_eq!(init, [Step::NewRoot, Step::PivotRoot, Step::DropCapabilities, Step::NoNewPrivs]);
        assert_eq!(program, [Step::Landlock, Step::Seccomp, Step::SelfProbe, Step::Exec]);
    }
}
