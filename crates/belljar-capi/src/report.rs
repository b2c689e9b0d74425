//! Reports.

use std::ffi::{CString, c_char, c_int};
use std::ptr;

use belljar::report::Verdict as Ending;

use crate::fault::{Fault, c_text, guard};

/// What happened. It never changes; any number of threads may use one at the same time.
#[derive(Debug)]
pub struct Report {
    verdict: Verdict,
    status: c_int,
    signal: c_int,
    reason: CString,
    hint: CString,
    json: CString,
}

/// How a run ended.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The program ended by itself; belljar_report_exit_status is its own.
    Exited = 0,
    /// A signal ended the program; belljar_report_signal tells which.
    Signaled = 1,
    /// The time limit was reached.
    TimedOut = 2,
    /// Another limit was reached; the reason names it.
    LimitHit = 3,
    /// The system call filter ended the program.
    Violation = 4,
    /// Something else; the reason tells what.
    Other = 5,
}

impl Verdict {
    fn of(ending: Ending) -> Self {
        match ending {
            Ending::Exited { .. } => Self::Exited,
            Ending::Signaled { .. } => Self::Signaled,
            Ending::TimedOut => Self::TimedOut,
            Ending::LimitHit { .. } => Self::LimitHit,
            Ending::Violation => Self::Violation,
            _ => Self::Other,
        }
    }
}

impl Report {
    pub(crate) fn new(report: &belljar::Report) -> Self {
        Self {
            verdict: Verdict::of(report.verdict),
            status: c_int::from(report.verdict.exit_code()),
            signal: report.signal().unwrap_or(0),
            reason: c_text(&report.reason),
            hint: c_text(&report.hint),
            json: c_text(&report.to_json()),
        }
    }
}

fn known(report: Option<&Report>) -> Result<&Report, Fault> {
    report.ok_or(Fault::Null("report"))
}

/// How the run ended.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_report_verdict(report: Option<&Report>) -> Verdict {
    guard(Verdict::Other, || Ok(known(report)?.verdict))
}

/// The exit status that the command belljar would end with: the program's own, or 128 and its signal, or 124 for time. -1 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_report_exit_status(report: Option<&Report>) -> c_int {
    guard(-1, || Ok(known(report)?.status))
}

/// The signal that ended the program, or 0. -1 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_report_signal(report: Option<&Report>) -> c_int {
    guard(-1, || Ok(known(report)?.signal))
}

/// One sentence about the verdict; empty when the program ended by itself. It lives as long as the report. NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_report_reason(report: Option<&Report>) -> *const c_char {
    guard(ptr::null(), || Ok(known(report)?.reason.as_ptr()))
}

/// What to do about it; empty when nothing. It lives as long as the report. NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_report_hint(report: Option<&Report>) -> *const c_char {
    guard(ptr::null(), || Ok(known(report)?.hint.as_ptr()))
}

/// The whole report as JSON, as docs/report.schema.json describes it. It lives as long as the report. NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_report_json(report: Option<&Report>) -> *const c_char {
    guard(ptr::null(), || Ok(known(report)?.json.as_ptr()))
}

/// Frees a report; NULL is nothing.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_report_free(report: Option<Box<Report>>) {
    guard((), || {
        drop(report);
        Ok(())
    });
}
