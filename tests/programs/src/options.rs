//! Command line of the runner.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::jar::Kind;

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Options {
    /// Which box the inside run uses.
    pub(crate) kind: Kind,
    /// The `belljar` binary.
    pub(crate) belljar: PathBuf,
    /// Run only scenarios whose name is this or starts with it and a `-`.
    pub(crate) only: Option<String>,
    /// Print the names and stop.
    pub(crate) list: bool,
    /// Keep the private folders.
    pub(crate) keep: bool,
}

impl Options {
    /// Parses the arguments after the program's name.
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            kind: Kind::Belljar,
            belljar: PathBuf::from("target/release/belljar"),
            only: None,
            list: false,
            keep: false,
        };
        while let Some(arg) = args.next() {
            options.take(&arg, &mut args)?;
        }
        options.belljar = std::path::absolute(&options.belljar)?;
        Ok(options)
    }

    fn take(&mut self, arg: &str, rest: &mut impl Iterator<Item = String>) -> Result<()> {
        let mut value = || rest.next().with_context(|| format!("{arg} needs a value"));
        match arg {
            "--belljar" => self.belljar = PathBuf::from(value()?),
            "--box" => self.kind = Kind::named(&value()?)?,
            "--only" => self.only = Some(value()?),
            "--list" => self.list = true,
            "--keep" => self.keep = true,
            other => bail!("unknown argument {other}"),
        }
        Ok(())
    }

    /// Whether `--only` lets this name run.
    pub(crate) fn wants(&self, name: &str) -> bool {
        let Some(only) = &self.only else { return true };
        name.strip_prefix(only.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}
