//! What the process of a service tries that was taken over. Each succeeds in a process without a jar.

use std::fs::{self, File};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// Where the things are that it tries to reach, as the name of the program's file tells: `DIR/acts-TCP-UDP`.
pub(crate) struct Aim {
    folder: PathBuf,
    tcp: u16,
    udp: u16,
}

impl Aim {
    pub(crate) fn of(program: &Path) -> Option<Self> {
        let folder = program.parent()?.parent()?.join("outside");
        let mut words = program.file_name()?.to_str()?.split('-').skip(1);
        Some(Self { folder, tcp: words.next()?.parse().ok()?, udp: words.next()?.parse().ok()? })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

type Act = fn(&Aim) -> std::io::Result<()>;

/// What is tried.
pub(crate) const ACTS: &[(&str, Act)] = &[
    ("read", |aim| fs::read(aim.at("secret")).map(drop)),
    ("append", |aim| File::options().append(true).open(aim.at("victim")).map(drop)),
    ("create", |aim| File::create(aim.at("made")).map(drop)),
    ("list", |aim| fs::read_dir(&aim.folder).map(drop)),
    ("look", |aim| fs::metadata(aim.at("secret")).map(drop)),
    ("remove", |aim| fs::remove_file(aim.at("removed"))),
    ("names", |_| fs::read("/etc/services").or_else(|_| fs::read("/etc/hostname")).map(drop)),
    ("tcp", |aim| TcpStream::connect(("127.0.0.1", aim.tcp))?.shutdown(Shutdown::Both)),
    ("udp", |aim| {
        let socket = UdpSocket::bind(("127.0.0.1", 0))?;
        socket.send_to(b"out", ("127.0.0.1", aim.udp)).map(drop)
    }),
    ("unix", |aim| UnixStream::connect(aim.at("socket")).map(drop)),
    ("program", |_| std::process::Command::new("/bin/true").status().map(drop)),
    ("pipe", |_| rustix::pipe::pipe().map(drop).map_err(Into::into)),
];

/// Tries all; the names of those that succeeded.
pub(crate) fn all(aim: &Aim) -> String {
    let done = ACTS.iter().filter(|(_, act)| act(aim).is_ok()).map(|(name, _)| *name);
    done.collect::<Vec<_>>().join(" ")
}
