//! What a run was refused, in a few lines: what, by which rule, and the flag that allows it.

use belljar::Report;
use belljar::event::{Access, Event};
use belljar::report::Verdict;

use crate::text;

/// Most refusals that are shown after a run.
const SHOWN: usize = 6;

/// The unix sockets that a run never tells of: the C library tries one whenever it looks up a user or a host, `syslog` another.
const TRIED: [&str; 2] = ["AF_UNIX SOCK_STREAM SOCK_NONBLOCK", "AF_UNIX SOCK_DGRAM"];

/// The lines after a run; empty when nothing was refused that explains anything. Calls that programs only try, servers of
/// their own that they look for, and paths, are no news after a run that went well, but for who has asked for an explanation.
pub(crate) fn block(report: &Report, explained: bool) -> String {
    let well = report.verdict == Verdict::Exited { code: 0 };
    let own = |event: &Event| event.flag.as_deref().is_some_and(|flag| flag.starts_with("--reach "));
    let tried = |event: &Event| match event.access {
        Access::Call => well || TRIED.contains(&event.object.as_str()),
        Access::Connect => well && own(event),
        access => well && !explained && is_of_paths(access) && event.object.starts_with('/'),
    };
    let worth = |event: &&Event| !tried(event);
    let refused = listed("refused", &merged(report.denials().filter(worth)), report.more_events);
    refused + &if well { String::new() } else { failures(report) }
}

fn is_of_paths(access: Access) -> bool {
    matches!(access, Access::Read | Access::Write | Access::Execute | Access::Look | Access::Attributes)
}

/// What was granted, and came to nothing outside the jar.
fn failures(report: &Report) -> String {
    listed("granted, and not reached", &merged(report.failures()), 0)
}

fn listed(what: &str, found: &[Refusal<'_>], more: u64) -> String {
    if found.is_empty() {
        return String::new();
    }
    let mut text = format!("belljar: {what}\n");
    found.iter().take(SHOWN).for_each(|refusal| text += &refusal.lines());
    let rest = u64::try_from(found.len().saturating_sub(SHOWN)).unwrap_or(0);
    match rest.saturating_add(more) {
        0 => text,
        more => {
            text + &format!("  and {more} more: run with --report FILE, then belljar why --report FILE\n")
        }
    }
}

/// Statuses by which shells say that a program is not there, or not to be run.
const NOT_STARTED: [u8; 2] = [126, 127];

/// After a failure that may have to do with the jar: paths that it lacks leave no trace in a run that is not explained, and
/// programs that it lacks none at all.
pub(crate) fn hint(report: &Report, explained: bool) -> &'static str {
    match report.verdict {
        Verdict::Exited { code } if NOT_STARTED.contains(&code) => {
            "hint: a program that it wanted to start is not in the jar, or not to be run there: grant its folder with -r\n"
        }
        Verdict::Exited { code: 1.. } if !explained => {
            "hint: belljar run --explain says which paths of the host it lacked or could not write\n"
        }
        _ => "",
    }
}

/// After a failure: a socket that libraries try in vain is also what a server or a client of one would want.
pub(crate) fn tried(report: &Report) -> String {
    let tried = |event: &&Event| event.access == Access::Call && TRIED.contains(&event.object.as_str());
    let flag = match report.verdict {
        Verdict::Exited { code: 1.. } => report.denials().find(tried).and_then(|event| event.flag.as_ref()),
        _ => None,
    };
    flag.map(|flag| {
        format!("hint: a unix socket was refused, which libraries only try; if it needs one: {flag}\n")
    })
    .unwrap_or_default()
}

/// All refusals of a report, for `belljar why --report`.
pub(crate) fn all(report: &Report) -> String {
    let mut text: String = merged(report.denials()).iter().map(Refusal::lines).collect();
    text += &failures(report);
    if text.is_empty() {
        text.push_str(
            "nothing was refused that this report tells of; belljar run --explain also tells of paths\n",
        );
    }
    match report.more_events {
        0 => text,
        more => text + &format!("  and {more} more that found no room\n"),
    }
}

