//! The program: where it is looked for, what it is, and which files it needs to start.

use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use belljar_policy::{Access, Policy};
use belljar_sys::Op;
use belljar_sys::child::Serve;

use super::{Invocation, Storage, environment};
use crate::elf;
use crate::error::{StartError, shown};
use crate::plan::{PROXIES, Place, Placed, Plan, Step};

/// Search path when the jar's environment has none.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Everything `execve` takes.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    candidates: Vec<&'a CStr>,
    argv: Vec<*const u8>,
    envp: Vec<*const u8>,
    /// The first candidate that the caller can see, as the host names it.
    pub(crate) file: Option<PathBuf>,
}

/// Looks the program up and lays out its arguments and environment.
pub(crate) fn find<'a>(
    policy: &Policy,
    call: &Invocation<'_>,
    storage: &'a Storage,
) -> Result<Found<'a>, StartError> {
    if call.program.is_empty() {
        // In each folder of the search path it would be that folder.
        return Err(StartError::NotFound { program: "''".to_owned() });
    }
    let mut environment = environment::build(&policy.env, &call.env.caller);
    let proxy = policy.net.proxy.as_ref().is_some_and(|proxy| proxy.value);
    if proxy && (storage.relayed || storage.served.contains(&Serve::Local(PROXIES[0]))) {
        environment::add_proxies(&policy.env, &mut environment);
    }
    environment::overrule(&call.env.own, &mut environment);
    let search = environment.get(OsStr::new("PATH")).cloned().unwrap_or_else(|| DEFAULT_PATH.into());
    let paths = candidates(call.program, &search, call.cwd);
    let file = paths.iter().find_map(|path| visible(path, call.cwd));
    if let Some(path) = file.as_ref().filter(|path| elf::is_32_bit(path)) {
        return Err(StartError::Program32 { path: path.clone() });
    }
    let mut argv = vec![pointer(storage, "an argument", call.program.as_bytes())?];
    for arg in call.args {
        argv.push(pointer(storage, "an argument", arg.as_bytes())?);
    }
    argv.push(std::ptr::null());
    let mut envp = Vec::with_capacity(environment.len() + 1);
    for (name, value) in &environment {
        let entry = [name.as_bytes(), b"=", value.as_bytes()].concat();
        envp.push(pointer(storage, "a variable", &entry)?);
    }
    envp.push(std::ptr::null());
    if paths.is_empty() {
        return Err(StartError::NotFound { program: shown(Path::new(call.program)) });
    }
    let candidates = paths.iter().map(|path| storage.path(path)).collect::<Result<_, _>>()?;
    Ok(Found { candidates, argv, envp, file })
}

fn pointer(storage: &Storage, what: &'static str, bytes: &[u8]) -> Result<*const u8, StartError> {
    Ok(storage.text(what, bytes)?.as_ptr().cast())
}

/// As a shell looks: a name with a slash is a path from the caller's folder, any other is tried in each folder. The
/// jar's working folder may be another one: a relative path must not lead to another program there.
pub(crate) fn candidates(program: &OsStr, search: &OsString, cwd: &Path) -> Vec<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return vec![cwd.join(program)];
    }
    std::env::split_paths(search).filter(|dir| dir.is_absolute()).map(|dir| dir.join(program)).collect()
}

fn visible(path: &Path, cwd: &Path) -> Option<PathBuf> {
    let path = cwd.join(path);
    std::fs::metadata(&path).is_ok_and(|meta| meta.is_file()).then_some(path)
}

impl<'a> Found<'a> {
    pub(crate) fn exec(&'a self) -> Op<'a> {
        Op::Exec { candidates: &self.candidates, argv: &self.argv, envp: &self.envp }
    }
}

/// The placements that `"@program"` stands for: the program, its interpreter, its libraries, each alone.
pub(super) fn own_files(plan: &Plan, found: &Found<'_>) -> Result<Vec<Place>, StartError> {
    let asked = plan.init.iter().any(|step| matches!(step, Step::Place(Place { what: Placed::Program, .. })));
    let Some(file) = found.file.as_ref().filter(|_| asked) else { return Ok(Vec::new()) };
    let files =
        elf::closure(file).map_err(|source| StartError::NotRunnable { program: shown(file), source })?;
    Ok(files.into_iter().map(own_file).collect())
}

fn own_file(from: PathBuf) -> Place {
    let origin = "@program".to_owned();
    let what = Placed::Host { from, access: Access::Read, optional: false, dangerous: false, origin };
    Place { at: None, what }
}
