//! A process outside with a page of memory, a secret and an open file: what attacks on other processes aim at.

use std::ffi::CString;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use super::kernel::{nap, small, sys};
use super::proof;
use crate::attack::Judge;
use crate::canary;
use crate::files;
use crate::judges;
use crate::outcome::Judgement;
use crate::stage::Stage;

/// Where the target maps its page.
pub(crate) const ADDRESS: u64 = 0x2000_0000_0000;
/// Offset of the bytes that an attack tries to change.
pub(crate) const SLOT: u64 = ADDRESS + 2048;
/// Number of the target's descriptor for the secret file.
pub(crate) const SECRET_FD: i32 = 200;
const SIZE: usize = 4096;

/// `escape target PAGE SECRET`: maps PAGE shared, keeps SECRET open, says so and waits to be ended.
pub(crate) fn main(words: &[String]) -> io::Result<u8> {
    sys!(SYS_prctl, libc::PR_SET_PDEATHSIG, libc::SIGKILL)?;
    let open = |path: CString| sys!(SYS_openat, libc::AT_FDCWD, path.as_c_str(), libc::O_RDWR);
    let page = open(proof::path(words, 0)?)?;
    let both = libc::PROT_READ | libc::PROT_WRITE;
    sys!(SYS_mmap, ADDRESS, SIZE, both, libc::MAP_SHARED | libc::MAP_FIXED_NOREPLACE, page, 0)?;
    sys!(SYS_dup2, open(proof::path(words, 1)?)?, SECRET_FD)?;
    io::stdout().write_all(b"ready\n")?;
    io::stdout().flush()?;
    for _ in 0..30_000 {
        nap(10);
    }
    Ok(0)
}

/// A running target.
pub(crate) struct Target {
    /// Process id on the host.
    pub(crate) pid: u32,
    page: std::path::PathBuf,
    secret: String,
}

/// Starts the target, and demands proof that a call on it worked.
pub(crate) fn with_proof(stage: &mut Stage) -> io::Result<Judge> {
    start(stage)?;
    proof::demanded(stage)
}

/// Starts a target and gives its process id to the attack as its next argument.
pub(crate) fn start(stage: &mut Stage) -> io::Result<Target> {
    let secret = canary::fresh()?;
    let mut content = secret.clone().into_bytes();
    content.resize(SIZE, 0);
    let page = stage.host.join("target.page");
    OpenOptions::new().write(true).create_new(true).open(&page)?.write_all(&content)?;
    let file = stage.host_file("target.secret", &secret)?;
    let pid = stage.target(&[&page.to_string_lossy(), &file.to_string_lossy()])?;
    stage.arg(pid);
    Ok(Target { pid, page, secret })
}

impl Target {
    /// The attack must not change the target's memory.
    pub(crate) fn unchanged(self) -> Judge {
        Box::new(move |_| {
            let page = fs::read(&self.page)?;
            let changed = page.get(SIZE / 2..).is_some_and(|half| half.iter().any(|byte| *byte != 0));
            Ok(Judgement::escaped_if(changed, "the memory of a host process changed"))
        })
    }

    /// The target must go on running.
    pub(crate) fn alive(self) -> Judge {
        judges::alive(self.pid)
    }

    /// The target's secret must not come out.
    pub(crate) fn unread(self) -> Judge {
        files::not_printed(self.secret)
    }
}

/// Process ids worth attacking: the target, and inside a pid namespace also what started the attack.
pub(crate) fn reach(args: &[String]) -> io::Result<Vec<i32>> {
    let target = proof::number(args, 0)?;
    let mut pids = vec![target];
    pids.extend(started_by()?);
    Ok(pids)
}

/// The processes of the box itself around the attack; none outside a box, where process 1 is the host's own.
pub(crate) fn started_by() -> io::Result<Vec<i32>> {
    let me = sys!(SYS_getpid)?;
    if me > 64 {
        return Ok(Vec::new());
    }
    Ok(vec![small(sys!(SYS_getppid)?)?, 1])
}

/// Tries each process in turn until one attempt succeeds.
pub(crate) fn first(pids: &[i32], attempt: impl Fn(i32) -> io::Result<()>) -> io::Result<()> {
    let mut last = Err(io::Error::other("nobody to attack"));
    for &pid in pids {
        last = attempt(pid);
        if last.is_ok() {
            break;
        }
    }
    last
}

/// Reads a descriptor to its end and prints it.
pub(crate) fn print_all(fd: usize) -> io::Result<()> {
    let mut bytes = vec![0u8; SIZE];
    let length = sys!(SYS_pread64, fd, bytes.as_mut_ptr(), bytes.len(), 0)?;
    sys!(SYS_write, 1, bytes.as_ptr(), length).map(|_| ())
}

/// Reads a file by path and prints it.
pub(crate) fn print_file(path: &Path) -> io::Result<()> {
    let mut text = Vec::new();
    fs::File::open(path)?.read_to_end(&mut text)?;
    io::stdout().write_all(&text)
}
