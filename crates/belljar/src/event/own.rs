//! Belljar's own code in a jar: what a clone of this process does before the program is there.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::collect::{called, name_of};

/// Whether a process is such a clone. A program may take any name and fork, but it runs another file.
pub(super) fn is_own(pid: u32) -> bool {
    // Cheapest first: most programs have executed something.
    has_not_executed(pid) && is_same_file(pid) && is_named_alike(pid)
}

fn is_named_alike(pid: u32) -> bool {
    let name = name_of(pid);
    !name.is_empty() && own_names().any(|own| own == name)
}

/// What the threads of this process are called: a clone has the name of the one that it came from.
fn own_names() -> impl Iterator<Item = String> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().filter_map(Result::ok);
    threads.map(|thread| called(&thread.path()))
}

/// Whether it was forked and has executed nothing since.
fn has_not_executed(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    flags(&stat).is_some_and(|flags| flags & PF_FORKNOEXEC != 0)
}

const PF_FORKNOEXEC: u32 = 0x40;

/// The kernel's flags of a process, from its line in `/proc`.
fn flags(stat: &str) -> Option<u32> {
    crate::stat::fields(stat)?.nth(6)?.parse().ok()
}

/// Whether it runs the file that this process runs. True where that cannot be seen: Landlock keeps a broker from it.
fn is_same_file(pid: u32) -> bool {
    let file = |process: &str| {
        let seen = fs::metadata(Path::new("/proc").join(process).join("exe")).ok()?;
        Some((seen.dev(), seen.ino()))
    };
    match (file(&pid.to_string()), file("self")) {
        (Some(its), Some(own)) => its == own,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn flags_are_found_behind_any_name() {
        assert_eq!(flags("7 (a) b) S 1 7 7 0 -1 4194368 1 2"), Some(4_194_368));
        assert_eq!(flags("7 (a"), None);
        assert_eq!(flags(""), None);
    }

    /// Forks, and both take the name that they are told.
    const NAMED: &str = "$0 = shift; open F, '>', '/proc/self/comm'; print F $0; close F; my $pid = fork;
        unless ($pid) { sleep 600; exit } $| = 1; print \"$pid\\n\"; sleep 600";

    #[test]
    fn a_program_that_takes_our_name_is_not_ours() {
        let own = name_of(std::process::id());
        let mut program = Command::new("perl");
        let program = program.args(["-e", NAMED, &own]).stdout(Stdio::piped()).spawn();
        let mut program = program.unwrap();
        let mut said = [0; 20];
        let length = program.stdout.take().unwrap().read(&mut said).unwrap();
        let forked = String::from_utf8_lossy(&said[..length]).trim().parse().unwrap();
        let seen = [program.id(), forked].map(|pid| (name_of(pid) == own, is_own(pid)));
        let forked = rustix::process::Pid::from_raw(i32::try_from(forked).unwrap()).unwrap();
        rustix::process::kill_process(forked, rustix::process::Signal::KILL).unwrap();
        program.kill().unwrap();
        program.wait().unwrap();
        assert_eq!(seen, [(true, false); 2]);
    }
}
