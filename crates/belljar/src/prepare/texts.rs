//! Files of the jar's own: kept as mounts while the root is built, then put over or between the host's.

use std::ffi::CStr;
use std::path::{Path, PathBuf};

use belljar_sys::Op;

use super::Builder;
use super::layout::{Item, Layout, Ready, What};
use crate::error::StartError;
use crate::plan::Placed;
use crate::walk::Walker;

/// Names that such files have until they are at their places.
const NAMES: [&CStr; 4] = [c".text-0", c".text-1", c".text-2", c".text-3"];

/// Where the host has a symlink at the name of one of the jar's own files, the jar has it too; a root folder of the user's
/// has names of its own.
pub(super) fn follow_names(
    ready: &mut [Ready],
    walker: &mut Walker<'_>,
    links: &mut Vec<(PathBuf, PathBuf)>,
) {
    if ready.iter().any(|item| item.at == Path::new("/")) {
        return;
    }
    let texts = ready.iter_mut().filter(|item| matches!(item.what, What::Fresh(Placed::Text(_))));
    for item in texts {
        if let Ok(real) = walker.real(&item.at) {
            item.at = real.path;
            links.extend(real.links);
        }
    }
}

impl Layout {
    /// Where the host has no such file in a granted folder, libraries take the same answers for granted.
    pub(super) fn text(&mut self, at: PathBuf, text: &str) -> Result<(), StartError> {
        match self.mount_point(&at, false) {
            Err(StartError::NoMountPoint { .. }) => return Ok(()),
            done => done?,
        }
        self.pin(&at);
        self.items.push(Item::Text { at, slot: self.texts.len() });
        self.texts.push(text.to_owned());
        Ok(())
    }

    /// Texts of files, each with its place.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (usize, &str)> {
        self.texts.iter().map(String::as_str).enumerate()
    }
}

/// Makes the files, before anything covers the new root.
pub(super) fn keep<'a>(builder: &Builder<'a>, ops: &mut Vec<Op<'a>>) -> Result<(), StartError> {
    for ((slot, text), name) in builder.layout.texts().zip(NAMES) {
        let text = builder.storage.text("a file", text.as_bytes())?.to_bytes();
        ops.push(Op::KeepText { slot, name, text });
    }
    Ok(())
}

/// Takes the names away when all are at their places. Behind a host's folder as root nobody sees them.
pub(super) fn tidy(layout: &Layout, ops: &mut Vec<Op<'_>>) {
    if !layout.items.iter().any(|item| matches!(item, Item::Root(_))) {
        ops.extend(layout.texts().zip(NAMES).map(|(_, name)| Op::Unlink(name)));
    }
}
