//! The words of `belljar-decode`, which are those of `belljar decode`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// How it is called.
pub const USAGE: &str =
    "belljar decode --image --out DIR [--thumbnail PIXELS] [--jobs N] [--overwrite] [--quiet] FILE...";

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// Folder of the results.
    pub out: PathBuf,
    /// Longest side of a result.
    pub thumbnail: Option<u32>,
    /// Workers at once.
    pub jobs: usize,
    /// Files that are there are replaced.
    pub overwrite: bool,
    /// No progress, no summary; failures are told in any case.
    pub quiet: bool,
    /// The pictures.
    pub files: Vec<PathBuf>,
}

/// What is wrong with the words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// No such option.
    #[error("unknown option {0}")]
    Unknown(String),
    /// An option without its value, or something that must be given.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A value that is no number in range.
    #[error("{option} takes a number from 1 to {most}, not {found}")]
    Number {
        /// The option.
        option: &'static str,
        /// The largest.
        most: u32,
        /// What was said.
        found: String,
    },
}

/// Largest thumbnail, and most workers at once.
const MOST_SIDE: u32 = 16_384;
const MOST_JOBS: u32 = 64;

impl Arguments {
    /// Reads the words behind the program's name.
    ///
    /// # Errors
    /// [`UsageError`].
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let mut words = words.into_iter();
        let mut found = Self {
            out: PathBuf::new(),
            thumbnail: None,
            jobs: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            overwrite: false,
            quiet: false,
            files: Vec::new(),
        };
        let mut image = false;
        while let Some(word) = words.next() {
            match word.to_str() {
                Some("--") => break,
                Some("--image") => image = true,
                Some("--overwrite") => found.overwrite = true,
                Some("--quiet" | "-q") => found.quiet = true,
                Some("--out") => found.out = words.next().ok_or(UsageError::Missing("--out"))?.into(),
                Some("--thumbnail") => {
                    found.thumbnail = Some(number("--thumbnail", MOST_SIDE, words.next())?);
                }
                Some("--jobs") => {
                    let jobs = number("--jobs", MOST_JOBS, words.next())?;
                    found.jobs = usize::try_from(jobs).unwrap_or(1);
                }
                Some(option) if option.starts_with('-') => return Err(unknown(&word)),
                _ => found.files.push(word.into()),
            }
        }
        found.files.extend(words.map(PathBuf::from));
        found.complete(image)
    }

    fn complete(self, image: bool) -> Result<Self, UsageError> {
        let given = [
            (image, "--image"),
            (!self.out.as_os_str().is_empty(), "--out"),
            (!self.files.is_empty(), "FILE"),
        ];
        match given.iter().find(|(given, _)| !given) {
            Some((_, what)) => Err(UsageError::Missing(what)),
            None => Ok(self),
        }
    }
}

fn unknown(word: &OsString) -> UsageError {
    UsageError::Unknown(belljar::policy::printable(word))
}

fn number(option: &'static str, most: u32, word: Option<OsString>) -> Result<u32, UsageError> {
    let word = word.ok_or(UsageError::Missing(option))?;
    let value = word.to_str().and_then(|text| text.parse().ok()).filter(|value| (1..=most).contains(value));
    value.ok_or_else(|| UsageError::Number { option, most, found: belljar::policy::printable(&word) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Arguments, UsageError> {
        Arguments::parse(text.split(' ').map(OsString::from))
    }

    #[test]
    fn options_and_files_are_told_apart() {
        let read = parse("--image --out o --thumbnail 256 --jobs 3 --overwrite a -- --b").unwrap();
        assert_eq!((read.out, read.thumbnail, read.jobs), ("o".into(), Some(256), 3));
        assert_eq!(read.files, [PathBuf::from("a"), "--b".into()]);
        assert!(read.overwrite && !read.quiet);
    }

    #[test]
    fn each_mistake_is_named() {
        for (text, mistake) in [
            ("--image --out o", "FILE is missing"),
            ("--image a", "--out is missing"),
            ("--out o a", "--image is missing"),
            ("--image --out", "--out is missing"),
            ("--image --out o --thumbnail 0 a", "--thumbnail takes a number from 1 to 16384, not 0"),
            ("--image --out o --jobs 65 a", "--jobs takes a number from 1 to 64, not 65"),
            ("--image --out o --video a", "unknown option --video"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), mistake, "{text}");
        }
    }
}
