//! What the planner refuses.

use belljar::HostFacts;
use belljar::error::PlanError;
use belljar::plan::{Call, plan};

use crate::support::recorded;

#[test]
fn networks_by_name_need_a_namespace_or_a_broker_and_ports_that_can_be_served() {
    let user = recorded::host("linux-6.18-user");
    let refused = |flags: &[(&str, &str)], host: &HostFacts| {
        plan(&recorded::policy(flags), host, Call::default()).unwrap_err()
    };
    let mut restricted = recorded::host("ubuntu-24.04-apparmor-restricted");
    let weaker = [("--allow-weaker", "fs"), ("--allow-weaker", "ipc"), ("--allow-weaker", "net")];
    for flags in [[("-n", "a.org:443")], [("--reach", "localhost:80")], [("--publish", "8080")]] {
        plan(&recorded::policy(&[&flags[..], &weaker].concat()), &restricted, Call::default()).unwrap();
    }
    restricted.seccomp_notify = false;
    for flags in [[("-n", "a.org:443")], [("--reach", "localhost:80")], [("--publish", "8080")]] {
        let error = refused(&[&flags[..], &weaker].concat(), &restricted);
        assert!(matches!(error, PlanError::NeedsUserns { .. }), "{error}");
        assert!(error.to_string().contains(flags[0].1), "{error}");
    }
    let error = refused(&[("-n", "9.9.9.9:53")], &user);
    assert!(matches!(error, PlanError::PortTaken { port: 53, .. }), "{error}");
    let ports: Vec<String> = (1000..1201).map(|port| format!("a.org:{port}")).collect();
    let flags: Vec<(&str, &str)> = ports.iter().map(|host| ("-n", host.as_str())).collect();
    let error = refused(&flags, &user);
    assert!(matches!(error, PlanError::TooManyPorts { count: 201, most: 200 }), "{error}");
    assert!(error.hint().contains("fewer ports"), "{}", error.hint());
    plan(&recorded::policy(&flags[1..]), &user, Call::default()).unwrap();
}

#[test]
fn landlock_closes_other_ports_when_it_is_required() {
    let user = recorded::host("linux-6.18-user");
    let flags = [("-n", "a.org:443"), ("--require", "net=landlock")];
    let closed = plan(&recorded::policy(&flags), &user, Call::default()).unwrap();
    assert_eq!(closed.landlock.unwrap().net, 2, "connect is handled");
    let open = plan(&recorded::policy(&flags[..1]), &user, Call::default()).unwrap();
    assert_eq!(open.landlock.unwrap().net, 0, "servers of the jar are reached by its programs");
    let unmet = |flags: &[(&str, &str)], host: &str| {
        let error = plan(&recorded::policy(flags), &recorded::host(host), Call::default()).unwrap_err();
        assert!(matches!(error, PlanError::RequirementUnmet { subject: "net", .. }), "{error}");
    };
    unmet(&flags, "rhel-9-no-landlock");
    // The broker, which connects then, is in no domain.
    unmet(&[&flags[..], &[("--socket", "/run/x.sock")]].concat(), "linux-6.18-user");
}

#[test]
fn a_traced_jar_connects_by_the_broker_unless_landlock_decides() {
    let user = recorded::host("linux-6.18-user");
    let connects = |flags: &[(&str, &str)]| {
        let mut policy = recorded::policy(flags);
        policy.trace.value = true;
        let broker = plan(&policy, &user, Call::default()).unwrap().broker.unwrap();
        broker.calls.iter().any(|call| call == "connect")
    };
    let flags = [("-n", "a.org:443"), ("--require", "net=landlock")];
    assert!(connects(&flags[..1]));
    assert!(!connects(&flags) && !connects(&[]), "no network of hosts, or one that Landlock guards");
}

#[test]
fn unix_sockets_need_a_broker_and_engines_the_long_word() {
    let flags = [("--socket", "/run/x.sock")];
    let mut host = recorded::host("linux-6.18-user");
    let planned = plan(&recorded::policy(&flags), &host, Call::default()).unwrap();
    assert!(planned.broker.is_some_and(|broker| broker.calls == ["connect"]));
    host.seccomp_notify = false;
    let error = plan(&recorded::policy(&flags), &host, Call::default()).unwrap_err();
    assert!(matches!(error, PlanError::NeedsNotify { rule: "socket", .. }), "{error}");
}
