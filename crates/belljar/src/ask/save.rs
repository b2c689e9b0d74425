//! "Always": a line in the user's policy file.
//!
//! The file is read, amended and replaced as a whole under a lock on its folder, so that readers see the old text or the new
//! one and two jars cannot lose each other's lines. Symlinks, files of others and files with several names are refused.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use belljar_policy::{PolicyError, amend};
use rustix::event::Timespec;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::prompt::Prompt;
use super::text::shown;
use crate::sink;

/// Longest file that is amended; the policy crate refuses what is longer.
const MAX_TEXT: u64 = (1 << 20) + 1;

/// How long another belljar may hold the folder.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// How often is looked whether it is free.
const LOCK_PERIOD: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// The rule could not be written down; it holds for this run all the same.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// The path has no file name.
    #[error("policy file `{}` has no file name", shown(.0.as_os_str()))]
    NoFile(PathBuf),
    /// Something else than a file of this user with a single name is there.
    #[error("policy file `{}` is {what}", shown(path.as_os_str()))]
    Unfit {
        /// As it was named.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// The text has no place for the line.
    #[error("policy file `{}`: {source}", shown(path.as_os_str()))]
    Text {
        /// As it was named.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<PolicyError>,
    },
    /// Each rule would grant more than was asked.
    #[error("no rule grants just that")]
    NoRule,
    /// Somebody changed it at the same time.
    #[error("policy file `{}` was changed at the same time", shown(.0.as_os_str()))]
    Changed(PathBuf),
    /// Reading or writing failed.
    #[error("policy file `{}` cannot be {what}", shown(path.as_os_str()))]
    Io {
        /// As it was named.
        path: PathBuf,
        /// Opened, locked, read or written.
        what: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
}

/// The file that "always" writes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFile {
    /// Where it is; made when it is missing.
    pub path: PathBuf,
    /// What a new file extends, so that the policies of this run stay its base.
    pub bases: Vec<String>,
}

impl PolicyFile {
    /// Adds the rule that grants what was asked, under a comment that says when and for which program.
    ///
    /// # Errors
    /// See [`SaveError`]; the file is as it was.
    pub fn add(&self, prompt: &Prompt, now: SystemTime) -> Result<(), SaveError> {
        let addition = prompt.want.addition().ok_or(SaveError::NoRule)?;
        let place = Place::open(&self.path)?;
        place.lock()?;
        let old = place.read()?;
        let comment = format!("allowed when asked, {}, for {}", date(now), shown(&prompt.program));
        let (text, mode) = old.as_ref().map_or(("", 0o600), |old| (old.text.as_str(), old.stat.st_mode));
        let made = amend(text, &addition, &comment, &self.bases)
            .map_err(|source| SaveError::Text { path: self.path.clone(), source: Box::new(source) })?;
        place.replace(&made, mode, old.as_ref())
    }
}

/// An opened folder and a name in it.
struct Place<'p> {
    path: &'p Path,
    folder: OwnedFd,
    name: &'p OsStr,
}

/// The file as it was read.
struct Old {
    text: String,
    stat: Stat,
}

impl<'p> Place<'p> {
    fn open(path: &'p Path) -> Result<Self, SaveError> {
        let name = path.file_name().ok_or_else(|| SaveError::NoFile(path.into()))?;
        let opened = sink::folder_of(path).map_err(|errno| failed(path, "opened", errno))?;
        let what = "reached through a symlink that a jar may have made";
        let folder = opened.ok_or_else(|| SaveError::Unfit { path: path.into(), what })?;
        let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(&folder, ".", how, Mode::empty())
            .map_err(|errno| failed(path, "opened", errno))?;
        Ok(Self { path, folder, name })
    }

    /// A lock on the folder: the file itself is replaced, and a lock on it with it.
    fn lock(&self) -> Result<(), SaveError> {
        let until = Instant::now() + LOCK_WAIT;
        loop {
            match rustix::fs::flock(&self.folder, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(()),
                Err(Errno::AGAIN | Errno::INTR) if Instant::now() < until => {
                    // A lock that is let go is no event that could be waited for.
                    rustix::event::poll(&mut [], Some(&LOCK_PERIOD))
                        .map_err(|errno| failed(self.path, "locked", errno))?;
                }
                Err(errno) => return Err(failed(self.path, "locked", errno)),
            }
        }
    }

