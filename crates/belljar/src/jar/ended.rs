//! What ended a run, in words: signals by name, limits with the flag that moves them.

use belljar_policy::{Limits, Origin, Otherwise, key};

use crate::report::LimitKind;

/// Signals that end programs, by number from 1.
const SIGNALS: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// A signal with its name.
pub(super) fn signal(number: i32) -> String {
    let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    match at.and_then(|at| SIGNALS.get(at)) {
        Some(name) => format!("signal {number} (SIG{name})"),
        None => format!("signal {number}"),
    }
}

/// Who set a limit that was reached, and the flag that sets another.
pub(super) fn about_limit(limits: &Limits, limit: LimitKind) -> String {
    let (name, origin) = match limit {
        LimitKind::Wall => ("wall", origin(limits.wall.as_ref())),
        LimitKind::Cpu => ("cpu", origin(limits.cpu.as_ref())),
        LimitKind::Memory => ("memory", origin(limits.memory.as_ref())),
        LimitKind::Pids => ("pids", origin(limits.pids.as_ref())),
        LimitKind::Files => ("files", origin(limits.files.as_ref())),
        LimitKind::Fsize => ("fsize", origin(limits.fsize.as_ref())),
        LimitKind::Data => ("data", origin(limits.data.as_ref())),
        LimitKind::Output => ("output", origin(limits.output.as_ref())),
        LimitKind::Tmp => return String::new(),
    };
    let row = key(&format!("limits.{name}"));
    let flag = row.and_then(|row| row.flags.first().map(|flag| format!("{flag} {}", row.value)));
    match (origin, flag) {
        (Some(origin), Some(flag)) => format!("{origin} set it; {flag} sets another"),
        _ => String::new(),
    }
}

fn origin<T>(limit: Option<&belljar_policy::Setting<T>>) -> Option<&Origin> {
    limit.map(|limit| &limit.origin)
}

/// What is left to find out when the filter ended a program.
pub(super) fn about_violation(otherwise: Otherwise) -> &'static str {
    match otherwise {
        Otherwise::Kill => "--otherwise refuse lets it go on without the call, and names the call",
        _ => "no rule allows calls in the way of 32-bit programs; a SIGSYS of its own looks the same",
    }
}

/// What a program that was killed leaves open.
pub(super) const KILLED: &str = "belljar did not: another program, or the kernel for want of memory";

#[cfg(test)]
mod tests {
    use belljar_policy::{Bytes, Setting};

    use super::*;

    #[test]
    fn signals_have_their_names() {
        for (number, text) in [
            (9, "signal 9 (SIGKILL)"),
            (31, "signal 31 (SIGSYS)"),
            (1, "signal 1 (SIGHUP)"),
            (40, "signal 40"),
        ] {
            assert_eq!(signal(number), text);
        }
    }

    #[test]
    fn a_limit_is_told_with_its_origin_and_its_flag() {
        let memory = Some(Setting::new(Bytes(1), Origin::Flag("-m 1".to_owned())));
        let limits = Limits { memory, ..Limits::default() };
        assert_eq!(about_limit(&limits, LimitKind::Memory), "-m 1 set it; --memory SIZE sets another");
        assert_eq!(about_limit(&limits, LimitKind::Pids), "");
    }
}
