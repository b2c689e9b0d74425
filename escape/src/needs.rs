//! Host features without which an attack cannot even work bare. Each probe does the real operation.

use std::fs;
use std::process::{Command, Stdio};

use rustix::net::{AddressFamily, Protocol, SocketFlags, SocketType, socket_with};

/// A host feature.
pub(crate) struct Need {
    /// Words of the skip line.
    pub(crate) name: &'static str,
    /// Tries the operation.
    pub(crate) found: fn() -> bool,
}

/// The runner is root.
pub(crate) const ROOT: Need = Need { name: "root", found: || rustix::process::geteuid().is_root() };
/// The runner is an ordinary user.
pub(crate) const ORDINARY_USER: Need =
    Need { name: "an ordinary user", found: || !rustix::process::geteuid().is_root() };
/// New user namespaces.
pub(crate) const USERNS: Need = Need { name: "user namespaces", found: userns };
/// Multipath TCP.
pub(crate) const MPTCP: Need =
    Need { name: "MPTCP", found: || socket(AddressFamily::INET, SocketType::STREAM, 262) };
/// SCTP.
pub(crate) const SCTP: Need =
    Need { name: "SCTP", found: || socket(AddressFamily::INET, SocketType::STREAM, 132) };
/// Shared memory communications.
pub(crate) const SMC: Need =
    Need { name: "SMC", found: || socket(AddressFamily::from_raw(43), SocketType::STREAM, 0) };
/// Sockets of virtual machines that reach the machine itself.
pub(crate) const VSOCK_LOOPBACK: Need =
    Need { name: "vsock loopback", found: || std::fs::metadata("/sys/module/vsock_loopback").is_ok() };
/// The machine finds itself by its own name.
pub(crate) const HOST_NAME: Need = Need {
    name: "a host name that resolves",
    found: || {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        std::net::ToSocketAddrs::to_socket_addrs(&(name.trim(), 1)).is_ok()
    },
};

/// UDP-Lite.
pub(crate) const UDPLITE: Need =
    Need { name: "UDP-Lite", found: || socket(AddressFamily::INET, SocketType::DGRAM, 136) };
/// A text console of the machine.
pub(crate) const CONSOLE: Need = Need { name: "a text console", found: || fs::metadata("/dev/tty0").is_ok() };
/// GNU programs and their loader.
pub(crate) const DYNAMIC_PROGRAMS: Need = Need {
    name: "a dynamic GNU echo",
    found: || fs::metadata("/lib64/ld-linux-x86-64.so.2").is_ok() && fs::metadata("/usr/bin/echo").is_ok(),
};
/// A kernel that still pushes characters into terminals.
pub(crate) const TIOCSTI: Need = Need { name: "legacy TIOCSTI", found: legacy_tiocsti };
/// Core files named `core` in the current folder.
pub(crate) const CORE_FILES: Need = Need { name: "core_pattern that writes a file", found: core_files };
/// TCP Fast Open without cookies, both sides.
pub(crate) const FAST_OPEN: Need = Need { name: "TCP Fast Open", found: fast_open };

/// An interface beside loopback, with an IPv4 address.
pub(crate) const INTERFACE: Need = Need {
    name: "a network interface",
    found: || crate::attacks::relayed::interfaces().is_ok_and(|addresses| !addresses.is_empty()),
};

/// IPv6 on loopback.
pub(crate) const IPV6: Need = Need { name: "IPv6", found: || std::net::TcpListener::bind("[::1]:0").is_ok() };

/// The first need that this host lacks.
pub(crate) fn missing(needs: &[&'static Need]) -> Option<&'static Need> {
    needs.iter().copied().find(|need| !(need.found)())
}

fn socket(family: AddressFamily, kind: SocketType, protocol: u32) -> bool {
    let protocol = std::num::NonZeroU32::new(protocol).map(Protocol::from_raw);
    socket_with(family, kind, SocketFlags::CLOEXEC, protocol).is_ok()
}

fn userns() -> bool {
    let Ok(me) = std::env::current_exe() else { return false };
    let status =
        Command::new(me).args(["weak", "userns"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn legacy_tiocsti() -> bool {
    let text = fs::read_to_string("/proc/sys/dev/tty/legacy_tiocsti");
    text.map_or(true, |text| text.trim() == "1")
}

fn core_files() -> bool {
    fs::read_to_string("/proc/sys/kernel/core_pattern").is_ok_and(|text| !text.starts_with('|'))
}

fn fast_open() -> bool {
    let text = fs::read_to_string("/proc/sys/net/ipv4/tcp_fastopen").unwrap_or_default();
    text.trim().parse::<u32>().is_ok_and(|bits| bits & 1 == 1)
}
