//! What was seen of a run.

use std::path::PathBuf;

/// What a rule would have to grant, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Need {
    /// Read or list.
    Read,
    /// Read and run.
    Execute,
    /// Change; in a folder also make and remove.
    Write,
}

impl Need {
    /// For people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Execute => "execute",
            Self::Write => "write",
        }
    }
}

/// One object that a run changed or was refused. Paths are absolute, folded, as the jar names them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Observation {
    /// The object.
    pub seen: PathBuf,
    /// What a rule has to name: the object, or for one that is made or removed the folder that holds it.
    pub spot: PathBuf,
    /// The spot is a folder.
    pub folder: bool,
    /// What the spot has to grant.
    pub need: Need,
    /// What the spot is without symlinks, where that is another path.
    pub real: Option<PathBuf>,
}

impl Observation {
    /// Something that exists on the host was wanted.
    #[must_use]
    pub fn of(path: impl Into<PathBuf>, folder: bool, need: Need) -> Self {
        let path = path.into();
        Self { seen: path.clone(), spot: path, folder, need, real: None }
    }

    /// Something was made in a folder of the host, or removed from it.
    #[must_use]
    pub fn entry(folder: impl Into<PathBuf>, name: impl AsRef<std::path::Path>) -> Self {
        let spot = folder.into();
        Self { seen: spot.join(name), spot, folder: true, need: Need::Write, real: None }
    }

    /// The spot has symlinks in it and means this path.
    #[must_use]
    pub fn leading_to(self, real: impl Into<PathBuf>) -> Self {
        Self { real: Some(real.into()), ..self }
    }
}
