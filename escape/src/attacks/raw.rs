//! System calls without any courtesy: the number, the words, the errno.

use std::ffi::{CStr, CString};
use std::io::{self, Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};

/// Something that fits one argument register.
pub(crate) trait Word {
    /// The register content; negative numbers are sign-extended as C would.
    fn word(self) -> usize;
}

macro_rules! words {
    ($($kind:ty),*) => { $(impl Word for $kind { fn word(self) -> usize { self as isize as usize } })* };
}
words!(i32, u32, i64, u64, usize, isize, u16);

impl Word for &CStr {
    fn word(self) -> usize {
        self.as_ptr() as usize
    }
}

impl Word for &CString {
    fn word(self) -> usize {
        self.as_ptr() as usize
    }
}

impl Word for &[u8] {
    fn word(self) -> usize {
        self.as_ptr() as usize
    }
}

impl<T> Word for *const T {
    fn word(self) -> usize {
        self as usize
    }
}

impl<T> Word for *mut T {
    fn word(self) -> usize {
        self as usize
    }
}

/// `sys!(SYS_openat, dirfd, path, flags)` makes the call; missing arguments are zero.
macro_rules! sys {
    ($name:ident $(, $arg:expr)* $(,)?) => {
        $crate::attacks::raw::call(libc::$name, &[$($crate::attacks::raw::Word::word($arg)),*])
    };
}
pub(crate) use sys;

/// Makes a system call. A wrong pointer harms only the attacking process, which is why this is not `unsafe`.
pub(crate) fn call(number: i64, args: &[usize]) -> io::Result<usize> {
    let at = |index: usize| args.get(index).copied().unwrap_or(0);
    // SAFETY: the kernel checks every pointer it is given; the process exists only for this attack.
    let result = unsafe { libc::syscall(number, at(0), at(1), at(2), at(3), at(4), at(5)) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result as usize) }
}

/// Same, for calls that return a descriptor.
pub(crate) fn fd(result: io::Result<usize>) -> io::Result<OwnedFd> {
    // SAFETY: the kernel just made this descriptor for us.
    result.map(|number| unsafe { OwnedFd::from_raw_fd(number as i32) })
}

/// A path or other text with its final zero.
pub(crate) fn c(text: &str) -> CString {
    CString::new(text).unwrap_or_default()
}

/// `openat` relative to any number, existing or not.
pub(crate) fn openat(dir: i32, path: &str, flags: i32) -> io::Result<OwnedFd> {
    fd(sys!(SYS_openat, dir, &c(path), flags, 0o644))
}

/// Copies everything readable from the descriptor to standard output, where the judge looks.
pub(crate) fn show(fd: OwnedFd) -> io::Result<()> {
    let mut content = Vec::new();
    std::fs::File::from(fd).take(1 << 16).read_to_end(&mut content)?;
    print(&content)
}

/// Prints loot.
pub(crate) fn print(content: &[u8]) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(content)?;
    out.flush()
}

/// Forks; zero in the child. The attacking process has one thread.
pub(crate) fn fork() -> io::Result<i32> {
    // SAFETY: single-threaded, so the child may go on as an ordinary program.
    let pid = unsafe { libc::fork() };
    if pid < 0 { Err(io::Error::last_os_error()) } else { Ok(pid) }
}

/// Argument number `index` as text.
pub(crate) fn text(args: &[String], index: usize) -> io::Result<&str> {
    args.get(index).map(String::as_str).ok_or_else(|| io::Error::other("missing argument"))
}

/// Argument number `index` as a number.
pub(crate) fn number(args: &[String], index: usize) -> io::Result<i32> {
    text(args, index)?.parse().map_err(io::Error::other)
}

/// A System V key nobody else uses.
pub(crate) fn random_key() -> io::Result<i32> {
    let mut bytes = [0u8; 4];
    rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty())?;
    Ok(i32::from_ne_bytes(bytes) | 1)
}

/// Address of an abstract unix name, with its length.
pub(crate) fn abstract_name(name: &str) -> (libc::sockaddr_un, usize) {
    // SAFETY: all zero is a valid address.
    let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    address.sun_family = libc::AF_UNIX as u16;
    for (to, from) in address.sun_path.iter_mut().skip(1).zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    (address, 3 + name.len().min(106))
}

/// Address `a.b.c.d:port` as the kernel wants it.
pub(crate) fn inet(text: &str) -> io::Result<libc::sockaddr_in> {
    let address: std::net::SocketAddrV4 = text.parse().map_err(io::Error::other)?;
    Ok(libc::sockaddr_in {
        sin_family: libc::AF_INET as u16,
        sin_port: address.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.ip().octets()) },
        sin_zero: [0; 8],
    })
}

/// Where `needle` first occurs in `hay`. What is searched are whole programs, by a program that is built to be debugged: the C
/// library takes a hundredth of the time.
pub(crate) fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    // SAFETY: both are borrowed for the call, and read as far as their lengths say.
    let at = unsafe { libc::memmem(hay.as_ptr().cast(), hay.len(), needle.as_ptr().cast(), needle.len()) };
    (!at.is_null()).then(|| at.addr() - hay.as_ptr().addr())
}

/// Lets time pass.
pub(crate) fn pause(milliseconds: i64) -> io::Result<()> {
    let time =
        rustix::event::Timespec { tv_sec: milliseconds / 1000, tv_nsec: (milliseconds % 1000) * 1_000_000 };
    rustix::event::poll(&mut [], Some(&time)).map(drop).map_err(io::Error::from)
}

/// A port above those that systems give out on their own.
pub(crate) fn random_port() -> io::Result<u16> {
    Ok(61_000 + (random_key()? as u16 % 4_000))
}

/// Writes to any number, existing or not.
pub(crate) fn print_to(fd: i32, content: &[u8]) -> io::Result<()> {
    sys!(SYS_write, fd, content, content.len()).map(drop)
}

/// Ignores a signal from now on.
pub(crate) fn ignore(signal: i32) -> io::Result<()> {
    // SAFETY: no handler is installed, only the disposition changes.
    let before = unsafe { libc::signal(signal, libc::SIG_IGN) };
    if before == libc::SIG_ERR { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A number that a terminal tells by `request`.
pub(crate) fn terminal_number(tty: &impl std::os::fd::AsRawFd, request: libc::Ioctl) -> io::Result<i32> {
    let mut number = 0i32;
    sys!(SYS_ioctl, tty.as_raw_fd(), request, &raw mut number)?;
    Ok(number)
}
