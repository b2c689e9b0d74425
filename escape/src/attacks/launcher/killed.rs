//! R6: the supervisor is killed at any moment of its life, with everything that it can have set up. Nothing of it may stay.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::asked;
use super::requests::{SAVE_AS, argument, frame, requested};
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{child, nap, sys};
use crate::attacks::{proof, raw};
use crate::launch;
use crate::outcome::Judgement;
use crate::processes;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "R6",
    name: "supervisor-killed-at-random",
    what: "outlives a supervisor that is killed at any moment, or leaves a mount, socket, file or control group behind",
    prepare,
    attack,
    boxes: &["none", "belljar"],
    ..Attack::ROW
};

/// Supervisors of one run, and of a long one.
const TIMES: u64 = 30;
const MANY: u64 = 200;
/// Within so many milliseconds of its start each is killed: some before there is a jar, most while it runs.
const WITHIN: u64 = 160;
/// Tenths of a second that others may take to remove what is theirs.
const PATIENCE: u32 = 200;
/// The same moments in every run.
const SEED: u64 = 0x5eed_be11_1a12_0001;

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let places = Places::new(stage)?;
    let listener = UnixListener::bind(places.home.join("ask"))?;
    asked::says_yes(listener, |_| ());
    let times = if stage.long { MANY } else { TIMES };
    let mut line = match stage.belljar() {
        Some(launcher) => places.boxed(stage, launcher),
        None => Command::new(stage.program()),
    };
    line.args(["attack", ROW.name]).args(places.words()).env_clear();
    line.envs([("PATH", "/usr/bin:/bin")])
        .envs(["HOME", "TMPDIR", "XDG_RUNTIME_DIR"].map(|name| (name, &places.home)));
    line.current_dir(&stage.work).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    stage.args = places.words();
    Ok(Box::new(move |_| {
        let before = places.traces()?;
        let (killed, left) = killed(&mut line, times)?;
        if !left.is_empty() {
            return Ok(Judgement::Escaped(format!(
                "processes outlived their supervisor, killed as number {} of seed {SEED:#x}: {}",
                killed.len() + 1,
                left.join(" ")
            )));
        }
        // The groups of a dead supervisor are removed by the next one.
        let last = line.status()?;
        if !last.success() {
            return Err(io::Error::other(format!("nothing was tried: the box ends with {last}")));
        }
        let groups = groups(Path::new("/sys/fs/cgroup"), 6, &killed);
        let new = places.new_since(&before)?.into_iter().chain(groups).take(4).collect::<Vec<_>>();
        Ok(Judgement::escaped_if(!new.is_empty(), &format!("left behind: {new:?}")))
    }))
}

/// What the jar is given, and where anything could stay.
struct Places {
    home: PathBuf,
    cow: PathBuf,
    saved: PathBuf,
    asked: PathBuf,
    port: u16,
}

impl Places {
    fn new(stage: &Stage) -> io::Result<Places> {
        let [home, cow, saved] = ["home", "cow", "saved"].map(|name| stage.host.join(name));
        for folder in [&home, &cow, &saved] {
            fs::create_dir(folder)?;
            fs::set_permissions(folder, PermissionsExt::from_mode(0o700))?;
        }
        let asked = stage.host_file("asked", "asked for\n")?;
        // Not one that the kernel may give to somebody else meanwhile.
        let port = raw::random_port()?;
        TcpListener::bind(("127.0.0.1", port))?;
        Ok(Places { home, cow, saved, asked, port })
    }

    /// Everything at once that belljar sets up for a jar.
    fn boxed(&self, stage: &Stage, launcher: &Path) -> Command {
        let mut line = Command::new(launcher);
        line.args([
            "run",
            "--trace",
            "--tmp",
            "8M",
            "--throw-away",
            "8M",
            "--proxy",
            "-t",
            "10s",
            "--pids",
            "64",
        ]);
        line.args(["-n", "mirror.test:80", "--host", "mirror.test=192.0.2.1"]);
        line.arg("--publish").arg(self.port.to_string()).arg("--cow").arg(&self.cow);
        line.arg("--ask").arg(format!("socket:{}", self.home.join("ask").display()));
        line.arg("--action").arg(format!("save-as={}", self.saved.display()));
        line.arg("-r").arg(&stage.bin).arg("-w").arg(&stage.work).arg("--").arg(stage.program());
        line
    }

