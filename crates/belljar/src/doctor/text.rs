//! The diagnosis for people.

use std::fmt;

use super::{Diagnosis, Finding, Status};

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Ok => "ok",
            Self::Weaker => "weaker",
            Self::Missing => "missing",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{:<8} {:<16} {}", self.status, shown(&self.id), shown(&self.found))?;
        if !self.means.is_empty() {
            writeln!(out, "{:<25} means: {}", "", shown(&self.means))?;
        }
        self.remedy.as_ref().map_or(Ok(()), |remedy| writeln!(out, "{:<25} do:    {}", "", shown(remedy)))
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "kernel {}, user {}", shown(&self.facts.release), self.facts.uid)?;
        self.findings.iter().try_for_each(|finding| finding.fmt(out))?;
        let end = match (self.usable, self.worst()) {
            (false, _) => "programs cannot be contained on this host",
            (true, Status::Ok) => "everything works",
            (true, _) => {
                "programs can be contained; what is marked weaker or missing is not there for rules to use"
            }
        };
        writeln!(out, "{end}")
    }
}

/// Bytes of the host (labels, paths) must not steer a terminal.
fn shown(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_the_host_are_shown_and_not_obeyed() {
        let finding = Finding::ok("surroundings", "inside AppArmor profile \u{1b}[2Jx\n\u{9b}31m");
        let text = finding.to_string();
        assert_eq!(text.matches('\n').count(), 1, "{text:?}");
        assert!(!text.contains('\u{1b}') && !text.contains('\u{9b}'), "{text:?}");
    }

    #[test]
    fn each_part_of_a_finding_is_told_once() {
        let finding =
            Finding::lacking("limits", Status::Weaker, "seen", "meaning").remedy("remedy".to_owned());
        assert_eq!(finding.to_string().lines().count(), 3);
        let text = finding.to_string();
        assert!(text.starts_with("weaker   limits           seen\n"), "{text}");
        assert!(text.contains("means: meaning\n") && text.contains("do:    remedy\n"), "{text}");
    }
}