    fn read(&self) -> Result<Option<Old>, SaveError> {
        // NONBLOCK: a FIFO there must be refused, not waited for.
        let how = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.folder, self.name, how, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => {
                return Err(SaveError::Unfit { path: self.path.into(), what: "a symlink" });
            }
            other => other.map_err(|errno| failed(self.path, "opened", errno))?,
        };
        let stat = rustix::fs::fstat(&file).map_err(|errno| failed(self.path, "read", errno))?;
        if let Some(what) = sink::unfit(&file).map_err(|errno| failed(self.path, "read", errno))? {
            return Err(SaveError::Unfit { path: self.path.into(), what });
        }
        let mut text = String::new();
        let read = File::from(file).take(MAX_TEXT).read_to_string(&mut text);
        read.map_err(|source| SaveError::Io { path: self.path.into(), what: "read", source })?;
        Ok(Some(Old { text, stat }))
    }

    /// A new file takes the old one's place at once.
    fn replace(&self, text: &str, mode: u32, old: Option<&Old>) -> Result<(), SaveError> {
        let temporary = self.temporary();
        let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.folder, &temporary, how, Mode::RUSR | Mode::WUSR)
            .map_err(|errno| failed(self.path, "written", errno))?;
        let done = self.fill(file, text, mode).and_then(|()| self.swap(&temporary, old));
        if done.is_err() {
            let removed = rustix::fs::unlinkat(&self.folder, &temporary, AtFlags::empty());
            tracing::debug!(?removed, "the new text is dropped");
        }
        done
    }

    fn fill(&self, file: OwnedFd, text: &str, mode: u32) -> Result<(), SaveError> {
        let mut file = File::from(file);
        let filled = rustix::fs::fchmod(&file, Mode::from_raw_mode(mode & 0o777))
            .map_err(io::Error::from)
            .and_then(|()| file.write_all(text.as_bytes()))
            .and_then(|()| file.sync_all());
        filled.map_err(|source| SaveError::Io { path: self.path.into(), what: "written", source })
    }

    /// An editor does not take our lock: what it saved meanwhile must not be lost.
    fn swap(&self, temporary: &OsStr, old: Option<&Old>) -> Result<(), SaveError> {
        let now = rustix::fs::statat(&self.folder, self.name, AtFlags::SYMLINK_NOFOLLOW).ok();
        let identity = |stat: &Stat| {
            (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime_nsec)
        };
        if now.as_ref().map(identity) != old.map(|old| identity(&old.stat)) {
            return Err(SaveError::Changed(self.path.into()));
        }
        rustix::fs::renameat(&self.folder, temporary, &self.folder, self.name)
            .map_err(|errno| failed(self.path, "written", errno))
    }

    fn temporary(&self) -> OsString {
        let mut name = OsString::from(".");
        name.push(self.name);
        name.push(format!(".belljar-{}", std::process::id()));
        name
    }
}

fn failed(path: &Path, what: &'static str, errno: Errno) -> SaveError {
    SaveError::Io { path: path.into(), what, source: errno.into() }
}

/// Day and minute in UTC.
fn date(now: SystemTime) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, minutes) = (seconds / 86_400, seconds % 86_400 / 60);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", minutes / 60, minutes % 60)
}

/// Year, month and day of a day after 1970-01-01.
pub(crate) fn civil(days: u64) -> (u64, u64, u64) {
    // Years begin in March, so that a leap day is the last of its year; an era has 400 years.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    (era * 400 + year + u64::from(month < 3), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::Want;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn prompt(path: &str) -> Prompt {
        let want = Want::Read(path.into());
        Prompt {
            program: "/usr/bin/c\nc".into(),
            pid: None,
            call: "openat".into(),
            want,
            rule: String::new(),
        }
    }

    fn add(path: &Path, object: &str) -> Result<(), SaveError> {
        PolicyFile { path: path.into(), bases: vec!["@strict".into()] }.add(&prompt(object), UNIX_EPOCH)
    }

    #[test]
    fn dates() {
        let at = |seconds| date(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01 00:00 UTC");
        assert_eq!(at(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(at(1_795_369_500), "2026-11-22 17:45 UTC");
    }

    #[test]
    fn a_missing_file_is_made_and_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        add(&path, "/srv/a").unwrap();
        add(&path, "/srv/b").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let comment = "# allowed when asked, 1970-01-01 00:00 UTC, for \"/usr/bin/c\\u{a}c\"\n";
        let rules = format!("[fs]\n{comment}\"/srv/a\" = \"read\"\n{comment}\"/srv/b\" = \"read\"\n");
        assert_eq!(text, format!("belljar = 1\nextends = [\"@strict\"]\n\n{rules}"));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn the_mode_stays_and_a_text_without_place_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::fs::write(&path, "belljar = 1\n").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        add(&path, "/srv/a").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        std::fs::write(&path, "broken [").unwrap();
        assert!(matches!(add(&path, "/srv/a"), Err(SaveError::Text { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "broken [");
    }

    #[test]
    fn symlinks_second_names_and_fifos_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (victim, path) = (folder.path().join("victim"), folder.path().join("p.toml"));
        std::fs::write(&victim, "belljar = 1\n").unwrap();
        symlink(&victim, &path).unwrap();
        assert!(matches!(add(&path, "/srv/a"), Err(SaveError::Unfit { what: "a symlink", .. })));
        std::fs::remove_file(&path).unwrap();
        std::fs::hard_link(&victim, &path).unwrap();
        assert!(matches!(add(&path, "/srv/a"), Err(SaveError::Unfit { .. })));
        std::fs::remove_file(&path).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert!(matches!(add(&path, "/srv/a"), Err(SaveError::Unfit { .. })));
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "belljar = 1\n");
    }

    #[test]
    fn many_at_once_lose_no_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::thread::scope(|scope| {
            for number in 0..8 {
                let path = &path;
                scope.spawn(move || {
                    // Who waits too long for the lock is told, and tries again.
                    while add(path, &format!("/srv/{number}")).is_err() {}
                });
            }
        });
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches("= \"read\"").count(), 8, "{text}");
    }

    #[test]
    fn what_an_editor_saved_meanwhile_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::fs::write(&path, "belljar = 1\n").unwrap();
        let place = Place::open(&path).unwrap();
        let old = place.read().unwrap();
        std::fs::write(&path, "belljar = 1\n# mine\n").unwrap();
        assert!(matches!(place.replace("x", 0o600, old.as_ref()), Err(SaveError::Changed(_))));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "belljar = 1\n# mine\n");
    }
}
