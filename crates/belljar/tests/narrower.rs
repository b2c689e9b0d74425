//! Rules that give less than a grant around them: who keeps them on recorded hosts.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test fails by panicking")]

mod support;

use belljar::plan::{Call, plan};
use belljar::report::Layer;
use support::recorded::{host, policy};

/// Mounts end with the names that they lie on: the broker keeps what a rule gives less than a grant around it.
#[test]
fn rules_inside_grants_are_kept_by_the_broker_where_there_can_be_one() {
    let user = host("linux-6.18-user");
    let rows: &[(&[(&str, &str)], bool)] = &[
        (&[], false),
        (&[("-p", "@dev")], false),
        (&[("-w", "/opt/a"), ("-w", "/opt/a/b"), ("-r", "/opt/data")], false),
        (&[("-r", "/opt/a"), ("-w", "/opt/a/b")], false),
        (&[("-r", "/opt/a"), ("--hide", "/opt/a/key")], true),
        (&[("-w", "/opt/a"), ("-r", "/opt/a/b")], true),
        (&[("-w", "/opt/a"), ("--read-noexec", "?/opt/a/b")], true),
        (&[("--cow", "/opt/a"), ("--throw-away", "1M"), ("--hide", "/opt/a/b"), ("-r", "/opt/a/c")], false),
    ];
    for (flags, kept) in rows {
        let made = plan(&policy(flags), &user, Call::default()).unwrap();
        let calls = made.broker.as_ref().map(|broker| broker.calls.as_slice()).unwrap_or_default();
        for call in ["creat", "rename", "linkat", "unlink", "truncate", "utimensat", "fchmod", "fsetxattr"] {
            assert_eq!(calls.iter().any(|known| known == call), *kept, "{flags:?} {call}");
        }
        assert_eq!(calls.iter().any(|call| call.starts_with("openat when ")), *kept, "{flags:?}");
        assert!(!calls.iter().any(|call| call.starts_with("stat")), "looking costs nothing: {flags:?}");
        let told = made.enforced.iter().any(|row| row.layers.contains(&Layer::Broker));
        assert_eq!(told, *kept, "{flags:?}");
    }
    let older = host("ubuntu-22.04-kernel-5.15-abi-1");
    let made = plan(&policy(&[("-w", "/opt/a"), ("-r", "/opt/a/b")]), &older, Call::default()).unwrap();
    assert!(
        made.broker.is_none() && made.notes.iter().any(|note| note.contains("in the place of")),
        "{made}"
    );
}
