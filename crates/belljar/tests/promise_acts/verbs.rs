//! What the program of these tests does after promising.

use std::fs::{self, File};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use belljar::policy::{Origin, Policy, Setting, Subject};
use belljar::{ConfineError, confine, lock_unveil, pledge, unveil};
use rustix::fs::{CWD, FileType, FlockOperation, Mode};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};

const EACCES: i32 = 13;

/// What the child does; the folder is one of its own.
pub(crate) type Act = fn(&Path, &Before) -> io::Result<()>;

/// What the child has opened before it promises.
pub(crate) struct Before {
    pub(crate) file: File,
    pub(crate) pair: (UnixStream, UnixStream),
    pub(crate) udp: UdpSocket,
}

/// Something that a promise allows, and the same set without that promise does not.
pub(crate) struct Verb {
    pub(crate) name: &'static str,
    pub(crate) with: &'static str,
    pub(crate) without: &'static str,
    /// What the line on standard error says is not promised; empty: another program has ended, or only Landlock refuses.
    pub(crate) told: &'static str,
    pub(crate) act: Act,
}

const fn verb(name: &'static str, with: &'static str, told: &'static str, act: Act) -> Verb {
    Verb { name, with, without: "stdio", told, act }
}

pub(crate) const VERBS: &[Verb] = &[
    verb("read", "stdio rpath", "rpath", |at, _| fs::read(at.join("file")).map(drop)),
    verb("look", "stdio rpath", "rpath", |at, _| Ok(rustix::fs::access(at, rustix::fs::Access::EXISTS)?)),
    verb("list", "stdio rpath", "rpath", |at, _| fs::read_dir(at).map(drop)),
    verb("overwrite", "stdio wpath", "wpath", |at, _| {
        File::options().write(true).open(at.join("file")).map(drop)
    }),
    verb("remove", "stdio cpath", "cpath", |at, _| fs::remove_file(at.join("file"))),
    verb("folder", "stdio cpath", "cpath", |at, _| fs::create_dir(at.join("new"))),
    verb("create", "stdio wpath cpath", "wpath+cpath", |at, _| fs::write(at.join("new"), "x")),
    verb("pipe", "stdio dpath", "dpath", |at, _| {
        Ok(rustix::fs::mknodat(CWD, at.join("pipe"), FileType::Fifo, Mode::RUSR, 0)?)
    }),
    verb("temporary", "stdio tmppath", "rpath+wpath+cpath", |_, _| {
        let path = format!("/tmp/belljar-promise-{}", std::process::id());
        File::options().read(true).write(true).create_new(true).open(&path)?;
        fs::remove_file(path)
    }),
    verb("udp", "stdio inet", "inet", |_, _| UdpSocket::bind("127.0.0.1:0").map(drop)),
    verb("tcp", "stdio inet", "inet", |_, _| TcpListener::bind("127.0.0.1:0").map(drop)),
    Verb {
        name: "multicast",
        with: "stdio inet mcast",
        without: "stdio inet",
        told: "mcast",
        act: |_, before| before.udp.set_multicast_ttl_v4(1),
    },
    verb("pair", "stdio unix", "unix", |_, _| UnixStream::pair().map(drop)),
    verb("resolver", "stdio dns", "rpath", |_, _| fs::read("/etc/services").or_else(absent).map(drop)),
    verb("servers", "stdio dns", "inet", |_, _| UdpSocket::bind("127.0.0.1:0").map(drop)),
    verb("users", "stdio getpw", "rpath", |_, _| fs::read("/etc/passwd").map(drop)),
    verb("processes", "stdio ps", "rpath", |_, _| fs::read("/proc/1/stat").map(drop)),
    verb("machine", "stdio vminfo", "rpath", |_, _| fs::read("/proc/meminfo").map(drop)),
    verb("mode", "stdio fattr", "fattr", |at, _| {
        fs::set_permissions(at.join("file"), fs::Permissions::from_mode(0o600))
    }),
    verb("owner", "stdio chown", "chown", |at, _| std::os::unix::fs::lchown(at.join("file"), None, None)),
    verb("lock", "stdio flock", "flock", |_, before| {
        Ok(rustix::fs::flock(&before.file, FlockOperation::LockShared)?)
    }),
    verb("signal", "stdio proc", "proc", |_, _| {
        Ok(rustix::process::test_kill_process(rustix::process::getpid())?)
    }),
    verb("user", "stdio id", "id", |_, _| Ok(rustix::thread::set_thread_uid(rustix::process::getuid())?)),
    verb("terminal", "stdio tty", "tty", |_, before| {
        match rustix::termios::tcflush(&before.file, rustix::termios::QueueSelector::IFlush) {
            // No terminal: the kernel itself says so.
            Err(rustix::io::Errno::NOTTY) => Ok(()),
            done => Ok(done?),
        }
    }),
    Verb {
        name: "exec",
        with: "stdio rpath prot_exec exec",
        without: "stdio rpath prot_exec",
        told: "exec",
        act: |_, _| Err(Command::new("/bin/true").exec()),
    },
    Verb {
        name: "libraries",
        with: "stdio rpath prot_exec exec",
        without: "stdio rpath exec",
        told: "",
        act: |_, _| Err(Command::new("/bin/true").exec()),
    },
    verb("send", "stdio sendfd", "sendfd", |_, before| {
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let fds = [before.file.as_fd()];
        assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
        rustix::net::sendmsg(&before.pair.0, &[IoSlice::new(b"x")], &mut control, SendFlags::empty())?;
        Ok(())
    }),
    verb("receive", "stdio recvfd", "recvfd", |_, before| {
        rustix::io::write(&before.pair.0, b"x")?;
        let mut bytes = [0; 1];
        let mut control = RecvAncillaryBuffer::default();
        let mut parts = [IoSliceMut::new(&mut bytes)];
        rustix::net::recvmsg(&before.pair.1, &mut parts, &mut control, RecvFlags::empty())?;
        Ok(())
    }),
    verb("veil", "stdio unveil", "unveil", |_, _| {
        let handled = belljar_sys::abi::LandlockRuleset { fs: 1, net: 0, scoped: 0 };
        let made = belljar_sys::call::landlock_create(&handled);
        made.map(drop).map_err(|errno| io::Error::from_raw_os_error(errno.0))
    }),
];

