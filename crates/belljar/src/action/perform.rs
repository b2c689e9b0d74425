//! Doing what was asked for, with the user's rights and nothing of the jar's but checked words and bytes.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use belljar_policy::{ActionRule, Policy, may_write};
use belljar_sys::spawn::Sequence;
use belljar_sys::wire::Event;
use belljar_sys::{Op, owned};
use rustix::fs::{
    AtFlags, CWD, MemfdFlags, Mode, OFlags, SealFlags, fcntl_add_seals, linkat, memfd_create, open, openat,
};

use super::table::{Deed, Row};
use crate::error::StartError;
use crate::sink;
use crate::spawn::{raw, receive, status_pair};
use crate::walk::Walker;

/// What an action is done with.
#[derive(Debug)]
pub(super) enum With {
    /// A program of the user.
    Program(PathBuf),
    /// A folder of the user.
    Folder(OwnedFd),
}

/// Variables of the user that programs on a desktop need; `PATH` is fixed. Nothing of the jar's environment gets here.
const VARIABLES: &[&str] = &[
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "XDG_CURRENT_DESKTOP",
    "XDG_SESSION_TYPE",
    "DBUS_SESSION_BUS_ADDRESS",
];

/// Where scripts find their commands.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The environment of what is started.
pub(super) fn environment(caller: &[(OsString, OsString)]) -> Vec<CString> {
    let known = |name: &OsStr| VARIABLES.iter().any(|known| name == *known);
    let own = caller.iter().filter(|(name, _)| known(name));
    let entries = own.map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat());
    // A variable that holds a zero byte cannot exist.
    entries
        .chain([format!("PATH={PATH}").into_bytes()])
        .filter_map(|entry| CString::new(entry).ok())
        .collect()
}

impl With {
    /// Looks at what the policy names, before anything runs.
    pub(super) fn open(rule: &ActionRule, row: &Row, policy: &Policy) -> Result<Self, StartError> {
        let found = match row.deed {
            Deed::Store => folder(&rule.with).map(Self::Folder),
            Deed::Run(_) | Deed::Feed => {
                program(&rule.with, policy).map(|()| Self::Program(rule.with.clone()))
            }
        };
        found.map_err(|why| StartError::Action {
            action: row.name(),
            with: rule.with.clone(),
            origin: rule.origin.to_string(),
            why,
        })
    }
}

fn folder(path: &Path) -> Result<OwnedFd, &'static str> {
    let opened = sink::folder_of(&path.join("file")).map_err(|_| "is no folder that can be opened")?;
    let folder = opened.ok_or("is reached through a symlink that a jar may have made")?;
    let stat = rustix::fs::fstat(&folder).map_err(|_| "is no folder that can be opened")?;
    let mine = stat.st_uid == rustix::process::geteuid().as_raw();
    if mine { Ok(folder) } else { Err("is a folder of another user") }
}

/// The jar must not be able to put another program there.
fn program(path: &Path, policy: &Policy) -> Result<(), &'static str> {
    let real = Walker::new(&[]).real(path).map_err(|_| "is not there")?;
    let file = rustix::fs::stat(&real.path).map_err(|_| "is not there")?;
    if real.dir || file.st_mode & 0o111 == 0 {
        return Err("is no program");
    }
    let open = [path, &real.path].into_iter().any(|path| may_write(policy, path));
    if open { Err("can be written by the program in the jar") } else { Ok(()) }
}

/// Starts a program in a session of its own, without descriptors but an input and nothing to write to, with default signals.
/// Its pidfd, to be waited for.
pub(super) fn start(
    program: &Path,
    words: &[&str],
    input: Option<&OwnedFd>,
    environment: &[CString],
) -> io::Result<OwnedFd> {
    let text = |bytes: &[u8]| CString::new(bytes).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput));
    let path = text(program.as_os_str().as_bytes())?;
    let words: Vec<CString> = words.iter().map(|word| text(word.as_bytes())).collect::<Result<_, _>>()?;
    let null = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    let end = std::ptr::null();
    let argv: Vec<*const u8> =
        [&path].into_iter().chain(&words).map(|word| word.as_ptr().cast()).chain([end]).collect();
    let envp: Vec<*const u8> = environment.iter().map(|entry| entry.as_ptr().cast()).chain([end]).collect();
    let candidates = [path.as_c_str()];
    let ops = [
        Op::NewSession,
        Op::Chdir(c"/"),
        Op::Dup { from: raw(input.unwrap_or(&null)), to: 0 },
        Op::Dup { from: raw(&null), to: 1 },
        Op::Dup { from: raw(&null), to: 2 },
        Op::CloseOnExec(3),
        Op::ResetSignals,
        Op::Exec { candidates: &candidates, argv: &argv, envp: &envp },
    ];
    spawn(&ops)
}

