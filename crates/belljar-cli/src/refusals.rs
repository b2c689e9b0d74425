//! What a run was refused, in a few lines: what, by which rule, and the flag that allows it.

use belljar::Report;
use belljar::event::{Access, Event};
use belljar::report::Verdict;

use crate::text;

/// Most refusals that are shown after a run.
const SHOWN: usize = 6;

/// The unix sockets that a run never tells of: the C library tries one whenever it looks up a user or a host, `syslog` another.
const TRIED: [&str; 2] = ["AF_UNIX SOCK_STREAM SOCK_NONBLOCK", "AF_UNIX SOCK_DGRAM"];

/// The lines after a run; empty when nothing was refused that explains anything. Calls that programs only try, and servers of
/// their own that they look for, are no news after a run that went well.
pub(crate) fn block(report: &Report) -> String {
    let well = report.verdict == Verdict::Exited { code: 0 };
    let own = |event: &Event| event.flag.as_deref().is_some_and(|flag| flag.starts_with("--reach "));
    let tried = |event: &Event| match event.access {
        Access::Call => well || TRIED.contains(&event.object.as_str()),
        Access::Connect => well && own(event),
        _ => false,
    };
    let worth = |event: &&Event| !tried(event);
    let found = merged(report.denials().filter(worth));
    if found.is_empty() {
        return String::new();
    }
    let mut text = "belljar: refused\n".to_owned();
    found.iter().take(SHOWN).for_each(|refusal| text += &refusal.lines());
    let rest = u64::try_from(found.len().saturating_sub(SHOWN)).unwrap_or(0);
    match rest.saturating_add(report.more_events) {
        0 => text,
        more => {
            text + &format!("  and {more} more: run with --report FILE, then belljar why --report FILE\n")
        }
    }
}

/// After a failure that may have to do with the jar: paths that it lacks leave no trace in a run that is not explained.
pub(crate) fn hint(report: &Report, suspected: bool) -> &'static str {
    match report.verdict {
        Verdict::Exited { code: 1.. } if suspected => {
            "hint: belljar run --explain also says which paths of the host it lacked or could not write\n"
        }
        _ => "",
    }
}

/// All refusals of a report, for `belljar why --report`.
pub(crate) fn all(report: &Report) -> String {
    let mut text: String = merged(report.denials()).iter().map(Refusal::lines).collect();
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
fn pasteable(flag: &str) -> String {
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
        assert_eq!(block(&report(1, vec![granted])), "");
    }

    #[test]
    fn what_which_rule_and_which_flag() {
        let event = denied("connect", "github.com:443", Access::Connect).flag("--net github.com:443");
        assert_eq!(
            block(&report(0, vec![event])),
            "belljar: refused\n  connect github.com:443 (curl): net.mode = \"none\" (default)\n    to allow: --net github.com:443\n"
        );
    }

    #[test]
    fn a_connection_of_which_nothing_is_left_has_no_program() {
        let event = denied("connect", "a.org:444", Access::Connect).program("".as_ref());
        let text = block(&report(0, vec![event]));
        assert!(text.contains("connect a.org:444 (unknown program): "), "{text}");
    }

    #[test]
    fn several_ways_to_one_object_are_one_line() {
        let look = denied("newfstatat", "/x", Access::Look).flag("--read /x");
        let read = denied("openat", "/x", Access::Read).flag("--read /x");
        let text = block(&report(0, vec![look, read]));
        assert!(text.contains("  look, read /x (curl, 2 times): "), "{text}");
        assert_eq!(text.lines().count(), 3, "{text}");
    }

    #[test]
    fn the_block_stays_short_and_counts_the_rest() {
        let events = (0..40).map(|n| denied("openat", &format!("/{n}"), Access::Read)).collect();
        let mut report = report(1, events);
        report.more_events = 5;
        let text = block(&report);
        assert_eq!(text.lines().count(), SHOWN + 2, "{text}");
        assert!(text.contains("and 39 more"), "{text}");
    }

    #[test]
    fn calls_that_programs_only_try_are_told_after_a_failure() {
        let probe = |object| vec![denied("socket", object, Access::Call)];
        assert_eq!(block(&report(0, probe("AF_PACKET SOCK_RAW"))), "");
        assert!(
            block(&report(1, probe("AF_PACKET SOCK_RAW"))).contains("socket AF_PACKET SOCK_RAW (curl): ")
        );
        assert!(
            block(&report(1, probe("AF_UNIX SOCK_STREAM"))).contains("socket AF_UNIX SOCK_STREAM (curl): ")
        );
    }

    #[test]
    fn sockets_that_libraries_try_are_told_when_asked() {
        for object in TRIED {
            let tried = || vec![denied("socket", object, Access::Call)];
            assert_eq!(block(&report(1, tried())), "");
            assert!(all(&report(1, tried())).contains(object));
        }
    }

    #[test]
    fn a_port_of_the_own_loopback_is_told_after_a_failure() {
        let event = || denied("connect", "127.0.0.1:5432", Access::Connect).flag("--reach localhost:5432");
        assert_eq!(block(&report(0, vec![event()])), "");
        assert!(block(&report(1, vec![event()])).contains("to allow: --reach localhost:5432"));
    }

    #[test]
    fn a_forged_line_stays_in_its_own() {
        let mut event = denied("openat", "/x", Access::Read);
        event.object = "a\u{1b}[2J\nbelljar: all is well".to_owned();
        event.flag = Some("--read x\ny".to_owned());
        let text = block(&report(0, vec![event]));
        assert!(
            !text.contains('\u{1b}') && text.lines().all(|line| !line.starts_with("belljar: all")),
            "{text}"
        );
    }

    #[test]
    fn flags_can_be_pasted() {
        assert_eq!(pasteable("--read /a/b-c.d"), "--read /a/b-c.d");
        assert_eq!(pasteable("--read /a b"), "--read '/a b'");
        assert_eq!(pasteable("--read /a'$x"), "--read '/a'\\''$x'");
        assert_eq!(pasteable("--debug"), "--debug");
    }
}
