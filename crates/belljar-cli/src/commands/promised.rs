//! What promises add to an answer of `belljar why`.

use belljar::bpf::{self, Promises};
use belljar::policy::{Asked, Decision, Origin, Policy, Setting};
use belljar::report::Verdict;

use crate::fault::Fault;

/// Words that opening a path, or reaching a host, takes.
const PATHS: &[(&str, &str)] =
    &[("rpath", "reading"), ("wpath", "writing"), ("cpath", "making and removing")];
const HOSTS: &[(&str, &str)] = &[("inet", "connecting"), ("dns", "looking up names")];

/// What a policy promises; none when it promises nothing.
pub(super) fn of(policy: &Policy) -> Result<Option<(Promises, &Setting<String>)>, Fault> {
    let Some(setting) = &policy.promises else { return Ok(None) };
    let read = setting.value.parse().map_err(|error: bpf::PromiseError| {
        Fault::new(Verdict::SetupFailed, error.to_string(), "belljar explain promises lists the words")
    });
    read.map(|promises| Some((promises, setting)))
}

/// The decision about a call, where the program has promised what it does.
pub(super) fn call(
    decision: Decision,
    nr: u32,
    (promises, setting): (Promises, &Setting<String>),
) -> Decision {
    let mut decision = decision;
    if !decision.allowed {
        return decision;
    }
    decision.rule = format!("promises = \"{}\"", setting.value);
    decision.origin = setting.origin.clone();
    decision.allowed = promises.rows(nr).any(|(_, row)| row.answer().is_none());
    if !decision.allowed {
        let ends = if promises.has("error") { "fails with ENOSYS" } else { "ends the program (SIGSYS)" };
        decision.note = Some(format!("a call that is not promised {ends}"));
        decision.flag = missing(nr).map(|word| format!("--promise \"{} {word}\"", setting.value));
    }
    decision
}

/// The words that would allow a call; of several the ones that allow the least.
fn missing(nr: u32) -> Option<String> {
    let speaks = |promise: &&bpf::Promise| {
        promise.rows().iter().any(|row| row.syscall() == nr && row.answer().is_none())
    };
    let able = bpf::promises().chain(bpf::joint_promises()).filter(speaks);
    able.min_by_key(|promise| (!promise.paths().is_empty(), promise.rows().len()))
        .map(|promise| promise.name().replace('+', " "))
}

/// The lines behind the answer: which promise speaks of the call, or which an object of this kind takes.
pub(super) fn lines(
    asked: Asked,
    number: Option<u32>,
    promised: Option<(Promises, &Setting<String>)>,
) -> String {
    let Some((promises, setting)) = promised else { return String::new() };
    let words = match asked {
        Asked::Path => PATHS,
        Asked::Host => HOSTS,
        _ => return number.map(|nr| speaks(promises, nr)).unwrap_or_default(),
    };
    let row = |(word, what): &(&str, &str)| {
        let said = if promises.has(word) { "promised" } else { "not promised" };
        format!("  {what} takes the promise {word}: {said} ({})\n", origin(&setting.origin))
    };
    words.iter().map(row).collect()
}

fn origin(origin: &Origin) -> String {
    origin.to_string()
}

fn speaks(promises: Promises, nr: u32) -> String {
    let row = |(name, row): (&str, &bpf::GroupRow)| {
        let when = if row.condition().is_some() { ", only with some arguments" } else { "" };
        let refused = row.answer().map(|errno| format!(", refused with error {errno}")).unwrap_or_default();
        format!("  in promise {name}{when}{refused}: {}\n", row.reason())
    };
    promises.rows(nr).map(row).collect()
}
