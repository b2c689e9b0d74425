//! A terminal with belljar on it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// The keyboard and the screen.
pub(crate) struct Terminal {
    pub(crate) master: File,
    pub(crate) shown: String,
}

impl Terminal {
    /// The leader of the terminal's session.
    pub(crate) fn start(command: &[&str]) -> (Self, Child) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let open =
            || OwnedFd::from(File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap());
        let child = Command::new("setsid")
            .env("TERM", "xterm")
            .args(["--ctty", "--wait"])
            .args(command)
            .stdin(open())
            .stdout(open())
            .stderr(open())
            .spawn()
            .unwrap();
        (Self { master: master.into(), shown: String::new() }, child)
    }

    /// Reads until the text was shown. What was shown instead is told when it does not come.
    pub(crate) fn until(&mut self, text: &str) {
        let limit = rustix::event::Timespec { tv_sec: 100, tv_nsec: 0 };
        while !self.shown.contains(text) {
            let comes = poll(&mut [PollFd::new(&self.master, PollFlags::IN)], Some(&limit)).unwrap();
            assert!(comes > 0, "{text:?} does not come: {}", self.shown.escape_debug());
            let mut bytes = [0; 4096];
            let count = self.master.read(&mut bytes).unwrap_or(0);
            assert!(count > 0, "{text:?} was never shown: {}", self.shown.escape_debug());
            self.shown.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    }

    /// Types when the question is armed.
    pub(crate) fn type_later(&mut self, keys: &str) {
        thread::park_timeout(Duration::from_millis(1000));
        self.master.write_all(keys.as_bytes()).unwrap();
    }
}
