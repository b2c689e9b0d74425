//! Files that were named beforehand.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use belljar_policy::Policy;
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::error::ServiceError;
use super::kind::sealed::Kind;
use super::kind::{Call, Grant};
use super::limit::Only;
use super::message::Refusal;
use super::seal;
use super::start::Builder;
use crate::worker::Descriptor;

/// The service behind [`FileArgs`].
#[derive(Debug)]
pub enum Arguments {}

/// Opens files that were named beforehand, for reading: those of a command line, say. Its limit is their absolute paths.
///
/// The files are those that the names meant when the service started. What a client gets is a descriptor for reading, from a mount that is
/// read-only for ever: it cannot be opened again for more. `Only::All` is for narrowing, where it means what the client has.
///
/// ```no_run
/// use belljar::service::FileArgs;
///
/// let mut files = FileArgs::start(std::env::args_os().skip(1))?;
/// let first = files.open("/srv/list")?;
/// # Ok::<(), belljar::service::ServiceError>(())
/// ```
pub type FileArgs = Client<Arguments>;

impl FileArgs {
    /// Starts the service for these plain files; names that are relative count from the current folder.
    ///
    /// # Errors
    /// As [`Builder::start`]; [`ServiceError::Means`]: one is no plain file, or its name is no text.
    pub fn start(names: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Self, ServiceError> {
        Self::builder(names)?.start()
    }

    /// How it is started.
    ///
    /// # Errors
    /// [`ServiceError::Means`].
    pub fn builder(
        names: impl IntoIterator<Item = impl AsRef<Path>>,
    ) -> Result<Builder<Arguments>, ServiceError> {
        let folder = std::env::current_dir().map_err(ServiceError::system("naming the current folder"))?;
        let paths = names.into_iter().map(|name| belljar_policy::fold(&folder.join(name)));
        let paths = paths.map(plain).collect::<Result<Vec<_>, _>>()?;
        Ok(Builder::new(Only::these(paths), ()))
    }

    /// The file of this absolute path, for reading.
    ///
    /// # Errors
    /// [`ServiceError::Beyond`], [`ServiceError::Failed`] with the kernel's answer, and those of every call.
    pub fn open(&mut self, path: impl AsRef<Path>) -> Result<OwnedFd, ServiceError> {
        self.ask(Ask(path.as_ref().to_path_buf())).map(Descriptor::into_owned)
    }
}

fn plain(path: PathBuf) -> Result<PathBuf, ServiceError> {
    let refuse = |why: &str| {
        let what = format!("{}: {why}", crate::error::shown(&path));
        Err(ServiceError::Means { name: Arguments::NAME, what })
    };
    if path.to_str().is_none() {
        return refuse("a name that is no text");
    }
    match std::fs::metadata(&path) {
        Ok(file) if file.is_file() => Ok(path),
        Ok(_) => refuse("no plain file"),
        Err(error) => refuse(&error.to_string()),
    }
}

/// A path.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ask(PathBuf);

impl Kind for Arguments {
    const NAME: &'static str = "fileargs";
    const CALLS: &'static [Call] = seal::READING;
    type Limit = Only<PathBuf>;
    type Ask = Ask;
    type Told = Descriptor;
    type Means = ();
    type Config = ();
    type State = ();

    fn grant(limit: &Only<PathBuf>, (): ()) -> Result<Grant<()>, ServiceError> {
        let policy = limit.named().try_fold(Policy::none(), |policy, path| policy.read_noexec(path));
        policy.map(|policy| Grant::new(policy, ())).map_err(ServiceError::means(Self::NAME))
    }

    fn ready((): ()) -> io::Result<()> {
        Ok(())
    }

    fn answer((): &(), limit: &Only<PathBuf>, Ask(path): Ask) -> Result<Descriptor, Refusal> {
        if !limit.has(path.as_path()) {
            return Err(Refusal::Beyond);
        }
        // What took the file's name meanwhile is not in the jar: nothing here is waited for.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = openat(CWD, &path, flags, Mode::empty())?;
        match FileType::from_raw_mode(fstat(&file)?.st_mode) {
            FileType::RegularFile => Ok(file.into()),
            _ => Err(Refusal::Absent),
        }
    }
}
