//! Judges about host files and canaries.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::attack::Judge;
use crate::outcome::Judgement;

/// The canary must not come out.
pub(crate) fn not_printed(canary: String) -> Judge {
    Box::new(move |outcome| Ok(Judgement::escaped_if(outcome.printed(&canary), "the canary came out")))
}

/// The file must keep content, size, owner, mode, times, extended attributes and place.
pub(crate) fn untouched(path: &Path) -> io::Result<Judge> {
    let path = path.to_owned();
    let before = facts(&path)?;
    Ok(Box::new(move |_| {
        let after = facts(&path).unwrap_or_default();
        let changed = before.iter().find(|fact| !after.contains(fact)).map(|(name, _)| *name);
        Ok(changed
            .map_or(Judgement::Held, |name| Judgement::Escaped(format!("the {name} of a host file changed"))))
    }))
}

/// Nothing may appear at the path.
pub(crate) fn absent(path: PathBuf) -> Judge {
    Box::new(move |_| {
        let there = fs::symlink_metadata(&path).is_ok();
        Ok(Judgement::escaped_if(there, "a file appeared on the host"))
    })
}

type Facts = Vec<(&'static str, String)>;

fn facts(path: &Path) -> io::Result<Facts> {
    let meta = fs::symlink_metadata(path)?;
    let content = if meta.is_file() { fs::read(path)? } else { Vec::new() };
    let mut names = vec![0u8; 4096];
    let length = rustix::fs::llistxattr(path, &mut names[..]).unwrap_or(0);
    Ok(vec![
        ("content", format!("{content:?}")),
        ("mode", format!("{:o}", meta.mode())),
        ("owner", format!("{}:{}", meta.uid(), meta.gid())),
        ("modification time", format!("{}.{}", meta.mtime(), meta.mtime_nsec())),
        ("link count", meta.nlink().to_string()),
        ("attributes", format!("{:?}", names.get(..length))),
    ])
}

/// Joins judges: the first escape counts.
pub(crate) fn any(judges: Vec<Judge>) -> Judge {
    Box::new(move |outcome| {
        for judge in judges {
            let judgement = judge(outcome)?;
            if judgement != Judgement::Held {
                return Ok(judgement);
            }
        }
        Ok(Judgement::Held)
    })
}
