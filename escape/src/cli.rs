//! The words after `escape run`.

use std::io;
use std::path::PathBuf;

use crate::boxes::{self, Sandbox};

/// One screen of help.
pub(crate) const USAGE: &str =
    "run [--against BOX[,BOX]...] [--belljar PATH] [--only ID|NAME]... [--json] [--table]
                  [--mask FEATURE] [--with FLAGS] [--skips FILE] [--hooked PATH] [--long]
                  [--share K/N] [--proven]
       escape list

BOX is belljar (default), bwrap, firejail or none. --with adds flags of belljar to
each run, for example a preset. --hooked is belljar built with `test-hooks`, for
attacks that must get out of a broken broker first. --long races for 60 seconds each
and kills 200 supervisors. --share runs every Nth attack, from the Kth on: N runners
together run all, and no attack beside itself. --proven leaves out the control runs,
for a caller who has just seen them succeed. --table prints a Markdown table instead of lines.
An escape from belljar is a failure; an escape from another box is a result.";

/// What to run.
#[derive(Clone, Default)]
pub(crate) struct Options {
    pub(crate) against: Vec<&'static Sandbox>,
    pub(crate) belljar: Option<PathBuf>,
    pub(crate) only: Vec<String>,
    pub(crate) json: bool,
    pub(crate) table: bool,
    pub(crate) mask: Option<String>,
    pub(crate) with: Vec<String>,
    pub(crate) skips: Option<PathBuf>,
    pub(crate) hooked: Option<PathBuf>,
    pub(crate) long: bool,
    pub(crate) share: Share,
    pub(crate) proven: bool,
}

/// Which of all attacks one runner runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    first: usize,
    of: usize,
}

impl Default for Share {
    fn default() -> Self {
        Self { first: 0, of: 1 }
    }
}

impl Share {
    /// Reads `K/N`.
    fn parse(text: &str) -> Option<Self> {
        let (first, of) = text.split_once('/')?;
        let (first, of): (usize, usize) = (first.parse().ok()?, of.parse().ok()?);
        (1..=of).contains(&first).then(|| Self { first: first - 1, of })
    }

    /// The rows of this share.
    pub(crate) fn of<T>(self, rows: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        rows.skip(self.first).step_by(self.of)
    }
}

/// Reads the words; an unknown one is an error.
pub(crate) fn parse(words: &[String]) -> io::Result<Options> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().cloned().ok_or_else(|| wrong(&format!("{word} needs a value")));
        match word.as_str() {
            "--against" => options.against = sandboxes(&value()?)?,
            "--belljar" => options.belljar = Some(value()?.into()),
            "--only" => options.only.extend(value()?.split(',').map(str::to_owned)),
            "--mask" => options.mask = Some(value()?),
            "--with" => options.with.extend(value()?.split_whitespace().map(str::to_owned)),
            "--skips" => options.skips = Some(value()?.into()),
            "--hooked" => options.hooked = Some(value()?.into()),
            "--long" => options.long = true,
            "--share" => {
                let share = value()?;
                options.share = Share::parse(&share).ok_or_else(|| wrong(&format!("no share: {share}")))?;
            }
            "--proven" => options.proven = true,
            "--json" => options.json = true,
            "--table" => options.table = true,
            _ => return Err(wrong(&format!("unknown option {word}"))),
        }
    }
    if options.against.is_empty() {
        options.against = sandboxes("belljar")?;
    }
    Ok(options)
}

fn sandboxes(list: &str) -> io::Result<Vec<&'static Sandbox>> {
    list.split(',')
        .map(|name| boxes::by_name(name).ok_or_else(|| wrong(&format!("unknown box {name}"))))
        .collect()
}

fn wrong(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{text}\nusage: escape {USAGE}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &[&str]) -> io::Result<Options> {
        parse(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_default_box_is_belljar() {
        let options = parse_words(&["--only", "C1,C2"]).unwrap();
        assert_eq!(options.against[0].name, "belljar");
        assert_eq!(options.only, ["C1", "C2"]);
    }

    #[test]
    fn shares_together_are_all_and_apart() {
        let share = |text: &str| Share::parse(text).unwrap().of(0..5).collect::<Vec<_>>();
        assert_eq!((share("1/2"), share("2/2"), share("1/1").len()), (vec![0, 2, 4], vec![1, 3], 5));
        for wrong in ["0/2", "3/2", "1", "1/0", "a/b"] {
            assert_eq!(Share::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn wrong_words_are_errors() {
        assert!(parse_words(&["--against", "chroot"]).is_err());
        assert!(parse_words(&["--only"]).is_err());
        assert!(parse_words(&["--nolimit"]).is_err());
    }
}
