//! A plan for people.

use std::fmt;

use super::{Engine, Plan, Step};
use crate::report::Enforcement;

const NAMESPACES: &[(u64, &str)] = &[
    (super::CLONE_NEWUSER, "user"),
    (super::CLONE_NEWNS, "mount"),
    (super::CLONE_NEWPID, "pid"),
    (super::CLONE_NEWIPC, "ipc"),
    (super::CLONE_NEWUTS, "uts"),
    (super::CLONE_NEWCGROUP, "cgroup"),
    (super::CLONE_NEWNET, "net"),
];

impl Plan {
    /// Names of the namespaces that will be created.
    #[must_use]
    pub fn namespace_names(&self) -> Vec<&'static str> {
        NAMESPACES.iter().filter(|(flag, _)| self.namespaces & flag != 0).map(|(_, name)| *name).collect()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engine = match self.engine {
            Engine::Namespaces => "namespaces, Landlock and filter",
            Engine::Landlock => "Landlock and filter on the host's tree (no user namespaces here)",
            Engine::Broker => {
                "filter and broker on the host's tree (neither user namespaces nor Landlock here)"
            }
        };
        writeln!(out, "engine      {engine}")?;
        writeln!(out, "namespaces  {}", self.namespace_names().join(" "))?;
        if let Some(landlock) = &self.landlock {
            writeln!(out, "landlock    ABI {}", landlock.abi)?;
        }
        writeln!(out, "filter      {} instructions", self.filter.instructions.len())?;
        section(out, "init", &self.init)?;
        section(out, "program", &self.program)?;
        writeln!(out, "\nrules")?;
        self.enforced.iter().try_for_each(|row| rule(out, row))?;
        self.notes.iter().try_for_each(|note| writeln!(out, "note: {note}"))
    }
}

fn section(out: &mut fmt::Formatter<'_>, title: &str, steps: &[Step]) -> fmt::Result {
    writeln!(out, "\n{title}")?;
    steps.iter().enumerate().try_for_each(|(at, step)| writeln!(out, "{at:4}  {step}"))
}

fn rule(out: &mut fmt::Formatter<'_>, row: &Enforcement) -> fmt::Result {
    writeln!(out, "  {}  [{}]  ({})", row.rule, row.held(), row.origin)?;
    row.gap.as_ref().map_or(Ok(()), |gap| writeln!(out, "      weaker: {gap}"))
}