/// Events about one object with one remedy.
struct Refusal<'r> {
    first: &'r Event,
    words: Vec<String>,
    count: u64,
}

/// Programs try the same thing in several ways: one line for all of them.
fn merged<'r>(events: impl Iterator<Item = &'r Event>) -> Vec<Refusal<'r>> {
    let mut found: Vec<Refusal<'r>> = Vec::new();
    for event in events {
        let word = wanted(event);
        let same = |refusal: &&mut Refusal<'_>| {
            refusal.first.object == event.object && refusal.first.flag == event.flag
        };
        match found.iter_mut().find(same) {
            Some(refusal) => {
                refusal.count = refusal.count.saturating_add(event.count);
                if !refusal.words.contains(&word) {
                    refusal.words.push(word);
                }
            }
            None => found.push(Refusal { first: event, words: vec![word], count: event.count }),
        }
    }
    found
}

/// What was wanted: the access by its word, a call by its name.
fn wanted(event: &Event) -> String {
    match event.access {
        Access::Call => event.call.clone(),
        access => crate::summary::word(serde_json::to_value(access)),
    }
}

impl Refusal<'_> {
    fn lines(&self) -> String {
        let Event { object, program, rule, origin, flag, .. } = self.first;
        let times = if self.count > 1 { format!("{} times", self.count) } else { String::new() };
        let program = if program.is_empty() { nobody(self.first.access) } else { program };
        let who: Vec<&str> = [program, &times].into_iter().filter(|part| !part.is_empty()).collect();
        let who = if who.is_empty() { String::new() } else { format!(" ({})", who.join(", ")) };
        let what = [self.words.join(", "), object.clone()].join(" ");
        let rule = if rule.is_empty() { String::new() } else { format!(": {rule} ({origin})") };
        let remedy = flag.as_ref().map(|flag| format!("    to allow: {}\n", text::name(&pasteable(flag))));
        format!(
            "  {}\n{}",
            text::name(&format!("{}{who}{rule}", what.trim_end())),
            remedy.unwrap_or_default()
        )
    }
}

/// Of what a network refuses no socket may be left to tell whose it was.
fn nobody(access: Access) -> &'static str {
    if matches!(access, Access::Connect | Access::Resolve) { "unknown program" } else { "" }
}

