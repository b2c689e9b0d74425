//! What programs say to `/dev/log`: it becomes lines in the place that the policy names, and nobody else hears it.

use std::os::unix::net::UnixDatagram;

use belljar::HostFacts;
use belljar::probe::Userns;

use super::support::has_python;
use super::support::jars::{self, Done, Place};

const SPEAK: &str = "
import socket, os, errno, array
def say(kind, *messages, to='/dev/log'):
    try:
        s = socket.socket(socket.AF_UNIX, kind)
        s.connect(to)
        for message in messages:
            s.send(message)
        return s
    except OSError as error:
        print(kind.name, to, errno.errorcode.get(error.errno))
packets, stream, sequence = socket.SOCK_DGRAM, socket.SOCK_STREAM, socket.SOCK_SEQPACKET
";

fn is_ready() -> bool {
    super::is_ready() && has_python() && super::support::has("notify", belljar::probe::probe().seccomp_notify)
}

/// Runs a script whose log lies outside; what it did, and the log.
fn speak(place: &Place, facts: Option<HostFacts>, more: &[(&str, &str)], script: &str) -> (Done, String) {
    let script = format!("{SPEAK}\nG = '{}'\n{script}", place.granted().display());
    std::fs::write(place.granted().join("script.py"), script).unwrap();
    let (log, granted) = (place.outside().join("log"), place.granted());
    let service = format!("log={}", log.display());
    let mut flags = vec![("--service", service.as_str()), ("-w", granted.to_str().unwrap())];
    flags.extend_from_slice(more);
    let mut command = jars::shell(place, &flags, "exec python3 script.py");
    if let Some(facts) = facts {
        command.host(facts);
    }
    let done = jars::finish(&mut command).unwrap();
    (done, std::fs::read_to_string(log).unwrap())
}

/// A host that lets nobody make namespaces.
fn poorer() -> HostFacts {
    let mut facts = belljar::probe::probe();
    facts.userns = Userns::Refused;
    facts
}

/// Without the time and the numbers of processes.
fn said(log: &str) -> Vec<&str> {
    log.lines().filter_map(|line| line.split_once("] ").map(|(_, rest)| rest)).collect()
}

const SAYS: &str = "
say(packets, b'<11>Nov 30 17:00:00 me: one\\nerror: two', b'<15>' + b'x' * 5000)
say(stream, b'<12>me: three\\0<13>me: fo', b'ur\\nfive')
say(sequence, b'no')
";

fn everything_is_said(done: &Done, log: &str) {
    assert_eq!(done.report.verdict.exit_code(), 0, "{done:?}");
    assert_eq!(done.out, "SOCK_SEQPACKET /dev/log EACCES\n", "{done:?}");
    let mut said = said(log);
    said.sort_unstable();
    let long = format!("debug: {}", "x".repeat(1000));
    let expected = [
        long.as_str(),
        "error: me: one\\nerror: two",
        "notice: five",
        "notice: me: four",
        "warning: me: three",
    ];
    assert_eq!(said, expected, "{log}");
}

#[test]
fn what_is_said_by_packets_and_in_a_stream_is_written_down_line_by_line() {
    if !is_ready() {
        return;
    }
    let (done, log) = speak(&Place::new(), None, &[], SAYS);
    everything_is_said(&done, &log);
}

#[test]
fn without_namespaces_the_same_is_written_down() {
    if !is_ready() {
        return;
    }
    let (done, log) = speak(&Place::new(), Some(poorer()), &[("--allow-weaker", "fs")], SAYS);
    everything_is_said(&done, &log);
}

#[test]
fn who_speaks_is_what_the_kernel_says() {
    if !is_ready() {
        return;
    }
    let script = "
s = say(packets, b'<14>parent')
if os.fork() == 0:
    s.send(b'<14>child says it is [1]')
    try:
        s.sendmsg([b'<14>claimed'], [(socket.SOL_SOCKET, 2, array.array('i', [1, 0, 0]))])
    except OSError:
        s.send(b'<14>claimed')
    os._exit(0)
os.wait()
";
    let (done, log) = speak(&Place::new(), None, &[], script);
    assert_eq!(done.report.verdict.exit_code(), 0, "{done:?}");
    let who = |line: &str| {
        line.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(who, _)| who.to_owned())
    };
    let numbers: Vec<Option<String>> = log.lines().map(who).collect();
    let [parent, child, claimed] = numbers.as_slice() else { panic!("{log}") };
    assert!(parent.is_some() && child.is_some() && parent != child && child == claimed, "{log}");
    assert!(numbers.iter().flatten().all(|who| who.parse::<u32>().unwrap() > 1), "{log}");
}

#[test]
fn a_socket_for_the_log_reaches_nobody_else() {
    if !is_ready() {
        return;
    }
    let place = Place::new();
    let bait = UnixDatagram::bind(place.granted().join("bait")).unwrap();
    std::fs::set_permissions(
        place.granted().join("bait"),
        std::os::unix::fs::PermissionsExt::from_mode(0o777),
    )
    .unwrap();
    bait.set_nonblocking(true).unwrap();
    let script = "
def refused(act):
    try:
        act()
        return 'done'
    except OSError as error:
        return errno.errorcode.get(error.errno)
say(packets, to=G + '/bait')
for s in [socket.socket(socket.AF_UNIX, packets), say(packets, b'x')]:
    refused(lambda: s.sendto(b'loot', G + '/bait'))
    refused(lambda: s.sendmsg([b'loot'], [], 0, G + '/bait'))
    print(refused(lambda: s.bind(chr(0) + 'name')), refused(lambda: s.bind(G + '/name')), refused(s.listen))
    print(refused(lambda: s.connect(G + '/bait')))
";
    let (done, log) = speak(&place, None, &[], script);
    assert_eq!(done.report.verdict.exit_code(), 0, "{done:?}");
    let expected =
        ["SOCK_DGRAM G/bait EACCES", "EINVAL EINVAL EINVAL", "EACCES", "EINVAL EINVAL EINVAL", "EACCES"];
    let out = done.out.replace(place.granted().to_str().unwrap(), "G");
    assert_eq!(out.lines().collect::<Vec<_>>(), expected, "{done:?}");
    assert!(bait.recv(&mut [0; 8]).is_err(), "nothing arrived");
    std::fs::symlink_metadata(place.granted().join("name")).unwrap_err();
    drop(log);
}

#[test]
fn a_flood_is_cut_and_said_to_be() {
    if !is_ready() {
        return;
    }
    let script = "
s = say(packets)
for number in range(5000):
    s.send(b'<14>line %d' % number)
held = [say(stream) for _ in range(200)]
print(sum(one is not None for one in held))
";
    let (done, log) = speak(&Place::new(), None, &[], script);
    assert_eq!(done.report.verdict.exit_code(), 0, "{done:?}");
    assert!(done.out.ends_with("\n127\n"), "{done:?}");
    assert!((1000..1500).contains(&log.lines().count()), "{}", log.lines().count());
    assert!(log.lines().last().unwrap().contains("lines are missing"), "{log}");
    let told: Vec<_> = done.report.denials().filter(|event| event.call == "log").collect();
    assert!(matches!(told.as_slice(), [one] if one.count > 3000), "{told:?}");
}
