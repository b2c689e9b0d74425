//! The group of one jar.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::OFlags;

use super::node::Node;
use super::{Amounts, GroupUsage, Held, LimitError, sweep, v1, v2};
use crate::probe::Cgroup;
use crate::report::LimitKind;

/// Folder of all groups of jars below the folder that the host lets us use.
pub(super) const HOME: &str = "belljar";

/// How often another start or end may remove what this start is making.
const TRIES: usize = 8;

/// Control groups of one jar. Dropping it kills every process in them and removes them.
#[derive(Debug)]
pub struct Group {
    members: Vec<Member>,
    amounts: Amounts,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// The group in one hierarchy.
#[derive(Debug)]
struct Member {
    controller: String,
    home: Node,
    name: String,
    node: Node,
    procs: OwnedFd,
}

impl Group {
    /// Makes the groups that `amounts` need and writes the limits. Nothing is in them yet.
    ///
    /// # Errors
    /// The host offers no group or not the controller, or a control file refuses; nothing is left behind then.
    ///
    /// ```no_run
    /// use belljar::limits::{Amounts, Group};
    /// let amounts = Amounts { memory: Some(64 << 20), ..Amounts::default() };
    /// let group = Group::create(&belljar::probe::cgroup(), &amounts)?;
    /// assert_eq!(group.procs().count(), 1);
    /// # Ok::<(), belljar::limits::LimitError>(())
    /// ```
    pub fn create(host: &Cgroup, amounts: &Amounts) -> Result<Self, LimitError> {
        let mut last = LimitError::NoGroup;
        for _ in 0..TRIES {
            match Self::attempt(host, amounts) {
                Err(error) if error.is_gone() => last = error,
                done => return done,
            }
        }
        Err(last)
    }

    /// One attempt; the end of another run may remove the folder of all groups in the middle of it.
    fn attempt(host: &Cgroup, amounts: &Amounts) -> Result<Self, LimitError> {
        match host {
            Cgroup::V2 { folder, controllers } => Self::create_v2(folder, controllers, amounts),
            Cgroup::V1 { folders } => Self::create_v1(folders, amounts),
            Cgroup::None => Err(LimitError::NoGroup),
        }
    }

    fn create_v2(folder: &Path, usable: &[String], amounts: &Amounts) -> Result<Self, LimitError> {
        let home = v2::home(folder, usable, amounts)?;
        let mut group = Self { members: Vec::new(), amounts: *amounts, version: Version::Two };
        group.add("", home)?;
        group.members.iter().try_for_each(|member| v2::limit(&member.node, amounts))?;
        Ok(group)
    }

    fn create_v1(folders: &[(String, std::path::PathBuf)], amounts: &Amounts) -> Result<Self, LimitError> {
        let mut group = Self { members: Vec::new(), amounts: *amounts, version: Version::One };
        for controller in amounts.controllers() {
            let folder = folders.iter().find(|row| row.0 == controller);
            let (_, folder) = folder.ok_or(LimitError::NoController { controller })?;
            group.add(controller, Node::open(folder)?.make_or_open(HOME)?)?;
        }
        group.members.iter().try_for_each(|member| v1::limit(&member.node, &member.controller, amounts))?;
        Ok(group)
    }

    fn add(&mut self, controller: &str, home: Node) -> Result<(), LimitError> {
        sweep::stale(&home);
        match self.place(&home) {
            Ok((name, node, procs)) => {
                self.members.push(Member { controller: controller.to_owned(), home, name, node, procs });
                Ok(())
            }
            Err(error) => {
                leave(&home, self.version);
                Err(error)
            }
        }
    }

    fn place(&self, home: &Node) -> Result<(String, Node, OwnedFd), LimitError> {
        if self.version == Version::Two {
            v2::hand_down(home, &self.amounts)?;
        }
        let (name, node) = fresh(home)?;
        let opened = node.control("cgroup.procs", OFlags::WRONLY);
        if opened.is_err() {
            sweep::remove(home, &name, &node);
        }
        opened.map(|procs| (name, node, procs))
    }

