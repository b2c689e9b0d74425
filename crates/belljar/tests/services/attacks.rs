//! What the process of a service can do that was taken over: nothing but what the service does. Judged by what it says it could do, and by
//! what is left outside.

use std::fs::File;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use belljar::Command;
use belljar::policy::Policy;
use belljar::service::{
    Amount, Builder, Dns, FileArgs, Level, Log, LogLimit, Net, Only, Random, Remote, Service, ServiceError,
    Time, Users,
};

use crate::able;
use crate::acts::{ACTS, Aim, all};
use crate::support::jars::{Place, file};

/// Everything that an attack could reach.
struct Scene {
    place: Place,
    tcp: TcpListener,
    udp: UdpSocket,
    _unix: UnixListener,
    program: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let place = Place::new();
        let (tcp, udp) = (TcpListener::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        tcp.set_nonblocking(true).unwrap();
        udp.set_nonblocking(true).unwrap();
        let unix = UnixListener::bind(place.outside().join("socket")).unwrap();
        let ports = (tcp.local_addr().unwrap().port(), udp.local_addr().unwrap().port());
        let program = place.granted().join(format!("acts-{}-{}", ports.0, ports.1));
        std::fs::copy(crate::program(), &program).unwrap();
        file(&place.outside().join("removed"), "");
        Self { place, tcp, udp, _unix: unix, program }
    }

    /// What was reached since the last look.
    fn reached(&self) -> Vec<&'static str> {
        let (mut found, folder) = (Vec::new(), self.place.outside());
        let mut note = |what, is: bool| found.extend(is.then_some(what));
        note("made", std::fs::remove_file(folder.join("made")).is_ok());
        note("removed", std::fs::metadata(folder.join("removed")).is_err());
        note("tcp", self.tcp.accept().is_ok());
        note("udp", self.udp.recv(&mut [0; 8]).is_ok());
        file(&folder.join("removed"), "");
        found
    }

    fn try_all<S: Service>(&self, builder: Builder<S>) {
        let name = std::any::type_name::<S>();
        self.try_unsealed(name, builder.policy().unwrap());
        let error = builder.program(&self.program).start().map(drop).unwrap_err();
        let ServiceError::Setup { why, .. } = &error else { panic!("{name}: {error}") };
        let said = why.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(said, _)| said);
        assert_eq!(said, Some(""), "{name} could: {why}");
        assert_eq!(self.reached(), [""; 0], "{name}");
    }

    /// The jar alone, without the service's own filter: what is made in it stays in it.
    fn try_unsealed(&self, name: &str, policy: Policy) {
        let mut command = Command::new(&self.program);
        command.arg("unsealed").policy(policy).env_clear().current_dir("/");
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let could = said.trim().strip_prefix('[').and_then(|said| said.strip_suffix(']'));
        let could = could.unwrap_or_else(|| panic!("{name}: {output:?}")).split_whitespace();
        let beyond: Vec<_> = could.filter(|act| !WITHIN.contains(act)).collect();
        assert!(beyond.is_empty(), "{name} could: {beyond:?}");
        assert_eq!(self.reached(), [""; 0], "{name}");
    }
}

/// What a jar may do with itself: a packet in a network of its own, where nobody is.
const WITHIN: &[&str] = &["pipe", "udp"];

#[test]
fn a_service_that_was_taken_over_does_nothing_else() {
    if !able() {
        return;
    }
    let scene = Scene::new();
    let every: Vec<_> = ACTS.iter().map(|(name, _)| *name).collect();
    assert_eq!(all(&Aim::of(&scene.program).unwrap()), every.join(" "), "each works without belljar");
    assert_eq!(scene.reached(), ["made", "removed", "tcp", "udp"], "and is seen");
    let log = scene.place.granted().join("log");
    file(&log, "");
    let append = File::options().append(true).open(&log).unwrap();
    scene.try_all(Users::builder(Only::All));
    scene.try_all(Time::builder(Only::All));
    scene.try_all(Random::builder(Amount::Any));
    scene.try_all(Log::builder("x", append, LogLimit::upto(Level::Debug)));
    scene.try_all(FileArgs::builder([scene.place.granted().join("victim")]).unwrap());
    scene.try_all(Dns::builder(["localhost"]).unwrap());
    scene.try_all(Net::builder([Remote::new("127.0.0.1", 9)]));
    assert_eq!(std::fs::read_to_string(scene.place.outside().join("victim")).unwrap(), "unharmed");
}
