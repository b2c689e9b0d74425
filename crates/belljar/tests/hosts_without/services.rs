//! Services for programs that know nothing of them.

use belljar::HostFacts;
use belljar::error::{PlanError, StartError};
use belljar::report::Verdict;

use crate::jar_under;
use crate::support::jars::{self, Place};

/// Answers lie in files of the jar's own: without a root of its own it has none, and says which answer that was.
pub(crate) fn answers_of_services_stop_the_start(facts: &HostFacts) {
    for (service, file) in
        [("dns=localhost", "/etc/hosts"), ("users=root", "/etc/passwd"), ("users", "/etc/passwd")]
    {
        let place = Place::new();
        let mut command = jar_under(facts, &place, &[("--service", service)], "touch $G/run");
        let error = command.spawn().unwrap_err();
        let StartError::Plan(PlanError::NeedsUserns { rule, origin }) = &error else { panic!("{error:?}") };
        assert_eq!(
            (rule.as_str(), origin.as_str()),
            (&*format!("own text {file}"), &*format!("--service {service}"))
        );
        assert!(error.to_string().ends_with("needs user namespaces, which this host refuses"), "{error}");
        assert!(error.hint(facts).contains("belljar doctor"), "{}", error.hint(facts));
        let report = command.run();
        assert_eq!((report.verdict, report.verdict.exit_code()), (Verdict::SetupFailed, 125));
        assert!(report.reason.contains(file) && report.hint.contains("belljar doctor"), "{report:?}");
        assert_eq!(Place::names(&place.granted()), ["victim"], "nothing was run");
    }
}

/// What is a grant in other words is held as grants are.
pub(crate) fn services_that_are_grants_are_held(facts: &HostFacts) {
    let place = Place::new();
    let named = format!("{}/victim", place.outside().display());
    let script = "cat \"$1\"; cat $O/secret; cat /usr/share/zoneinfo/UTC > /dev/null && echo zone";
    for (service, seen) in [("fileargs", "unharmed"), ("time", "")] {
        let mut command = jar_under(facts, &place, &[("--service", service)], script);
        let done = jars::finish(command.args(["sh", &named])).unwrap();
        assert!(done.out.starts_with(seen) && !done.out.contains(jars::SECRET), "{service}: {done:?}");
        assert_eq!(done.out.contains("unharmed"), service == "fileargs", "{service}: {done:?}");
    }
}
