//! The verdicts. Negative rows are judged from outside and must first get through without a box.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::options::Options;
use crate::run::{Outcome, Rig};
use crate::scenario::{Check, Scenario};
use crate::work::Place;

const UNTOUCHED: &[u8] = b"untouched\n";

/// Runs the row and says whether it holds.
pub(crate) fn judge(row: &'static Scenario, options: &Options, place: &Place) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let victim = place.base.join("outside/victim");
    let rig = Rig { row, options, place, work: place.base.join(row.name), port, victim };
    match row.check {
        Check::Same => same(&rig, 0),
        Check::SameCode(code) => same(&rig, code),
        Check::NoSecret => no_secret(&rig),
        Check::NoListener => no_listener(&rig, &listener),
        Check::NoWrite => no_write(&rig),
        Check::Own(judge) => rig.fresh().and_then(|()| judge(&rig)),
    }
}

fn both(rig: &Rig<'_>, mut after: impl FnMut(&Outcome) -> Result<bool>) -> Result<(bool, bool)> {
    let plain = rig.row.plain(rig);
    rig.fresh()?;
    let outside = plain.run().context("outside")?;
    let without = after(&outside).with_context(|| format!("outside: {}", outside.text()))?;
    rig.fresh()?;
    let inside = rig.boxed(&plain).run().context("inside")?;
    let within = after(&inside).with_context(|| format!("inside: {}", inside.text()))?;
    Ok((without, within))
}

fn same(rig: &Rig<'_>, code: i32) -> Result<()> {
    let mut seen = Vec::new();
    both(rig, |outcome| {
        let results = results(rig)?;
        seen.push((neutral(rig.row, outcome), results));
        Ok(true)
    })?;
    let [(outside, files), (inside, copies)] = seen.as_slice() else { bail!("two runs give two outcomes") };
    ensure!(outside.code == code, "the run outside must end with {code}\n{}", outside.text());
    let ignored: String =
        rig.row.differs.iter().map(|cut| format!("\nignored {:?}: {}", cut.before, cut.reason)).collect();
    ensure!(outside == inside, "outside: {}\ninside: {}{ignored}", outside.text(), inside.text());
    for ((name, bytes), (_, copy)) in files.iter().zip(copies) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().take(2000).collect::<String>();
        ensure!(bytes == copy, "{name} differs\noutside: {}\ninside: {}", text(bytes), text(copy));
    }
    Ok(())
}

fn results(rig: &Rig<'_>) -> Result<Vec<(String, Vec<u8>)>> {
    let read = |name: &&str| {
        let bytes = fs::read(rig.work.join(name)).with_context(|| format!("result file {name}"))?;
        ensure!(!bytes.is_empty(), "result file {name} is empty");
        Ok(((*name).to_owned(), bytes))
    };
    rig.row.results.iter().map(read).collect()
}

/// The outcome without what two runs cannot share.
fn neutral(row: &Scenario, outcome: &Outcome) -> Outcome {
    let strip =
        |bytes: &[u8]| row.differs.iter().fold(bytes.to_vec(), |bytes, cut| without(&bytes, cut.before));
    let stderr = if outcome.code == 0 { &outcome.stderr } else { own_words(&outcome.stderr) };
    Outcome { code: outcome.code, stdout: strip(&outcome.stdout), stderr: strip(stderr) }
}

/// How belljar's last words begin after a failure, but for what the jar refused: a program that is refused anything is not the same.
const LAST_WORDS: &[&str] =
    &["belljar: signal ", "hint: belljar run --explain says ", "hint: a program that it wanted to start "];

/// What the program itself said.
fn own_words(stderr: &[u8]) -> &[u8] {
    let text = String::from_utf8_lossy(stderr);
    let begins_line =
        |at: &usize| text.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with('\n'));
    let found = LAST_WORDS.iter().filter_map(|begin| text.find(begin).filter(begins_line)).min();
    found.and_then(|at| stderr.get(..at)).unwrap_or(stderr)
}

fn without(bytes: &[u8], before: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split(before);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(before);
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit() || c == '.'));
    }
    out.into_bytes()
}

fn no_secret(rig: &Rig<'_>) -> Result<()> {
    let token = rig.place.token.as_bytes();
    let (without, within) = both(rig, |outcome| {
        Ok(holds(&outcome.stdout, token) || holds(&outcome.stderr, token) || folder_holds(&rig.work, token)?)
    })?;
    ensure!(without, "the attack does not even work outside");
    ensure!(!within, "the secret came out of the jar");
    Ok(())
}

fn no_write(rig: &Rig<'_>) -> Result<()> {
    let mut victim = Victim::put(&rig.victim)?;
    let (without, within) = both(rig, |_| {
        let touched = !victim.is_untouched();
        victim = Victim::put(&rig.victim)?;
        Ok(touched)
    })?;
    ensure!(without, "the attack does not even work outside");
    ensure!(!within, "the jar changed a file outside");
    Ok(())
}

/// A new file that an attack is aimed at, with all that tells whether something happened to it.
struct Victim<'a> {
    path: &'a Path,
    inode: u64,
    change: (i64, i64),
}

impl<'a> Victim<'a> {
    /// Takes away what is there and makes a new file. Never writes through a name: an attack may have left a link there.
    fn put(path: &'a Path) -> Result<Self> {
        if let Err(error) = fs::remove_file(path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error).with_context(|| format!("remove {}", path.display()));
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(UNTOUCHED)?;
        let meta = file.metadata()?;
        Ok(Self { path, inode: meta.ino(), change: (meta.ctime(), meta.ctime_nsec()) })
    }

    /// The same inode, never changed in contents or attributes since it was put there.
    fn is_untouched(&self) -> bool {
        let same = |meta: fs::Metadata| {
            meta.is_file() && meta.ino() == self.inode && (meta.ctime(), meta.ctime_nsec()) == self.change
        };
        // The change time has the grain of a clock tick on old kernels, hence the contents too.
        fs::symlink_metadata(self.path).is_ok_and(same)
            && fs::read(self.path).is_ok_and(|contents| contents == UNTOUCHED)
    }
}

fn no_listener(rig: &Rig<'_>, listener: &TcpListener) -> Result<()> {
    let (without, within) = both(rig, |_| Ok(listener.accept().is_ok()))?;
    ensure!(without, "the attack does not even work outside");
    ensure!(!within, "a connection from inside arrived at the host's listener");
    Ok(())
}

fn folder_holds(folder: &Path, token: &[u8]) -> Result<bool> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let meta = fs::symlink_metadata(&path)?;
        let found = if meta.is_dir() {
            folder_holds(&path, token)?
        } else {
            meta.is_file() && file_holds(&path, token)?
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

fn file_holds(path: &Path, token: &[u8]) -> Result<bool> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.read_to_end(&mut bytes)?;
    Ok(holds(&bytes, token))
}

fn holds(bytes: &[u8], token: &[u8]) -> bool {
    bytes.windows(token.len()).any(|window| window == token)
}