/// A flag and its value as a shell reads them.
pub(crate) fn pasteable(flag: &str) -> String {
    let Some((name, value)) = flag.split_once(' ') else { return flag.to_owned() };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:,@%+=".contains(&byte);
    if value.bytes().all(plain) {
        return flag.to_owned();
    }
    format!("{name} '{}'", value.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use belljar::event;

    use super::*;

    fn denied(call: &str, object: &str, access: Access) -> Event {
        Event::new(event::Verdict::Denied, call, object.as_ref())
            .access(access)
            .rule("net.mode = \"none\"", "default")
            .program("curl".as_ref())
    }

    fn report(code: u8, events: Vec<Event>) -> Report {
        let mut report = Report::new(Verdict::Exited { code });
        report.events = events;
        report
    }

    #[test]
    fn a_run_without_refusals_is_not_worth_a_word() {
        let granted = Event::new(event::Verdict::Granted, "openat", "/a".as_ref());
        assert_eq!(block(&report(1, vec![granted]), false), "");
    }

    #[test]
    fn what_which_rule_and_which_flag() {
        let event = denied("connect", "github.com:443", Access::Connect).flag("--net github.com:443");
        assert_eq!(
            block(&report(0, vec![event]), false),
            "belljar: refused\n  connect github.com:443 (curl): net.mode = \"none\" (default)\n    to allow: --net github.com:443\n"
        );
    }

    #[test]
    fn a_connection_of_which_nothing_is_left_has_no_program() {
        let event = denied("connect", "a.org:444", Access::Connect).program("".as_ref());
        let text = block(&report(0, vec![event]), false);
        assert!(text.contains("connect a.org:444 (unknown program): "), "{text}");
    }

    #[test]
    fn several_ways_to_one_object_are_one_line() {
        let look = denied("newfstatat", "/x", Access::Look).flag("--read /x");
        let read = denied("openat", "/x", Access::Read).flag("--read /x");
        let text = block(&report(1, vec![look, read]), false);
        assert!(text.contains("  look, read /x (curl, 2 times): "), "{text}");
        assert_eq!(text.lines().count(), 3, "{text}");
    }

    #[test]
    fn the_block_stays_short_and_counts_the_rest() {
        let events = (0..40).map(|n| denied("openat", &format!("/{n}"), Access::Read)).collect();
        let mut report = report(1, events);
        report.more_events = 5;
        let text = block(&report, false);
        assert_eq!(text.lines().count(), SHOWN + 2, "{text}");
        assert!(text.contains("and 39 more"), "{text}");
    }

    #[test]
    fn calls_that_programs_only_try_are_told_after_a_failure() {
        let probe = |object| vec![denied("socket", object, Access::Call)];
        assert_eq!(block(&report(0, probe("AF_PACKET SOCK_RAW")), false), "");
        assert!(
            block(&report(1, probe("AF_PACKET SOCK_RAW")), false)
                .contains("socket AF_PACKET SOCK_RAW (curl): ")
        );
        assert!(
            block(&report(1, probe("AF_UNIX SOCK_STREAM")), false)
                .contains("socket AF_UNIX SOCK_STREAM (curl): ")
        );
    }

    #[test]
    fn sockets_that_libraries_try_are_told_when_asked() {
        for object in TRIED {
            let tried = || vec![denied("socket", object, Access::Call)];
            assert_eq!(block(&report(1, tried()), false), "");
            assert!(all(&report(1, tried())).contains(object));
        }
    }

    #[test]
    fn a_port_of_the_own_loopback_is_told_after_a_failure() {
        let event = || denied("connect", "127.0.0.1:5432", Access::Connect).flag("--reach localhost:5432");
        assert_eq!(block(&report(0, vec![event()]), false), "");
        assert!(block(&report(1, vec![event()]), false).contains("to allow: --reach localhost:5432"));
    }

    #[test]
    fn a_forged_line_stays_in_its_own() {
        let mut event = denied("openat", "/x", Access::Read);
        event.object = "a\u{1b}[2J\nbelljar: all is well".to_owned();
        event.flag = Some("--read x\ny".to_owned());
        let text = block(&report(1, vec![event]), false);
        assert!(
            !text.contains('\u{1b}') && text.lines().all(|line| !line.starts_with("belljar: all")),
            "{text}"
        );
    }

    #[test]
    fn paths_are_told_after_a_failure_or_when_asked() {
        let read = || vec![denied("openat", "/x", Access::Read)];
        assert_eq!(block(&report(0, read()), false), "");
        assert!(block(&report(0, read()), true).contains("read /x"));
        assert!(block(&report(1, read()), false).contains("read /x"));
    }

    #[test]
    fn what_was_granted_and_not_reached_is_told_after_a_failure() {
        let event = Event::new(event::Verdict::Failed, "connect", "a.org:443".as_ref());
        let failed =
            || vec![event.clone().access(Access::Connect).rule("does not answer", "outside the jar")];
        assert_eq!(block(&report(0, failed()), false), "");
        let text = block(&report(1, failed()), false);
        assert!(text.starts_with("belljar: granted, and not reached\n  connect a.org:443 ("), "{text}");
        assert!(all(&report(0, failed())).contains("does not answer"));
    }

    #[test]
    fn a_socket_that_libraries_try_is_a_hint_after_a_failure() {
        let tried = |flag: &str| vec![denied("socket", TRIED[0], Access::Call).flag(flag)];
        assert_eq!(super::tried(&report(0, tried("--x"))), "");
        assert!(super::tried(&report(1, tried("--x"))).ends_with(": --x\n"));
    }

    #[test]
    fn flags_can_be_pasted() {
        assert_eq!(pasteable("--read /a/b-c.d"), "--read /a/b-c.d");
        assert_eq!(pasteable("--read /a b"), "--read '/a b'");
        assert_eq!(pasteable("--read /a'$x"), "--read '/a'\\''$x'");
        assert_eq!(pasteable("--debug"), "--debug");
    }
}
