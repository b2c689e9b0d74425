//! The order of a run: for each attack a control run, then one run per box, then the report.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::attack::{Attack, Control};
use crate::attacks::FAMILIES;
use crate::boxes::{Places, Sandbox};
use crate::cli::{self, Options};
use crate::outcome::{Judgement, Outcome};
use crate::report::{Line, Report, Verdict};
use crate::stage::Stage;
use crate::{canary, launch, limits, needs, skips, turns};

/// How often a control run may be tried: other programs of the host use the same quotas, clocks and ports. Boxed runs get one.
const CONTROL_TRIES: usize = 3;

/// A box and the program that makes it.
type Launcher = (&'static Sandbox, PathBuf);

/// What every run of this suite shares.
struct Suite {
    root: PathBuf,
    bin: PathBuf,
    belljar: PathBuf,
    hooked: Option<PathBuf>,
    long: bool,
    proven: bool,
    mask: Option<String>,
    with: Vec<String>,
}

/// `escape run`.
pub(crate) fn main(words: &[String]) -> io::Result<u8> {
    let options = cli::parse(words)?;
    rustix::process::set_child_subreaper(rustix::process::Pid::from_raw(1))?;
    let suite = Suite::new(&options)?;
    let mut report = Report::new(&options, suite.belljar.clone());
    let rows = FAMILIES.iter().flat_map(|family| family.rows).filter(|attack| chosen(attack, &options));
    for attack in options.share.of(rows) {
        for line in suite.verdicts(attack, &options.against) {
            report.add(line)?;
        }
    }
    let unexpected = skips::unexpected(&report.lines, options.skips.as_deref())?;
    report.finish(&unexpected)
}

/// `escape list`.
pub(crate) fn list(_: &[String]) -> io::Result<u8> {
    let mut out = io::stdout().lock();
    for family in FAMILIES {
        writeln!(out, "{}", family.title)?;
        for row in family.rows {
            writeln!(out, "  {:4} {:32} {}", row.id, row.name, row.what)?;
        }
    }
    Ok(0)
}

fn chosen(attack: &Attack, options: &Options) -> bool {
    options.only.is_empty() || options.only.iter().any(|word| word == attack.id || word == attack.name)
}

impl Suite {
    fn new(options: &Options) -> io::Result<Suite> {
        // Short: sockets below it have room for 107 bytes of path.
        let root = private_folder(canary::fresh()?.get(6..14).unwrap_or_default())?;
        let bin = root.join("bin");
        fs::DirBuilder::new().mode(0o755).create(&bin)?;
        let me = std::env::current_exe()?;
        fs::copy(&me, bin.join("escape"))?;
        let belljar = options.belljar.clone().unwrap_or_else(|| me.with_file_name("belljar"));
        let Options { hooked, long, proven, mask, with, .. } = options.clone();
        Ok(Suite { root, bin, belljar, hooked, long, proven, mask, with })
    }

    /// One line per box.
    fn verdicts(&self, attack: &'static Attack, against: &[&'static Sandbox]) -> Vec<Line> {
        // Given back when all is judged.
        let _turn = turns::wait_for(attack.name);
        let begun = Instant::now();
        let common = self.control(attack).err();
        let verdict = |sandbox: &&'static Sandbox| {
            let verdict = common.clone().unwrap_or_else(|| self.boxed(attack, sandbox));
            Line { attack, sandbox: sandbox.name, verdict, took: begun.elapsed() }
        };
        against.iter().map(verdict).collect()
    }

    /// The attack must work where nothing, or only a box known to leak, is in its way.
    fn control(&self, attack: &Attack) -> Result<(), Verdict> {
        if let Some(need) = needs::missing(attack.needs) {
            return Err(Verdict::Skipped(need.name));
        }
        if attack.control == Control::Fault || self.proven {
            return Ok(());
        }
        let mut last = Ok(());
        for _ in 0..CONTROL_TRIES {
            last = match self.run(attack, None) {
                Ok((Judgement::Escaped(_), _)) => return Ok(()),
                Ok((Judgement::Held, outcome)) => Err(Verdict::Broken(explain(&outcome))),
                Err(error) => Err(Verdict::Broken(error.to_string())),
            };
        }
        last
    }

    /// What the broker alone holds must get out of one that is broken.
    fn faulty(&self, attack: &Attack, sandbox: &'static Sandbox) -> Result<(), Verdict> {
        if attack.fault.is_empty() {
            return Ok(());
        }
        // A masked host has fewer doors, which the broken broker may not have either.
        if self.mask.is_some() {
            return Err(Verdict::NotApplicable);
        }
        let Some(hooked) = &self.hooked else { return Err(Verdict::Skipped("a build with test hooks")) };
        match self.run_with(attack, Some(&(sandbox, hooked.clone())), attack.fault) {
            Ok((Judgement::Escaped(_), _)) => Ok(()),
            Ok((Judgement::Held, outcome)) => Err(Verdict::Broken(format!(
                "the fault {} changes nothing: {}",
                attack.fault,
                explain(&outcome)
            ))),
            Err(error) => Err(Verdict::Broken(error.to_string())),
        }
    }

    fn boxed(&self, attack: &Attack, sandbox: &'static Sandbox) -> Verdict {
        if !attack.boxes.is_empty() && !attack.boxes.contains(&sandbox.name) {
            return Verdict::NotApplicable;
        }
        // One wall is masked already: a second that lies is one fault too many for two layers.
        if self.mask.is_some() && attack.id == "Q4" {
            return Verdict::NotApplicable;
        }
        if sandbox.name == "belljar"
            && let Err(verdict) = self.faulty(attack, sandbox)
        {
            return verdict;
        }
        match self.run(attack, Some(&(sandbox, self.launcher(sandbox)))) {
            Ok((Judgement::Escaped(_), _)) if sandbox.name == "belljar" && limits::is_known(attack.name) => {
                Verdict::Skipped(limits::NEED)
            }
            Ok((Judgement::Escaped(evidence), outcome)) => {
                Verdict::Escaped(format!("{evidence}; {}", explain(&outcome)))
            }
            Ok((Judgement::Held, outcome)) if outcome.began() => Verdict::Contained,
            Ok((Judgement::Held, outcome)) if outcome.may_refuse && outcome.refused() => Verdict::Refused,
            Ok((Judgement::Held, outcome)) => Verdict::NotStarted(explain(&outcome)),
            Err(error) => Verdict::Broken(error.to_string()),
        }
    }

    fn run(&self, attack: &Attack, launcher: Option<&Launcher>) -> io::Result<(Judgement, Outcome)> {
        self.run_with(attack, launcher, "")
    }

    fn run_with(
        &self,
        attack: &Attack,
        launcher: Option<&Launcher>,
        fault: &str,
    ) -> io::Result<(Judgement, Outcome)> {
        let sandbox = launcher.map(|(sandbox, _)| *sandbox);
        let place =
            self.root.join(format!("{}-{}", attack.name, sandbox.map_or("control", |sandbox| sandbox.name)));
        let named = launcher.map(|(sandbox, path)| (sandbox.name, path.clone()));
        let mut stage = Stage::new(place, self.bin.clone(), named)?;
        stage.flags.clone_from(&self.with);
        stage.jars.clone_from(&self.belljar);
        stage.long = self.long && fault.is_empty() && launcher.is_some();
        if !fault.is_empty() {
            stage.env.push(("BELLJAR_TEST_BROKER".to_owned(), fault.to_owned()));
        }
        if let Some(mask) = &self.mask {
            stage.env.push(("BELLJAR_TEST_MASK".to_owned(), mask.clone()));
        }
        let judge = (attack.prepare)(&mut stage)?;
        let mut line = match launcher {
            Some((sandbox, path)) => {
                let before = stage.before.iter().map(OsString::from);
                before.chain(sandbox.line(&self.places(&stage, path))).collect()
            }
            None => control_line(&stage, attack.control)?,
        };
        let in_chroot = sandbox.is_none() && matches!(attack.control, Control::Chroot | Control::Pivot);
        let program = if in_chroot { PathBuf::from("/escape") } else { stage.program() };
        line.extend([program.into_os_string(), "attack".into(), attack.name.into()]);
        line.extend(stage.args.iter().map(OsString::from));
        line.splice(0..0, stage.through.iter().map(OsString::from));
        let mut outcome = launch::run(&mut stage, &line)?;
        outcome.may_refuse = attack.may_refuse || self.mask.is_some() || !stage.before.is_empty();
        Ok((judge(&outcome)?, outcome))
    }

    fn launcher(&self, sandbox: &Sandbox) -> PathBuf {
        if sandbox.name == "belljar" {
            self.belljar.clone()
        } else {
            Path::new("/usr/bin").join(sandbox.name)
        }
    }

    fn places<'a>(&'a self, stage: &'a Stage, launcher: &'a Path) -> Places<'a> {
        Places {
            belljar: launcher,
            bin: &self.bin,
            work: &stage.work,
            flags: &stage.flags,
            grant: stage.work_flag,
        }
    }
}