    /// Descriptors of `cgroup.procs`, open for writing: a process joins by writing `0` to each of them.
    pub fn procs(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.members.iter().map(|member| member.procs.as_fd())
    }

    /// Folders of the groups, for messages and for tests.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        self.members.iter().map(|member| member.node.path.as_path())
    }

    /// The folder for `CLONE_INTO_CGROUP`, which puts a child into the group from its first moment; version 2 only.
    #[must_use]
    pub fn clone_into(&self) -> Option<BorrowedFd<'_>> {
        let member = self.members.first().filter(|_| self.version == Version::Two)?;
        Some(member.node.fd().as_fd())
    }

    /// What the processes of the group used so far.
    #[must_use]
    pub fn usage(&self) -> GroupUsage {
        match self.version {
            Version::Two => self.members.first().map(|member| v2::usage(&member.node)).unwrap_or_default(),
            Version::One => {
                let memory = self.member("memory");
                let peak_memory = memory.and_then(|member| member.node.number("memory.max_usage_in_bytes"));
                GroupUsage { peak_memory, ..GroupUsage::default() }
            }
        }
    }

    /// Limits that were reached, the deadliest first.
    pub fn hits(&self) -> impl Iterator<Item = LimitKind> {
        self.held().into_iter().filter(|held| held.hit).map(|held| held.limit)
    }

    /// Each limit that this group holds, and by what.
    #[must_use]
    pub fn held(&self) -> Vec<Held> {
        let rows = HELD
            .iter()
            .filter(|row| self.amounts.controllers().any(|controller| controller == row.controller));
        rows.map(|row| Held { limit: row.limit, by: row.by(self.version), hit: self.hit(row) }).collect()
    }

    fn hit(&self, row: &HeldRow) -> bool {
        match self.version {
            Version::Two => self.members.first().is_some_and(|member| v2::hit(&member.node, row.limit)),
            Version::One => {
                self.member(row.controller).is_some_and(|member| v1::hit(&member.node, row.limit))
            }
        }
    }

    fn member(&self, controller: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.controller == controller)
    }
}

/// How the report names what holds a limit.
struct HeldRow {
    controller: &'static str,
    limit: LimitKind,
    v1: &'static str,
    v2: &'static str,
}

impl HeldRow {
    fn by(&self, version: Version) -> &'static str {
        if version == Version::Two { self.v2 } else { self.v1 }
    }
}

const HELD: [HeldRow; 2] = [
    HeldRow {
        controller: "memory",
        limit: LimitKind::Memory,
        v1: "cgroup v1 memory.limit_in_bytes",
        v2: "cgroup v2 memory.max",
    },
    HeldRow {
        controller: "pids",
        limit: LimitKind::Pids,
        v1: "cgroup v1 pids.max",
        v2: "cgroup v2 pids.max",
    },
];

/// Makes and locks a group. Another start may sweep it away before the lock is taken, then the next name is tried.
fn fresh(home: &Node) -> Result<(String, Node), LimitError> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let pid = rustix::process::getpid().as_raw_nonzero();
    let mut last = LimitError::NoGroup;
    for _ in 0..TRIES {
        let name = format!("{pid}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        match home.make(&name).and_then(|()| home.child(&name)) {
            Ok(node) if node.lock() && home.holds(&name, &node) => return Ok((name, node)),
            Ok(_) => {}
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl Drop for Group {
    fn drop(&mut self) {
        for Member { home, name, node, .. } in &self.members {
            if !sweep::remove(home, name, node) {
                tracing::warn!(group = %crate::error::shown(&node.path), "a group does not become empty and stays");
            }
            leave(home, self.version);
        }
    }
}

/// Removes the folder of all groups if this was the last one.
fn leave(home: &Node, version: Version) {
    let Some(folder) = home.path.parent().and_then(|path| Node::open(path).ok()) else { return };
    let last = folder.remove(HOME).is_ok();
    if last && version == Version::Two {
        v2::move_back(&folder);
    }
}
