//! How the user is asked, and what asking needs before the program starts.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use belljar_policy::{Policy, may_write};

use super::asker::Asker;
use super::attendant::{Attendant, Front, PATIENCE};
use super::desk::Desk;
use super::error::AskError;
use super::never::Never;
use super::real::{names, resolved};
use super::save::PolicyFile;
use super::socket::SocketFront;
use super::tty::TtyFront;

/// Where the user is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// The terminal that belljar was started in.
    Terminal,
    /// A program of the user that listens on this unix socket.
    Socket(PathBuf),
}

impl Way {
    /// Reads `tty` or `socket:PATH`.
    ///
    /// # Errors
    /// The text is neither.
    ///
    /// ```
    /// use belljar::ask::Way;
    /// assert_eq!(Way::parse("socket:/run/me/ask".as_ref()).unwrap(), Way::Socket("/run/me/ask".into()));
    /// ```
    pub fn parse(text: &OsStr) -> Result<Self, AskError> {
        let path = text.as_bytes().strip_prefix(b"socket:").filter(|path| !path.is_empty());
        match path {
            Some(path) => Ok(Self::Socket(OsStr::from_bytes(path).into())),
            None if text == "tty" => Ok(Self::Terminal),
            None => Err(AskError::NoFront(text.to_string_lossy().into_owned())),
        }
    }
}

/// Asking about what the policy does not grant.
#[derive(Clone, Debug)]
pub struct Ask {
    way: Way,
    file: Option<PolicyFile>,
    policies: Vec<PathBuf>,
    patience: Duration,
}

impl Ask {
    /// Asks this way; "always" is not offered.
    #[must_use]
    pub fn new(way: Way) -> Self {
        Self { way, file: None, policies: Vec::new(), patience: PATIENCE }
    }

    /// Offers "always", which adds a line to this file.
    pub fn save(&mut self, file: PolicyFile) -> &mut Self {
        self.policies.push(file.path.clone());
        self.file = Some(file);
        self
    }

    /// "Always" is not offered.
    pub(crate) fn write_nothing(&mut self) {
        self.file = None;
    }

    /// Files that this run's policy was read from: no answer grants them.
    pub fn policies(&mut self, files: impl IntoIterator<Item = PathBuf>) -> &mut Self {
        self.policies.extend(files);
        self
    }

    /// How long a question stands; no answer by then is a no.
    pub fn patience(&mut self, patience: Duration) -> &mut Self {
        self.patience = patience;
        self
    }

    /// Reaches the user, before anything runs.
    pub(crate) fn begin(
        &self,
        policy: &Policy,
        home: Option<&Path>,
    ) -> Result<(Arc<Desk>, Attendant), AskError> {
        if let Some(file) = self.file.as_ref().filter(|file| is_writable(policy, &file.path)) {
            return Err(AskError::OpenFile(file.path.clone()));
        }
        if let Way::Socket(path) = &self.way
            && is_writable(policy, path)
        {
            return Err(AskError::OpenSocket(path.clone()));
        }
        let front = self.front()?;
        let never = Never::new(home, self.policies.iter().map(PathBuf::as_path));
        let desk =
            Desk::new(Asker::new(never).writing_down(self.file.is_some())).map_err(AskError::NoDesk)?;
        let desk = Arc::new(desk);
        Ok((desk.clone(), Attendant::new(desk, front, self.file.clone(), self.patience)))
    }

    fn front(&self) -> Result<Box<dyn Front>, AskError> {
        let file = self.file.as_ref().map(|file| file.path.as_path());
        Ok(match &self.way {
            Way::Terminal => Box::new(TtyFront::open(file)?),
            Way::Socket(path) => Box::new(SocketFront::connect(path, file.is_some(), self.patience)?),
        })
    }
}

/// A program that can write the file needs no answer to widen the next run. Beside it a new text is made, which takes its place:
/// who can write there can exchange that.
fn is_writable(policy: &Policy, path: &Path) -> bool {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let places = resolved(policy);
    let written = |path: &Path| may_write(policy, path) || may_write(&places, path);
    names(&path).any(|path| written(&path) || path.parent().is_some_and(written))
}