impl Drop for Suite {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.root));
    }
}

/// A new folder for all stages: for an ordinary user in the home folder, where firejail lets programs run.
fn private_folder(name: &str) -> io::Result<PathBuf> {
    let home = std::env::var_os("HOME").filter(|_| !rustix::process::geteuid().is_root());
    let home = home.map(|home| PathBuf::from(home).join(format!("escape.{name}")));
    let make = |path: PathBuf| fs::DirBuilder::new().mode(0o755).create(&path).map(|()| path);
    match home.map(make) {
        Some(Ok(path)) => Ok(path),
        _ => make(PathBuf::from(format!("/var/tmp/escape.{name}"))),
    }
}

/// Words that put the control run into the right weak box.
fn control_line(stage: &Stage, control: Control) -> io::Result<Vec<OsString>> {
    let weak = |kind: &str| vec![stage.program().into_os_string(), "weak".into(), kind.into()];
    Ok(match control {
        Control::Bare | Control::Fault => Vec::new(),
        Control::Landlock => {
            let mut line = weak("landlock");
            line.extend([&stage.bin, &stage.work, &stage.data].map(OsString::from));
            line
        }
        Control::Chroot | Control::Pivot => {
            fs::copy(stage.program(), stage.work.join("escape"))?;
            fs::create_dir(stage.work.join("usr"))?;
            let mut line = weak(if control == Control::Chroot { "chroot" } else { "pivot" });
            line.push(stage.work.clone().into_os_string());
            line
        }
    })
}

fn explain(outcome: &Outcome) -> String {
    let [out, error] = [&outcome.stdout, &outcome.stderr].map(|said| tail(said));
    let time = outcome.wall.as_secs_f32();
    format!("{} after {time:.1} s; said {out}; complained {error}", launch::words(outcome.status))
}

/// Lines that are shown of a stream, and of each so many characters.
const SHOWN: usize = 6;
const WIDTH: usize = 200;

/// The end of a stream, in one line.
fn tail(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let lines: Vec<String> = text.lines().map(|line| line.chars().take(WIDTH).collect()).collect();
    lines.get(lines.len().saturating_sub(SHOWN)..).unwrap_or_default().join(" / ")
}