fn spawn(ops: &[Op<'_>]) -> io::Result<OwnedFd> {
    let failed = |errno: i32| io::Error::from_raw_os_error(errno);
    let (status, theirs) = status_pair().map_err(|_| io::Error::from(io::ErrorKind::Other))?;
    let sequence = Sequence {
        init: ops,
        program: &[],
        namespaces: 0,
        own_pids: false,
        announce: false,
        errands: -1,
        close_after_start: false,
    };
    let child = owned::spawn(&sequence, &theirs).map_err(|errno| failed(errno.0))?;
    drop(theirs);
    // The socket closes with exec.
    match receive(&status)?.0 {
        None => Ok(child.pidfd),
        Some(Event::Failed(failure)) => Err(failed(failure.errno.0)),
        Some(_) => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// A file without a name yet: nothing is left of a transfer that breaks off.
#[derive(Debug)]
pub(super) struct Draft(File);

impl Draft {
    /// On the disk of the folder.
    pub(super) fn on_disk(folder: &OwnedFd) -> io::Result<Self> {
        let how = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        Ok(Self(openat(folder, ".", how, Mode::RUSR | Mode::WUSR)?.into()))
    }

    /// In memory.
    pub(super) fn in_memory() -> io::Result<Self> {
        Ok(Self(memfd_create("belljar-print", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?.into()))
    }

    pub(super) fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Gives it its name. `EEXIST` when there is something of this name already, be it a symlink.
    pub(super) fn publish(self, folder: &OwnedFd, name: &str) -> rustix::io::Result<()> {
        let place = format!("/proc/self/fd/{}", self.0.as_raw_fd());
        linkat(CWD, place, folder.as_fd(), name, AtFlags::SYMLINK_FOLLOW)
    }

    /// The whole of it, to be read once and changed by nobody.
    pub(super) fn input(self) -> io::Result<OwnedFd> {
        fcntl_add_seals(&self.0, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
        rustix::fs::seek(&self.0, rustix::fs::SeekFrom::Start(0))?;
        Ok(self.0.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(program: &str, words: &[&str], input: Option<&OwnedFd>, environment: &[CString]) {
        let pidfd = start(Path::new(program), words, input, environment).unwrap();
        belljar_sys::owned::reap(&pidfd).unwrap();
    }

    #[test]
    fn what_is_started_gets_nothing_but_its_words() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let script = format!(
            "exec > {}; env; ls /proc/self/fd | tr '\\n' ' '; grep Sig[BI] /proc/self/status; cat; echo; pwd; echo \"$@\"",
            out.display()
        );
        let caller = [("HOME", "/h"), ("LD_PRELOAD", "/x"), ("PATH", "/evil")];
        let environment = environment(&caller.map(|(name, value)| (name.into(), value.into())));
        run("/bin/sh", &["-c", &script, "sh", "-x", "a b"], None, &environment);
        let text = std::fs::read_to_string(out).unwrap();
        for line in
            ["HOME=/h", "PATH=/usr/local/bin:/usr/bin:/bin", "SigBlk:\t0000000000000000", "/", "-x a b"]
        {
            assert!(text.lines().any(|found| found.ends_with(line)), "{line}: {text}");
        }
        assert!(text.contains("0 1 2 3 ") && !text.contains(" 4 ") && !text.contains("LD_PRELOAD"), "{text}");
    }

    #[test]
    fn a_program_that_is_not_there_is_told() {
        let error = start(Path::new("/nonexistent"), &[], None, &[]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn bytes_become_a_sealed_input() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let mut draft = Draft::in_memory().unwrap();
        draft.add(b"page").unwrap();
        let input = draft.input().unwrap();
        run("/bin/sh", &["-c", &format!("cat > {}; echo x >&0", out.display())], Some(&input), &[]);
        assert_eq!(std::fs::read_to_string(out).unwrap(), "page");
    }

    #[test]
    fn a_file_gets_its_name_last_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let opened = super::folder(folder.path()).unwrap();
        std::os::unix::fs::symlink("elsewhere", folder.path().join("link")).unwrap();
        let draft = || {
            let mut draft = Draft::on_disk(&opened).unwrap();
            draft.add(b"new").unwrap();
            draft
        };
        drop(draft());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was left");
        draft().publish(&opened, "a").unwrap();
        for taken in ["a", "link"] {
            assert_eq!(draft().publish(&opened, taken), Err(rustix::io::Errno::EXIST), "{taken}");
        }
        assert_eq!(std::fs::read_to_string(folder.path().join("a")).unwrap(), "new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
