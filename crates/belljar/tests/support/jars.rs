//! Running things in jars and, as a control, without one.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use belljar::error::StartError;
use belljar::policy::{FlagValue, Policy, Request, load};
use belljar::{Command, Report, Stdio};
use tempfile::TempDir;

/// A folder that every user may enter, outside of `/tmp`, which jars have of their own. Two folders in it: what a jar
/// is granted, and what it is not, with a secret and a file to harm.
pub(crate) struct Place(TempDir);

/// Variable with the folder for places: a test that kills another program gives it one, so that nothing is left.
pub(crate) const PLACES: &str = "BELLJAR_PLACES";

pub(crate) const SECRET: &str = "nobody may read this";

impl Place {
    pub(crate) fn new() -> Self {
        let folder = std::env::var_os(PLACES).unwrap_or_else(|| "/var/tmp".into());
        let place = Self(tempfile::Builder::new().prefix("belljar-").tempdir_in(folder).unwrap());
        open_for_all(place.path());
        for folder in [place.granted(), place.outside()] {
            std::fs::create_dir(&folder).unwrap();
            open_for_all(&folder);
            file(&folder.join("victim"), "unharmed");
        }
        file(&place.outside().join("secret"), SECRET);
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn granted(&self) -> PathBuf {
        self.path().join("granted")
    }

    pub(crate) fn outside(&self) -> PathBuf {
        self.path().join("outside")
    }

    /// Names in a folder, sorted.
    pub(crate) fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// `$O` and `$G` of a script.
    pub(crate) fn script(&self, script: &str) -> String {
        format!("O={}\nG={}\n{script}", self.outside().display(), self.granted().display())
    }
}

fn open_for_all(folder: &Path) {
    std::fs::set_permissions(folder, PermissionsExt::from_mode(0o777)).unwrap();
}

pub(crate) fn file(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o666)).unwrap();
}

/// An empty value stands for none: a switch.
fn flag_value(flag: &str, value: &str) -> FlagValue {
    if value.is_empty() { FlagValue::switch(flag) } else { FlagValue::new(flag, value) }
}

/// A policy as the command line makes it, in this folder.
pub(crate) fn policy(cwd: &Path, flags: &[(&str, &str)]) -> Policy {
    let request = Request {
        flags: flags.iter().map(|(flag, value)| flag_value(flag, value)).collect(),
        cwd: cwd.to_path_buf(),
        home: Some("/home/nobody-has-this".into()),
        ..Request::default()
    };
    load(&request, &|_| Err(std::io::ErrorKind::NotFound.into())).unwrap_or_else(|error| panic!("{error}"))
}

/// A shell script under a policy, in the granted folder.
pub(crate) fn shell(place: &Place, flags: &[(&str, &str)], script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(place.script(script)).policy(policy(&place.granted(), flags));
    command.current_dir(place.granted());
    command
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) report: Report,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs to the end; everything that was written is kept.
pub(crate) fn finish(command: &mut Command) -> Result<Done, StartError> {
    let output = command.stdin(Stdio::Null).stdout(Stdio::Piped).stderr(Stdio::Piped).output()?;
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    Ok(Done { report: output.report, out, err })
}

/// A program outside of any jar, as the user that a jar has: nobody when root calls.
pub(crate) fn as_jar_user(program: &str) -> std::process::Command {
    if !super::is_root() {
        return std::process::Command::new(program);
    }
    let mut command = std::process::Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--", program]);
    command
}

/// The script without a jar; what it printed.
pub(crate) fn control(place: &Place, script: &str) -> String {
    let mut command = as_jar_user("/bin/sh");
    let output = command.arg("-c").arg(place.script(script)).current_dir(place.granted()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
