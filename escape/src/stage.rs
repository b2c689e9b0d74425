//! The private place of one run: bait outside the box, one folder inside it, and what the box is started with.

use std::cell::Cell;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use rustix::io::FdFlags;

use crate::canary;
use crate::outcome::{self, Outcome};

/// A callback of the runner, called about every 20 ms while the box runs with the process id of its first process.
pub(crate) type Watch = Box<dyn FnMut(u32)>;

/// Wall time one attack may take, on a machine with much else to do.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// When a box that may last a second is over on any machine, in milliseconds, and what stands for that where nothing ends it.
const LATE: u64 = 10_000;
const SOON: u64 = 300;
/// How long a race lasts, in milliseconds, and in a long run.
const RACE: u64 = 1_000;
const LONG_RACE: u64 = 60_000;

/// One prepared run. Dropping it removes the folders and ends the helpers.
pub(crate) struct Stage {
    root: PathBuf,
    /// Where the attack program lies, readable inside the box.
    pub(crate) bin: PathBuf,
    /// The one writable folder of the box, its current folder.
    pub(crate) work: PathBuf,
    /// A folder that the box must not see at all.
    pub(crate) host: PathBuf,
    /// A folder that the box may read but not execute, if the row asks for it with [`Stage::grant_data`].
    pub(crate) data: PathBuf,
    /// The box under test and the path of its program; none in a control run.
    pub(crate) launcher: Option<(&'static str, PathBuf)>,
    /// The program of belljar, whatever the box is.
    pub(crate) jars: PathBuf,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) flags: Vec<String>,
    /// The flag of belljar that grants the work folder.
    pub(crate) work_flag: &'static str,
    pub(crate) cwd: Option<PathBuf>,
    pub(crate) stdin: Vec<u8>,
    pub(crate) terminal: bool,
    /// Whether attacks that race take their time.
    pub(crate) long: bool,
    /// Wall time the attack may take.
    pub(crate) time: Duration,
    pub(crate) watches: Vec<Watch>,
    /// What the box may print while it runs, and whether it has.
    heard: Vec<(&'static str, Rc<Cell<bool>>)>,
    /// Words around the box in control runs too, for example a shell that gives it pipes.
    pub(crate) through: Vec<String>,
    /// Words before the box's own, for a worse host; the box may then refuse to start.
    pub(crate) before: Vec<String>,
    kept: Vec<OwnedFd>,
    helpers: Vec<Child>,
    names: Cell<u32>,
}

impl Stage {
    /// Makes the folders `host` and `work` under `root` for one run of the program in `bin`.
    pub(crate) fn new(
        root: PathBuf,
        bin: PathBuf,
        launcher: Option<(&'static str, PathBuf)>,
    ) -> io::Result<Stage> {
        let [work, host, data] = ["work", "host", "data"].map(|name| root.join(name));
        for dir in [&root, &work, &host, &data] {
            fs::DirBuilder::new().mode(0o755).create(dir)?;
        }
        // The box may run the attack under another uid than the runner's.
        fs::set_permissions(&work, fs::Permissions::from_mode(0o777))?;
        Ok(Stage {
            root,
            bin,
            work,
            host,
            data,
            launcher,
            jars: PathBuf::new(),
            args: Vec::new(),
            env: Vec::new(),
            flags: Vec::new(),
            work_flag: "-w",
            cwd: None,
            stdin: Vec::new(),
            terminal: false,
            long: false,
            time: TIME_LIMIT,
            watches: Vec::new(),
            heard: Vec::new(),
            through: Vec::new(),
            before: Vec::new(),
            kept: Vec::new(),
            helpers: Vec::new(),
            names: Cell::new(0),
        })
    }

    /// The attack program.
    pub(crate) fn program(&self) -> PathBuf {
        self.bin.join("escape")
    }

    /// The path of belljar, if that is the box of this run.
    pub(crate) fn belljar(&self) -> Option<&Path> {
        self.launcher.as_ref().filter(|(name, _)| *name == "belljar").map(|(_, path)| path.as_path())
    }

    /// Adds an argument of the attack.
    pub(crate) fn arg(&mut self, word: impl ToString) {
        self.args.push(word.to_string());
    }

    /// Adds the milliseconds of a race as an argument of the attack.
    pub(crate) fn race(&mut self) {
        let time = if self.long { LONG_RACE } else { RACE };
        self.time = TIME_LIMIT + Duration::from_millis(time);
        self.arg(time);
    }

    /// Adds a path as an argument of the attack. Stage paths are plain ASCII.
    pub(crate) fn path_arg(&mut self, path: &Path) {
        self.args.push(path.to_string_lossy().into_owned());
    }

    /// Adds flags for belljar only.
    pub(crate) fn belljar_flags(&mut self, words: &[&str]) {
        self.flags.extend(words.iter().map(|&word| word.to_owned()));
    }

    /// Lets belljar's box read the folder `data` without executing anything in it.
    pub(crate) fn grant_data(&mut self) {
        let data = self.data.to_string_lossy().into_owned();
        self.belljar_flags(&["--read-noexec", &data]);
    }

    /// Takes writing and executing in the work folder away from belljar's box.
    pub(crate) fn no_exec_work(&mut self) {
        self.work_flag = "--read-noexec";
    }

    /// Runs the box on a worse host: kernel calls that are missing or lie. Control runs keep the good host.
    pub(crate) fn sabotage(&mut self, ways: &str) {
        if self.belljar().is_some() {
            let program = self.program().to_string_lossy().into_owned();
            self.before = [&program, "weak", "sabotage", ways].map(str::to_owned).into();
        }
    }

    /// A word that is unique within the stage and the host.
    pub(crate) fn word(&self, stem: &str) -> String {
        self.names.set(self.names.get() + 1);
        let root = self.root.to_string_lossy().replace('/', "-");
        format!("{stem}{}{root}", self.names.get())
    }

    /// Writes a file, readable by all, into the hidden folder and returns its path.
    pub(crate) fn host_file(&self, name: &str, content: &str) -> io::Result<PathBuf> {
        write_file(&self.host.join(name), content)
    }

    /// Writes a file into the work folder of the box.
    pub(crate) fn work_file(&self, name: &str, content: &str) -> io::Result<PathBuf> {
        write_file(&self.work.join(name), content)
    }

    /// What becomes true once the attack has said [`outcome::READY`].
    pub(crate) fn is_ready(&mut self) -> Rc<Cell<bool>> {
        let said = Rc::new(Cell::new(false));
        self.heard.push((outcome::READY, Rc::clone(&said)));
        said
    }

    /// Compares what the box has printed so far with what is waited for.
    pub(crate) fn hear(&self, outcome: &Outcome) {
        for (text, said) in self.heard.iter().filter(|(_, said)| !said.get()) {
            said.set(outcome.printed(text));
        }
    }

    /// Adds milliseconds as an argument of the attack: when they have passed, a box that may last a second is long over. Where
    /// nothing ends it there is nothing to wait for.
    pub(crate) fn late(&mut self) {
        self.arg(if self.launcher.is_some() { LATE } else { SOON });
    }

    /// Lets the box inherit the descriptor; returns its number. The caller's copy stays open until the end.
    pub(crate) fn inherit(&mut self, fd: impl Into<OwnedFd>) -> io::Result<i32> {
        let fd = fd.into();
        rustix::io::fcntl_setfd(&fd, FdFlags::empty())?;
        let number = fd.as_raw_fd();
        self.kept.push(fd);
        Ok(number)
    }

    /// Opens a folder or file and lets the box inherit it.
    pub(crate) fn inherit_open(&mut self, path: &Path) -> io::Result<i32> {
        self.inherit(File::open(path)?)
    }

    /// Starts a host process that waits to be attacked: `escape victim WORDS`. Returns its process id.
    pub(crate) fn victim(&mut self, words: &[&str]) -> io::Result<u32> {
        self.victim_with(words, &[])
    }

    /// Same, with variables in its environment.
    pub(crate) fn victim_with(&mut self, words: &[&str], env: &[(&str, &str)]) -> io::Result<u32> {
        let mut command = Command::new(self.program());
        command.arg("victim").args(words).env_clear().envs(env.iter().copied());
        self.start_victim(command)
    }

    /// Same, from a marked copy of the program.
    pub(crate) fn victim_program(&mut self, program: &Path) -> io::Result<u32> {
        let mut command = Command::new(program);
        command.arg("victim");
        self.start_victim(command)
    }

    /// Starts a host process with memory and a descriptor to be attacked: `escape target WORDS`.
    pub(crate) fn target(&mut self, words: &[&str]) -> io::Result<u32> {
        let mut command = Command::new(self.program());
        command.arg("target").args(words);
        self.start_victim(command)
    }

    /// Starts a jar beside the box, with these flags, in which a process waits: `escape victim`. Returns its supervisor's
    /// process id.
    pub(crate) fn other_jar(&mut self, flags: &[&str]) -> io::Result<u32> {
        let mut command = Command::new(&self.jars);
        command.arg("run").arg("-r").arg(&self.bin).args(flags).arg("--").arg(self.program()).arg("victim");
        self.start_victim(command)
    }

    fn start_victim(&mut self, mut command: Command) -> io::Result<u32> {
        // Its own group, so that an attack on the group does not hit the runner.
        command.current_dir(&self.host).process_group(0);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        wait_for_line(&mut child)?;
        let pid = child.id();
        self.helpers.push(child);
        Ok(pid)
    }

    /// Process ids of the helpers that are part of the stage.
    pub(crate) fn helper_pids(&self) -> Vec<u32> {
        self.helpers.iter().map(Child::id).collect()
    }

    /// Closes the runner's copies of inherited descriptors.
    pub(crate) fn close_inherited(&mut self) -> io::Result<()> {
        for fd in &self.kept {
            rustix::io::fcntl_setfd(fd.as_fd(), FdFlags::CLOEXEC)?;
        }
        Ok(())
    }

    /// A canary in a hidden file, with the judge that looks for it in the output.
    pub(crate) fn secret(&self, name: &str) -> io::Result<(PathBuf, crate::attack::Judge)> {
        let canary = canary::fresh()?;
        let path = self.host_file(name, &format!("{canary}\n"))?;
        Ok((path, crate::files::not_printed(canary)))
    }
}

fn write_file(path: &Path, content: &str) -> io::Result<PathBuf> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(path)?;
    io::Write::write_all(&mut file, content.as_bytes())?;
    Ok(path.to_owned())
}

fn wait_for_line(child: &mut Child) -> io::Result<()> {
    let Some(out) = child.stdout.as_mut() else { return Err(io::Error::other("victim has no output")) };
    let mut byte = [0u8; 1];
    io::Read::read_exact(out, &mut byte)
}

impl Drop for Stage {
    fn drop(&mut self) {
        for helper in &mut self.helpers {
            // A helper that the attack killed is already gone; there is nobody to tell.
            if helper.kill().is_ok() {
                drop(helper.wait());
            }
        }
        drop(fs::remove_dir_all(&self.root));
    }
}
