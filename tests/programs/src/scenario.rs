//! One row: a real program, how it is run, and what must be equal or must not get out.

use anyhow::Result;

use crate::run::{Command, Rig};
use crate::work::Place;

/// A file put into the fresh work folder before each run: name and contents.
pub(crate) type File = (&'static str, &'static [u8]);

/// A command line; `{work}`, `{home}`, `{secret}`, `{victim}`, `{port}`, `{shared}`, `{cargo-home}` and
/// `{rustup-home}` are filled in.
pub(crate) type Argv = &'static [&'static str];

/// One real-program scenario. In `flags`, `command`, `prepare` and `env` the words in braces are filled in.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// Unique name, group first.
    pub(crate) name: &'static str,
    /// Programs that must be on the host, else the row is a named skip. An absolute path is looked up as it is;
    /// `@root` and `@account` stand for whoever runs this: the super-user, somebody with a name.
    pub(crate) needs: &'static [&'static str],
    /// Files of the work folder.
    pub(crate) files: &'static [File],
    /// Commands run outside in the work folder before each run.
    pub(crate) prepare: &'static [Argv],
    /// Flags of `belljar run`.
    pub(crate) flags: &'static [&'static str],
    /// Environment beside the base one (`PATH HOME LANG TERM`).
    pub(crate) env: &'static [(&'static str, &'static str)],
    /// The program.
    pub(crate) command: Argv,
    /// Standard input of a compared run.
    pub(crate) stdin: &'static [u8],
    /// Files of the work folder that must be equal after both runs.
    pub(crate) results: &'static [&'static str],
    /// What must differ between two runs, with the reason.
    pub(crate) differs: &'static [Differs],
    /// How the row is judged.
    pub(crate) check: Check,
}

/// The base a row is written over.
pub(crate) const ROW: Scenario = Scenario {
    name: "",
    needs: &[],
    files: &[],
    prepare: &[],
    flags: &["-w", "{work}"],
    env: &[],
    command: &[],
    stdin: b"",
    results: &[],
    differs: &[],
    check: Check::Same,
};

/// A part of the output that two runs cannot share: digits after `before` are taken out of standard output and error.
#[derive(Debug)]
pub(crate) struct Differs {
    /// Text in front of the digits.
    pub(crate) before: &'static str,
    /// Why two runs differ there.
    pub(crate) reason: &'static str,
}

/// How a row is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Check {
    /// Output, error output, exit code and result files equal those of the run outside; the run outside must end with 0.
    Same,
    /// As `Same`, and the run outside must end with this code.
    SameCode(i32),
    /// The run outside prints the secret; inside it appears in no output and no file of the work folder.
    NoSecret,
    /// The run outside writes to the runner's listener; from inside no connection arrives.
    NoListener,
    /// The run outside changes the victim file; from inside it stays as it was.
    NoWrite,
    /// Judged by its own function.
    Own(fn(&Rig<'_>) -> Result<()>),
}

impl Scenario {
    /// Why this host cannot run the row, or nothing.
    pub(crate) fn missing(&self, place: &Place) -> Option<String> {
        let lost = self.needs.iter().find(|need| !place.has_program(need))?;
        Some(format!("needs {lost}"))
    }

    /// The row's command as it runs outside.
    pub(crate) fn plain(&self, rig: &Rig<'_>) -> Command {
        let mut plain = rig.command(self.command);
        plain.stdin = self.stdin.to_vec();
        plain
    }
}
