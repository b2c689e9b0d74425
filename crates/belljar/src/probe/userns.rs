//! Whether user namespaces can be made, judged from what can be read. The reasons are tried in the order in which the
//! kernel and its surroundings refuse.

use super::{Userns, peek};

/// What the judgement looks at; a trait so that other hosts can be told.
pub(super) trait Evidence {
    /// `clone` with a new user namespace gets past any filter.
    fn clone_reaches_kernel(&self) -> bool;
    /// First character of a switch below `/proc/sys`.
    fn switch(&self, name: &str) -> Option<u8>;
    /// The kernel has user namespaces and a `/proc` is there to write their maps.
    fn kernel_has_them(&self) -> bool;
    /// `/proc` is there.
    fn proc_is_there(&self) -> bool;
    /// This process' root is not the root of its mount namespace.
    fn in_chroot(&self) -> bool;
    /// AppArmor's label of this process.
    fn label(&self) -> Option<String>;
}

/// This host.
pub(super) struct Userspace;

impl Evidence for Userspace {
    fn clone_reaches_kernel(&self) -> bool {
        belljar_sys::ask::clone_user().is_ok()
    }

    fn switch(&self, name: &str) -> Option<u8> {
        peek::switch(&format!("/proc/sys/{name}"))
    }

    fn kernel_has_them(&self) -> bool {
        peek::link("/proc/self/ns/user").is_some()
    }

    fn proc_is_there(&self) -> bool {
        peek::link("/proc/self").is_some()
    }

    fn in_chroot(&self) -> bool {
        peek::surely_not_a_mount("/")
    }

    fn label(&self) -> Option<String> {
        apparmor_label()
    }
}

/// AppArmor's label of this process; none without AppArmor.
pub(crate) fn apparmor_label() -> Option<String> {
    let bytes = peek::head::<256>("/proc/self/attr/apparmor/current")?;
    Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\0']).to_owned())
}

/// Judges. `admin` = the switches for ordinary users do not apply.
pub(super) fn judge(admin: bool, host: &impl Evidence) -> Userns {
    if !host.clone_reaches_kernel() {
        return Userns::Seccomp;
    }
    match host.switch("user/max_user_namespaces") {
        Some(b'0') => return Userns::Limit,
        None if !host.kernel_has_them() => return without_switch(host),
        _ => {}
    }
    if host.in_chroot() {
        return Userns::Refused;
    }
    if admin { Userns::Available } else { for_ordinary_users(host) }
}

/// Without `/proc` no id map can be written, so nothing would work in a namespace.
fn without_switch(host: &impl Evidence) -> Userns {
    if host.proc_is_there() { Userns::Absent } else { Userns::Refused }
}

fn for_ordinary_users(host: &impl Evidence) -> Userns {
    if host.switch("kernel/unprivileged_userns_clone") == Some(b'0') {
        return Userns::Sysctl;
    }
    let restricted = host.switch("kernel/apparmor_restrict_unprivileged_userns").is_some_and(|c| c != b'0');
    if restricted && !host.label().is_some_and(|label| label_may_allow(&label)) {
        return Userns::AppArmor;
    }
    Userns::Available
}

/// Programs without a profile, and those moved to the profile that takes the powers away, get nothing. Any other label
/// is a profile whose rules cannot be read; most such profiles exist to allow just this.
fn label_may_allow(label: &str) -> bool {
    !["unconfined", "unprivileged_userns"].contains(&label.split([' ', '/']).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Told {
        clone: bool,
        max: Option<u8>,
        kernel: bool,
        proc: bool,
        chroot: bool,
        debian: Option<u8>,
        ubuntu: Option<u8>,
        label: &'static str,
    }

    const OPEN: Told = Told {
        clone: true,
        max: Some(b'9'),
        kernel: true,
        proc: true,
        chroot: false,
        debian: None,
        ubuntu: None,
        label: "unconfined",
    };

    impl Evidence for Told {
        fn clone_reaches_kernel(&self) -> bool {
            self.clone
        }
        fn switch(&self, name: &str) -> Option<u8> {
            match name {
                "user/max_user_namespaces" => self.max,
                "kernel/unprivileged_userns_clone" => self.debian,
                "kernel/apparmor_restrict_unprivileged_userns" => self.ubuntu,
                _ => None,
            }
        }
        fn kernel_has_them(&self) -> bool {
            self.kernel
        }
        fn proc_is_there(&self) -> bool {
            self.proc
        }
        fn in_chroot(&self) -> bool {
            self.chroot
        }
        fn label(&self) -> Option<String> {
            Some(self.label.to_owned())
        }
    }

    #[test]
    fn each_reason_is_told_apart() {
        let ubuntu = Told { ubuntu: Some(b'1'), ..OPEN };
        let table = [
            (OPEN, Userns::Available),
            (Told { clone: false, ..OPEN }, Userns::Seccomp),
            (Told { max: Some(b'0'), ..OPEN }, Userns::Limit),
            (Told { max: None, ..OPEN }, Userns::Available),
            (Told { max: None, kernel: false, ..OPEN }, Userns::Absent),
            (Told { max: None, kernel: false, proc: false, ..OPEN }, Userns::Refused),
            (Told { chroot: true, ..OPEN }, Userns::Refused),
            (Told { debian: Some(b'0'), ..OPEN }, Userns::Sysctl),
            (Told { debian: Some(b'1'), ..OPEN }, Userns::Available),
            (Told { label: "belljar (unconfined)", ..ubuntu }, Userns::Available),
            (Told { label: "unprivileged_userns (enforce)", ..ubuntu }, Userns::AppArmor),
            (Told { ubuntu: Some(b'0'), ..OPEN }, Userns::Available),
            (Told { ubuntu: Some(b'1'), ..OPEN }, Userns::AppArmor),
        ];
        for (at, (told, expected)) in table.iter().enumerate() {
            assert_eq!(judge(false, told), *expected, "row {at}");
        }
    }

    #[test]
    fn switches_for_ordinary_users_leave_the_administrator_alone() {
        assert_eq!(judge(true, &Told { debian: Some(b'0'), ubuntu: Some(b'1'), ..OPEN }), Userns::Available);
        assert_eq!(judge(true, &Told { max: Some(b'0'), ..OPEN }), Userns::Limit);
    }
}
