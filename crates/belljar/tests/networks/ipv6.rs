//! Addresses of IPv6 as numbers: granted by a rule or an answer, they are reached as those of IPv4 are. The test runs once more
//! in a network of its own, where such an address is the host's.

use super::Server;
use super::asked::{everywhere, run};
use super::relayed::{can_relay, poorer};
use super::support::is_root;

/// The variable of a test that runs in that network.
const INSIDE: &str = "BELLJAR_OWN_NETWORK";
const HOST: &str = "2001:db8::1";

/// Brings the loopback up and gives it the address, then becomes another program.
const SET_UP: &str = "
import fcntl, os, socket, struct, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
fcntl.ioctl(s, 0x8914, struct.pack('16sH22x', b'lo', 0x41))
fcntl.ioctl(s, 0x8916, struct.pack('16sIi', socket.inet_pton(socket.AF_INET6, '2001:db8::1'), 128, 1))
os.execv(sys.argv[1], sys.argv[1:])";

/// Whether this is the network with the address. Elsewhere the test of this name is run there.
fn is_inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let own: &[&str] = if is_root() { &["-n"] } else { &["-Un", "--map-current-user", "--keep-caps"] };
    let mut again = std::process::Command::new("unshare");
    again.args(own).args(["python3", "-c", SET_UP]).arg(std::env::current_exe().unwrap());
    let done = again.args(["--exact", test]).env(INSIDE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
    false
}

#[test]
fn what_an_answer_grants_is_reached() {
    if !can_relay() || !is_inside("ipv6::what_an_answer_grants_is_reached") {
        return;
    }
    let (server, other) = (Server::at(HOST, "wanted"), Server::at(HOST, "other"));
    let (port, closed) = (server.port, other.port);
    let script = format!("print(ask('{HOST}', {port}), ask('{HOST}', {port}), ask('{HOST}', {closed}))");
    let shown = everywhere(&[], &["once", "never"], &script);
    assert_eq!(shown.out, "wanted wanted ECONNREFUSED\n", "{shown:?}");
    assert_eq!(shown.asked, [port, closed].map(|port| format!("connect [{HOST}]:{port}")), "each once");
    assert_eq!((server.visits(), other.visits()), (8, 0), "two of each run");
}

#[test]
fn what_is_always_granted_is_a_rule_that_a_later_run_has() {
    if !can_relay() || !is_inside("ipv6::what_is_always_granted_is_a_rule_that_a_later_run_has") {
        return;
    }
    let server = Server::at(HOST, "wanted");
    let (script, grant) =
        (format!("print(ask('{HOST}', {}))", server.port), format!("[{HOST}]:{}", server.port));
    let shown = run(None, &[], &["always"], &script);
    assert_eq!(shown.out, "wanted\n", "{shown:?}");
    assert!(shown.saved.contains(&format!("\"{grant}\"")), "{shown:?}");
    for facts in [None, Some(poorer())] {
        let later = run(facts, &[("-n", &grant)], &[], &script);
        assert_eq!((later.out.as_str(), later.asked.len()), ("wanted\n", 0), "{later:?}");
    }
    assert_eq!(server.visits(), 3);
}

#[test]
fn a_port_that_was_granted_late_is_served_for_both_families() {
    if !can_relay() || !is_inside("ipv6::a_port_that_was_granted_late_is_served_for_both_families") {
        return;
    }
    let server = Server::at(HOST, "wanted");
    let script = format!(
        "print(ask('{HOST}', {0}), ask('9.9.9.9', {0}), ask('2001:db8::2', {0}), ask('::ffff:9.9.9.9', {0}))",
        server.port
    );
    let shown = run(None, &[], &["once", "never", "never"], &script);
    assert_eq!(shown.out, "wanted ECONNREFUSED ECONNREFUSED ECONNREFUSED\n", "{shown:?}");
    assert_eq!((shown.asked.len(), server.visits()), (3, 1), "{shown:?}");
}
