//! `belljar learn`: a confined run, and the rules that it would have needed.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

use belljar::learn::{Frame, LeftOut, Lesson, PolicyDifference, Unproposed};
use belljar::policy::{DEFAULT_PRESET, printable};
use belljar::report::Verdict;

use super::run;
use crate::ending::Ending;
use crate::fault::Fault;
use crate::subcommand::BELLJAR_FAILED;
use crate::words::{Given, Words};
use crate::{request, screen, summary};

/// After a failure that no rule of the lesson explains.
const LACKS_NO_RULE: &str = "hint: the program failed and lacked no rule: what it printed says why; one that wants a home gets one by -e HOME=/tmp\n";

/// Options that are no part of a policy, and those that the saved one begins with.
const APART: &[&str] = &["extends", "save", "ask", "report", "events", "verbose", "quiet", "engine"];

/// Most things that are listed as seen and not proposed.
const SHOWN: usize = 12;

pub(crate) fn learn(words: &Words) -> u8 {
    let place = match Place::named(words) {
        Ok(place) => place,
        Err(fault) => return Ending::silent().fail(&fault),
    };
    run::command(words, |mut command, ending| {
        let lesson = command.learn();
        let status = ending.without_refusals().finish(&lesson.report);
        if summary::is_failure(&lesson.report) {
            return status;
        }
        tell(&lesson, &place, words.has("quiet"), status)
    })
}

/// Where the policy goes, and what its paths count from.
struct Place {
    /// A file that is made.
    file: Option<PathBuf>,
    folder: Option<PathBuf>,
    home: Option<PathBuf>,
    bases: Vec<String>,
    /// A line about options that the file does not hold.
    rest: String,
}

impl Place {
    fn named(words: &Words) -> Result<Self, Fault> {
        let here = request::current_folder()?;
        let file = words.value("save").map(|name| here.join(name));
        if let Some(file) = file.as_deref().filter(|file| file.symlink_metadata().is_ok()) {
            let reason = format!("{} is there already", printable(file.as_os_str()));
            return Err(Fault::new(Verdict::SetupFailed, reason, "name a new file: nothing is overwritten"));
        }
        let folder = file.as_deref().map_or(Some(here.as_path()), Path::parent);
        // A path with .. in it is written whole.
        let plain = |folder: &&Path| folder.components().all(|part| part != Component::ParentDir);
        let folder = folder.filter(plain).map(Path::to_path_buf);
        Ok(Self { file, folder, home: request::home(), bases: bases(words, &here), rest: rest(words) })
    }

    fn frame(&self) -> Frame<'_> {
        Frame { folder: self.folder.as_deref(), home: self.home.as_deref() }
    }

    fn make(&self, file: &Path, text: &str) -> Result<(), Fault> {
        let made = OpenOptions::new().write(true).create_new(true).open(file);
        made.and_then(|mut made| made.write_all(text.as_bytes())).map_err(|error| {
            let reason = format!("{} cannot be written: {error}", printable(file.as_os_str()));
            Fault::new(Verdict::SetupFailed, reason, "name another file")
        })
    }
}

fn rest(words: &Words) -> String {
    let apart = |given: &&Given| !APART.contains(&given.name);
    let mut flags: Vec<&str> = words.given().iter().filter(apart).map(|given| given.flag).collect();
    flags.sort_unstable();
    flags.dedup();
    match flags.is_empty() {
        true => String::new(),
        false => format!("belljar: not in it: {}; give them again when you run it\n", flags.join(", ")),
    }
}

/// What the run's policy was made from: presets as they are, files by their whole path.
fn bases(words: &Words, here: &Path) -> Vec<String> {
    let whole = |name: &OsString| match name.to_str() {
        Some(preset) if preset.starts_with('@') => preset.to_owned(),
        _ => here.join(name).to_string_lossy().into_owned(),
    };
    let named = words.given().iter().filter(|given| given.name == "extends");
    let named: Vec<String> = named.filter_map(|given| given.value.as_ref().map(whole)).collect();
    if named.is_empty() { vec![DEFAULT_PRESET.to_owned()] } else { named }
}

fn tell(lesson: &Lesson, place: &Place, quiet: bool, status: u8) -> u8 {
    let difference = &lesson.difference;
    let written = difference.to_toml(&place.bases, place.frame()).map_err(|error| request::fault(&error));
    let written = written.and_then(|policy| match place.file.as_deref().filter(|_| !difference.is_empty()) {
        Some(file) => place.make(file, &policy).map(|()| policy),
        None => Ok(policy),
    });
    match written {
        Ok(policy) => {
            if !quiet {
                screen::say_after_run(&told(lesson, place, &policy));
            }
            status
        }
        Err(fault) => {
            screen::say_after_run(&fault.text());
            BELLJAR_FAILED
        }
    }
}

fn told(lesson: &Lesson, place: &Place, policy: &str) -> String {
    let notes: String = lesson.notes.iter().map(|note| format!("belljar: {note}\n")).collect();
    let found = proposed(&lesson.difference, place, policy);
    let hint = match (lesson.report.verdict, lesson.difference.is_empty()) {
        (Verdict::Exited { code: 0 }, _) => "",
        (_, true) => LACKS_NO_RULE,
        _ => "hint: the program did not get to its end: learn again with these rules to see more\n",
    };
    let rest = if place.file.is_some() && !lesson.difference.is_empty() { place.rest.as_str() } else { "" };
    format!("{notes}{found}{rest}{}{hint}", left_out(&lesson.difference))
}

fn proposed(difference: &PolicyDifference, place: &Place, policy: &str) -> String {
    if difference.is_empty() {
        return "belljar: learned: nothing has to be added to the policy\n".to_owned();
    }
    let flags: String = difference.flags(place.frame()).iter().map(|flag| format!(" {flag}")).collect();
    let mut out = format!("belljar: learned, as flags:{flags}\n");
    match &place.file {
        Some(file) => {
            said(&mut out, format_args!("belljar: learned, as a policy: -p {}", printable(file.as_os_str())))
        }
        None => {
            said(&mut out, format_args!("belljar: learned, as a policy:"));
            policy
                .lines()
                .filter(|line| !line.is_empty())
                .for_each(|line| said(&mut out, format_args!("  {line}")));
        }
    }
    out
}

/// Writing to a string cannot fail.
fn said(out: &mut String, line: std::fmt::Arguments<'_>) {
    if writeln!(out, "{line}").is_err() {
        out.push('\n');
    }
}

fn left_out(PolicyDifference { unproposed, left_out, .. }: &PolicyDifference) -> String {
    if unproposed.is_empty() && left_out.is_empty() {
        return String::new();
    }
    let row = |out: &Unproposed| {
        [format!("{} {}", out.need.word(), printable(out.path.as_os_str())), out.why.clone(), String::new()]
    };
    let beyond = |out: &LeftOut| [out.what.clone(), out.why.clone(), String::new()];
    let rows = unproposed.iter().map(row).chain(left_out.iter().map(beyond));
    let rows: Vec<[String; 3]> = rows.take(SHOWN).collect();
    let all = unproposed.len().saturating_add(left_out.len());
    let more = match all.saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("  and {more} more\n"),
    };
    format!("belljar: seen and not proposed:\n{}{more}", summary::columns(&rows))
}
