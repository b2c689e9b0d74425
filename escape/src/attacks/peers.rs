//! A jar that may reach one unix socket of the host: every other one stays closed, by whatever name it is asked for.

use std::io::{self, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::net::SocketAddrUnix;

use crate::attack::{Attack, Family, Judge};
use crate::attacks::{raw, reached, relayed};
use crate::files;
use crate::judges;
use crate::stage::Stage;

/// A row about a jar that reaches `granted` in the folder `data`, or in the work folder.
const ROW: Attack = Attack { id: "E7", boxes: &["belljar"], attack: connect, ..Attack::ROW };

pub(super) const FAMILY: Family = Family {
    title: "E7: unix sockets by path and by name",
    rows: &[
        Attack {
            name: "peer-beside",
            what: "connects to another socket in the granted folder in which a listed one lies",
            prepare: |stage| {
                let path = stage.data.join("other");
                granted(stage, &path)
            },
            ..ROW
        },
        Attack {
            name: "peer-hidden",
            what: "connects to a socket in a hidden folder beside a listed one",
            prepare: |stage| {
                let path = stage.host.join("other");
                granted(stage, &path)
            },
            ..ROW
        },
        Attack {
            name: "peer-by-descriptor",
            what: "connects to another socket by the path of a descriptor that is open for it",
            prepare: |stage| {
                let path = stage.data.join("other");
                granted(stage, &path)
            },
            attack: |args| {
                let path = std::ffi::CString::new(raw::text(args, 0)?).map_err(io::Error::other)?;
                // SAFETY: the path is a string that lives until the call returns.
                let fd = unsafe { libc::open(path.as_ptr(), libc::O_PATH) };
                loot(UnixStream::connect(format!("/proc/self/fd/{fd}"))?)
            },
            ..ROW
        },
        Attack {
            name: "peer-abstract",
            what: "connects to an abstract name of the host through a jar that reaches a listed path",
            prepare: |stage| {
                list(stage, &stage.data.join("granted"))?;
                let name = stage.word("abstract");
                let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
                stage.arg(name);
                judges::unix_unreached(listener)
            },
            attack: |args| {
                let name = SocketAddr::from_abstract_name(raw::text(args, 0)?)?;
                loot(UnixStream::connect_addr(&name)?)
            },
            ..ROW
        },
        Attack {
            name: "peer-replaced",
            what: "puts a symlink to another socket in the place of the listed one, which lies in a writable folder",
            prepare: |stage| {
                let (listed, other) = (stage.work.join("granted"), stage.host.join("other"));
                list(stage, &listed)?;
                stage.path_arg(&listed);
                bait(stage, &other)
            },
            attack: |args| {
                let (listed, other) = (raw::text(args, 0)?, raw::text(args, 1)?);
                let away = format!("{listed}.away");
                std::fs::rename(listed, away)?;
                std::os::unix::fs::symlink(other, listed)?;
                loot(UnixStream::connect(listed)?)
            },
            ..ROW
        },
        Attack {
            name: "peer-racing-address",
            what: "changes the address between the look at it and the connection, thousands of times",
            prepare: |stage| {
                let (listed, other) = (stage.data.join("granted"), stage.data.join("other"));
                stage.race();
                stage.path_arg(&listed);
                granted(stage, &other)
            },
            attack: race,
            fault: "continue",
            ..ROW
        },
        Attack {
            name: "peer-takes-a-name",
            what: "takes an abstract name of the host with the socket that it got for a listed one",
            prepare: name_on_the_host,
            attack: |args| {
                let socket = UnixStream::connect(raw::text(args, 0)?)?;
                let name = SocketAddrUnix::new_abstract_name(raw::text(args, 1)?.as_bytes())?;
                let taken = rustix::net::bind(&socket, &name);
                raw::pause(400)?;
                Ok(taken?)
            },
            ..ROW
        },
        Attack {
            name: "peer-interfaces",
            what: "learns the addresses of the host's interfaces from such a socket",
            prepare: |stage| {
                let listed = stage.data.join("granted");
                list(stage, &listed)?;
                stage.path_arg(&listed);
                let addresses = relayed::interfaces().unwrap_or_default().into_iter();
                Ok(files::any(addresses.map(|one| files::not_printed(format!("address {one};"))).collect()))
            },
            attack: |args| {
                let told = relayed::interfaces_of(&UnixStream::connect(raw::text(args, 0)?)?)?;
                told.iter().try_for_each(|one| raw::print(format!("address {one};").as_bytes()))
            },
            needs: &[&crate::needs::INTERFACE],
            ..ROW
        },
    ],
};

/// Somebody outside finds the name taken.
fn name_on_the_host(stage: &mut Stage) -> io::Result<Judge> {
    let listed = stage.data.join("granted");
    list(stage, &listed)?;
    let name = stage.word("taken");
    stage.path_arg(&listed);
    stage.arg(&name);
    let found = std::rc::Rc::new(std::cell::Cell::new(false));
    let judge = reached::unless(std::rc::Rc::clone(&found), "a name of the host was taken by the box");
    let name = SocketAddr::from_abstract_name(&name)?;
    stage.watches.push(Box::new(move |_| found.set(found.get() || UnixListener::bind_addr(&name).is_err())));
    Ok(judge)
}

fn for_all(path: &Path) -> io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777))
}