    fn words(&self) -> Vec<String> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        vec![path(&self.cow), path(&self.asked), self.port.to_string()]
    }

    /// What stays all the time. Other programs of the host come and go meanwhile.
    fn new_since(&self, before: &BTreeSet<String>) -> io::Result<BTreeSet<String>> {
        let mut new: BTreeSet<String> = self.traces()?.difference(before).cloned().collect();
        for _ in 0..PATIENCE {
            if new.is_empty() {
                break;
            }
            launch::wait_a_little(Duration::from_millis(100))?;
            new = self.traces()?.intersection(&new).cloned().collect();
        }
        Ok(new)
    }

    /// What of belljar can be seen on the host while nothing runs.
    fn traces(&self) -> io::Result<BTreeSet<String>> {
        let mut found: BTreeSet<String> = lines("/proc/self/mountinfo")?.collect();
        let own = self.home.parent().unwrap_or(&self.home).to_string_lossy().into_owned();
        found.extend(
            lines("/proc/net/unix")?
                // Other suites may run beside this one; their stages say `belljar` as well.
                .filter(|line| line.contains(&own) || line.contains("belljar") && !line.contains("/escape."))
                .filter_map(|line| Some(line.split_whitespace().nth(7)?.to_owned())),
        );
        // Folders there are those of other tests, which may run beside this one.
        for folder in ["/tmp", "/var/tmp", "/dev/shm", "/run"] {
            found.extend(
                entries(Path::new(folder))
                    .filter(|path| path.contains("belljar") && !Path::new(path).is_dir()),
            );
        }
        for folder in [&self.home, &self.cow, &self.saved] {
            found.extend(entries(folder));
        }
        if TcpListener::bind(("127.0.0.1", self.port)).is_err() {
            found.insert(format!("a listener at port {}", self.port));
        }
        Ok(found)
    }
}

fn lines(path: &str) -> io::Result<impl Iterator<Item = String> + use<>> {
    Ok(fs::read_to_string(path)?.lines().map(str::to_owned).collect::<Vec<_>>().into_iter())
}

fn entries(folder: &Path) -> impl Iterator<Item = String> + use<> {
    let found = fs::read_dir(folder).into_iter().flatten().flatten();
    found.map(|entry| entry.path().to_string_lossy().into_owned())
}

/// Starts and kills; the process ids, and what was still there a second later.
fn killed(line: &mut Command, times: u64) -> io::Result<(Vec<u32>, Vec<String>)> {
    let mut random = SEED;
    let mut pids = Vec::new();
    for _ in 0..times {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut supervisor = line.spawn()?;
        launch::wait_a_little(Duration::from_micros((random >> 33) % (WITHIN * 1000)))?;
        processes::end(supervisor.id())?;
        supervisor.wait()?;
        let left = launch::left(&[])?;
        if !left.is_empty() {
            return Ok((pids, left));
        }
        pids.push(supervisor.id());
    }
    Ok((pids, Vec::new()))
}

/// Control groups that are named after these processes.
fn groups(folder: &Path, depth: u32, pids: &[u32]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().filter(|_| depth > 0) {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let of = path.parent().is_some_and(|parent| parent.ends_with("belljar"));
        if of && pids.iter().any(|pid| name.starts_with(&format!("{pid}-"))) {
            found.push(path.to_string_lossy().into_owned());
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(groups(&path, depth - 1, pids));
        }
    }
    found
}

/// Uses all that there is, and leaves a process that does not want to go.
fn attack(args: &[String]) -> io::Result<()> {
    child(|| {
        drop(sys!(SYS_setsid));
        for signal in 1..=64 {
            drop(sys!(SYS_rt_sigaction, signal, &[libc::SIG_IGN, 0, 0, 0], 0, 8));
        }
        drop(sys!(SYS_prctl, libc::PR_SET_PDEATHSIG, 0));
        nap(20_000);
        Ok(())
    })?;
    drop(TcpListener::bind(("0.0.0.0", proof::number::<u16>(args, 2)?)));
    drop(requested(&[frame(1, SAVE_AS, 1, &argument("begun")), frame(2, 0, 1, &[0; 512])]));
    drop(fs::read(proof::arg(args, 1)?));
    for number in 0..20 {
        drop(fs::write(Path::new(proof::arg(args, 0)?).join(format!("written{number}")), [0; 4096]));
        raw::pause(10)?;
    }
    Ok(())
}
