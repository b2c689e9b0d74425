//! `belljar why --report FILE [OBJECT]`: what was refused in a run that is over.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use belljar::Report;
use belljar::event::Event;
use belljar::policy::{Asked, asked, printable};
use belljar::report;

use super::{REFUSED, show, show_json};
use crate::fault::Fault;
use crate::words::Words;
use crate::{refusals, request};

const WRITTEN: &str = "name a file that --report wrote";

/// Answers from the report in `file`.
pub(super) fn answer(words: &Words, file: &OsStr) -> Result<u8, Fault> {
    let mut report = read(Path::new(file))?;
    let object = words.rest().next();
    if let Some(object) = object {
        narrow(&mut report, object)?;
    }
    let refused = report.denials().next().is_some() || report.more_events > 0;
    let status = if refused { REFUSED } else { 0 };
    if words.has("json") {
        return show_json(serde_json::to_string_pretty(&report.events), status);
    }
    let text = match object {
        Some(object) if report.events.is_empty() => unknown(object),
        _ => refusals::all(&report),
    };
    Ok(show(&text, status))
}

fn read(path: &Path) -> Result<Report, Fault> {
    let name = printable(path.as_os_str());
    let failed = |error: &dyn std::error::Error, hint: &str| {
        let fault = Fault::from_error(report::Verdict::SetupFailed, error, hint);
        Fault::new(fault.verdict, format!("report `{name}`: {}", fault.reason), fault.hint)
    };
    let text = request::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => failed(&io::Error::other("no plain file"), WRITTEN),
        _ => failed(&error, WRITTEN),
    })?;
    Report::from_json(&text)
        .map_err(|error| failed(&error, "name a file that --report of this version wrote"))
}

/// Keeps the events about an object, what lies below it, or a call of that name.
fn narrow(report: &mut Report, object: &OsStr) -> Result<(), Fault> {
    let path = match asked(object) {
        Asked::Path => Some(request::absolute(Path::new(object))?),
        _ => None,
    };
    let wanted = printable(path.as_ref().map_or(object, |path| path.as_os_str()));
    let below = |event: &Event| path.is_some() && Path::new(&event.object).starts_with(&wanted);
    report.events.retain(|event| event.object == wanted || event.call == wanted || below(event));
    report.more_events = 0;
    Ok(())
}

/// Mounts, Landlock and the filter refuse without telling anybody.
fn unknown(object: &OsStr) -> String {
    let object = printable(object);
    format!("{object}: no event in this report\n  note: belljar why {object} answers from the policy\n")
}

#[cfg(test)]
mod tests {
    use belljar::event::Verdict;

    use super::*;

    fn report(events: &[(&str, &str)]) -> Report {
        let mut report = Report::new(report::Verdict::Exited { code: 1 });
        let event = |(call, object): &(&str, &str)| Event::new(Verdict::Denied, call, object.as_ref());
        report.events = events.iter().map(event).collect();
        report
    }

    #[test]
    fn an_object_what_is_below_and_a_call_are_found() {
        let events = [("openat", "/srv/a"), ("openat", "/srvx"), ("ptrace", ""), ("connect", "a.org:443")];
        for (object, found) in [("/srv", 1), ("/srvx", 1), ("ptrace", 1), ("a.org:443", 1), ("/srv/a/b", 0)] {
            let mut report = report(&events);
            narrow(&mut report, object.as_ref()).unwrap();
            assert_eq!(report.events.len(), found, "{object}");
        }
    }
}