/// A listed service, which hears nothing worth judging.
fn list(stage: &mut Stage, path: &Path) -> io::Result<()> {
    let listener = UnixListener::bind(path)?;
    for_all(path)?;
    std::thread::spawn(move || listener.incoming().for_each(drop));
    stage.grant_data();
    stage.belljar_flags(&["--socket", &path.to_string_lossy()]);
    Ok(())
}

fn bait(stage: &mut Stage, path: &Path) -> io::Result<Judge> {
    let listener = UnixListener::bind(path)?;
    for_all(path)?;
    stage.path_arg(path);
    judges::unix_unreached(listener)
}

/// The jar reaches `granted` in the folder `data`; the bait is another one.
fn granted(stage: &mut Stage, other: &Path) -> io::Result<Judge> {
    list(stage, &stage.data.join("granted"))?;
    bait(stage, other)
}

fn connect(args: &[String]) -> io::Result<()> {
    loot(UnixStream::connect(raw::text(args, 0)?)?)
}

fn loot(mut socket: UnixStream) -> io::Result<()> {
    socket.write_all(b"loot")
}

/// One thread writes one path and the other in turn where another connects from.
fn race(args: &[String]) -> io::Result<()> {
    let time = Duration::from_millis(raw::number(args, 0)?.unsigned_abs().into());
    let paths = [address(raw::text(args, 1)?), address(raw::text(args, 2)?)];
    let shared = Shared(std::cell::UnsafeCell::new(paths[0]));
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                paths.into_iter().for_each(|path| shared.write(path));
            }
        });
        let until = Instant::now() + time;
        while Instant::now() < until {
            try_once(&shared);
        }
        over.store(true, Ordering::Relaxed);
    });
    Ok(())
}

/// An address that two threads use.
struct Shared(std::cell::UnsafeCell<libc::sockaddr_un>);
// SAFETY: plain bytes, written and read without any claim about what they are.
unsafe impl Sync for Shared {}

impl Shared {
    fn write(&self, address: libc::sockaddr_un) {
        // SAFETY: the memory lives as long as `self`; that somebody else reads it meanwhile is the attack.
        unsafe { self.0.get().write_volatile(address) };
    }
}

fn address(path: &str) -> libc::sockaddr_un {
    let mut address = libc::sockaddr_un {
        sun_family: libc::AF_UNIX.unsigned_abs() as libc::sa_family_t,
        sun_path: [0; 108],
    };
    for (to, from) in address.sun_path.iter_mut().zip(path.bytes()) {
        *to = from.cast_signed();
    }
    address
}

fn try_once(shared: &Shared) {
    let length = size_of::<libc::sockaddr_un>() as u32;
    // SAFETY: the kernel reads one address, which lives as long as `shared`; the descriptor is this function's own.
    unsafe {
        let socket =
            libc::socket(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0);
        if libc::connect(socket, shared.0.get().cast(), length) == 0 {
            libc::send(socket, b"loot".as_ptr().cast(), 4, libc::MSG_NOSIGNAL);
        }
        libc::close(socket);
    }
}