fn absent(error: io::Error) -> io::Result<Vec<u8>> {
    if error.kind() == io::ErrorKind::NotFound { Ok(Vec::new()) } else { Err(error) }
}

/// Tells itself by assertions.
type Story = fn(&Path);

/// Whole stories.
pub(crate) const SCENES: &[(&str, Story)] = &[
    ("veiled", |at| {
        let open = at.join("open");
        fs::create_dir(&open).unwrap();
        fs::write(open.join("seen"), "x").unwrap();
        unveil(&open, "rw").unwrap();
        pledge("stdio rpath wpath cpath").unwrap();
        fs::write(open.join("seen"), "y").unwrap();
        refused(fs::read(at.join("file")));
        refused(fs::write(open.join("new"), "x"));
        refused(fs::remove_file(open.join("seen")));
        refused(fs::read_dir("/etc"));
        assert!(matches!(unveil(at, "r"), Err(ConfineError::Locked)));
        assert!(matches!(lock_unveil(), Err(ConfineError::Locked)));
    }),
    ("locked", |at| {
        unveil(at, "rc").unwrap();
        assert!(matches!(unveil(at, "rwc"), Err(ConfineError::MorePermissions { .. })));
        unveil(at, "r").unwrap();
        assert!(matches!(unveil(at, "rq"), Err(ConfineError::Permissions { .. })));
        assert!(matches!(unveil(at.join("absent"), "r"), Err(ConfineError::Path { .. })));
        lock_unveil().unwrap();
        fs::read(at.join("file")).unwrap();
        refused(fs::remove_file(at.join("file")));
        refused(fs::read("/etc/passwd"));
        assert!(matches!(pledge("stdio rpath fattr"), Err(ConfineError::Veiled { promise: "fattr", .. })));
        pledge("stdio rpath").unwrap();
        fs::read(at.join("file")).unwrap();
    }),
    ("below", |at| {
        unveil(at, "rw").unwrap();
        unveil(at.join("file"), "r").unwrap();
        assert!(matches!(lock_unveil(), Err(ConfineError::Below { .. })));
        assert!(matches!(pledge("stdio rpath"), Err(ConfineError::Below { .. })));
    }),
    ("later", |at| {
        pledge("stdio rpath unveil").unwrap();
        unveil(at, "r").unwrap();
        fs::read("/etc/passwd").unwrap();
        pledge("stdio rpath").unwrap();
        fs::read(at.join("file")).unwrap();
        refused(fs::read("/etc/passwd"));
    }),
    ("fewer", |_| {
        assert!(matches!(pledge("stdio tape"), Err(ConfineError::Promise(_))));
        pledge("stdio rpath dns").unwrap();
        assert!(matches!(pledge("stdio rpath wpath"), Err(ConfineError::Widens { promise: "wpath" })));
        assert!(matches!(pledge("stdio dns"), Err(ConfineError::NeedsUnveil { promise: "dns" })));
        pledge("stdio").unwrap();
        assert!(matches!(pledge("stdio rpath"), Err(ConfineError::Widens { promise: "rpath" })));
    }),
    ("bound", |at| {
        pledge("stdio getpw").unwrap();
        fs::read("/etc/passwd").unwrap();
        refused(fs::read(at.join("file")));
        refused(fs::read("/etc/hostname"));
    }),
    ("policy", |at| {
        let policy = Policy::preset("@base").unwrap().read(at).unwrap();
        if rustix::process::geteuid().is_root() {
            return assert!(matches!(confine(&policy), Err(ConfineError::NotForOneself { .. })));
        }
        // What only namespaces hold is an error until it is accepted.
        assert!(matches!(confine(&policy), Err(ConfineError::Plan(_))));
        let mut policy = policy;
        policy.weaker = [Subject::Fs, Subject::Ipc].map(|what| Setting::new(what, Origin::Api)).to_vec();
        let mut named = policy.clone();
        named.hostname = Some(Setting::new("other".to_owned(), Origin::Api));
        assert!(matches!(confine(&named), Err(ConfineError::NotForOneself { .. })));
        confine(&policy).unwrap();
        fs::read(at.join("file")).unwrap();
        refused(fs::write(at.join("file"), "x"));
        refused(fs::write(at.join("new"), "x"));
        refused(fs::read_dir("/var"));
        refused(UdpSocket::bind("127.0.0.1:0"));
        assert!(matches!(confine(&policy), Err(ConfineError::Again)));
        pledge("stdio").unwrap();
    }),
    ("policy and threads", |at| {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || wait.recv().is_err());
        let policy = Policy::preset("@base").unwrap().read(at).unwrap();
        assert!(matches!(confine(&policy), Err(ConfineError::Threads { .. })));
        fs::write(at.join("file"), "x").unwrap();
        drop(go);
        assert!(other.join().unwrap());
    }),
    ("open folder", |at| {
        let folder = File::open(at).unwrap();
        assert!(matches!(pledge("stdio sendfd"), Err(ConfineError::OpenFolder { .. })));
        drop(folder);
        pledge("stdio sendfd").unwrap();
    }),
    ("received folder", |at| {
        // On its way before anything was promised; the story ends before its last line.
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let folder = File::open(at).unwrap();
        let fds = [folder.as_fd()];
        assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
        rustix::net::sendmsg(&ours, &[IoSlice::new(b"x")], &mut control, SendFlags::empty()).unwrap();
        drop(folder);
        assert!(matches!(pledge("stdio sendfd recvfd"), Err(ConfineError::Promise(_))), "to pass it on");
        for beside in ["rpath", "wpath", "cpath", "exec", "unveil"] {
            assert!(matches!(pledge(&format!("stdio recvfd {beside}")), Err(ConfineError::Promise(_))));
        }
        pledge("stdio recvfd").unwrap();
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let (mut bytes, mut got) = ([0; 1], None);
        rustix::net::recvmsg(&theirs, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::empty())
            .unwrap();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = message {
                got = fds.last();
            }
        }
        let folder = got.unwrap();
        drop(rustix::fs::openat(&folder, "file", rustix::fs::OFlags::RDONLY, Mode::empty()));
        println!("never seen");
    }),
    ("threads", |_| {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || {
            assert!(wait.recv().is_err());
        });
        let whole = belljar::HostFacts::clone(&belljar::probe::probe()).landlock >= 8;
        let bound = pledge("stdio getpw");
        assert!(whole || matches!(bound, Err(ConfineError::Threads { .. })), "{bound:?}");
        pledge("stdio").unwrap();
        drop(go);
        other.join().unwrap();
    }),
    // The story ends before its last line.
    ("other thread", |at| {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let path = at.join("file");
        let other = std::thread::spawn(move || {
            assert!(wait.recv().is_err());
            drop(fs::read(path));
        });
        pledge("stdio").unwrap();
        drop(go);
        other.join().unwrap();
    }),
    ("abort", |_| {
        pledge("stdio").unwrap();
        std::process::abort();
    }),
    ("nothing", |_| {
        pledge("").unwrap();
        println!("never seen");
    }),
];

fn refused<T>(done: io::Result<T>) {
    assert_eq!(done.err().and_then(|error| error.raw_os_error()), Some(EACCES));
}
