//! Who listens on the socket of the answers. A jar's program has the user's number, and may have been given the folder.

/// How much the kernel holds a process back beside its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Confined {
    no_new_privileges: u32,
    filters: u32,
}

impl Confined {
    fn read(status: &str) -> Option<Self> {
        let field = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name))?;
            value.trim().parse::<u32>().ok()
        };
        // Kernels before 5.10 tell that there are filters, not how many.
        let filters = field("Seccomp_filters:").or_else(|| field("Seccomp:"))?;
        Some(Self { no_new_privileges: field("NoNewPrivs:")?, filters })
    }

    fn of(process: &str) -> Option<Self> {
        Self::read(&std::fs::read_to_string(format!("/proc/{process}/status")).ok()?)
    }

    /// As every program of a jar is beside whoever started it.
    fn exceeds(self, own: Self) -> bool {
        self.no_new_privileges > own.no_new_privileges || self.filters > own.filters
    }
}

/// What speaks against the process that listens.
pub(super) fn unfit(pid: i32) -> Option<&'static str> {
    match (Confined::of(&pid.to_string()), Confined::of("self")) {
        (Some(peer), Some(own)) if !peer.exceeds(own) => None,
        (Some(_), Some(_)) => Some("listened on by a process that is confined, as programs of jars are"),
        _ => Some("listened on by a process that cannot be seen (any more)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_confined_more_than_belljar_is_unfit() {
        let status = |privileges, filters| {
            format!("Name:\tx\nNoNewPrivs:\t{privileges}\nSeccomp:\t2\nSeccomp_filters:\t{filters}\n")
        };
        let read = |privileges, filters| Confined::read(&status(privileges, filters)).unwrap();
        assert!(!read(0, 1).exceeds(read(0, 1)) && !read(0, 0).exceeds(read(1, 3)));
        assert!(read(1, 0).exceeds(read(0, 5)) && read(0, 2).exceeds(read(0, 1)));
        assert_eq!(Confined::read("NoNewPrivs:\t1\nSeccomp:\t2\n").map(|it| it.filters), Some(2));
        assert_eq!(Confined::read("Name:\tx\n"), None);
        assert_eq!(unfit(std::process::id().cast_signed()), None);
        assert!(unfit(0).is_some());
    }
}
