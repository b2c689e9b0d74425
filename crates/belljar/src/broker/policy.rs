//! The policy as a decision table: paths of the finished jar, the longest one wins.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use belljar_policy::Access;

use super::judge::{Judge, Object, Request, Rule, Verdict, Wanted};

const EACCES: i32 = 13;
const EBUSY: i32 = 16;
const ENOENT: i32 = 2;
const EROFS: i32 = 30;

/// Calls that give a folder another name.
const MOVES: [&str; 3] = ["rename", "renameat", "renameat2"];

/// A path of the jar, what may be done there, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) access: Access,
    /// Whoever listens at unix sockets here belongs to the jar, or was granted.
    pub(crate) peers: bool,
    pub(crate) rule: Rule,
}

/// What holds where no row does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    /// The jar's own root holds nothing that it may not see.
    OwnRoot,
    /// The host's tree: nothing is there but folders on the way to a grant.
    HostTree,
}

/// The innermost judge.
#[derive(Debug)]
pub(crate) struct Table {
    /// Longest path first.
    rows: Vec<Place>,
    elsewhere: Elsewhere,
    nothing: Rule,
}

impl Table {
    /// The table of what was laid out, in that order.
    pub(crate) fn new(places: Vec<Place>, elsewhere: Elsewhere) -> Self {
        let mut rows = places;
        // On a tie the last one placed covers the others.
        rows.reverse();
        rows.sort_by_key(|row| std::cmp::Reverse(row.path.as_os_str().len()));
        let text = match elsewhere {
            Elsewhere::OwnRoot => "what is placed in the jar may be seen",
            Elsewhere::HostTree => "nothing is granted that no rule names",
        };
        Self { rows, elsewhere, nothing: Rule { text: text.into(), origin: "default".into() } }
    }

    fn path(&self, wanted: Wanted, path: &Path) -> Verdict {
        match self.rows.iter().find(|row| below(path, &row.path)) {
            Some(row) if wanted == Wanted::Connect && row.peers => Verdict::Grant(row.rule.clone()),
            Some(row) if wanted == Wanted::Connect => {
                Verdict::Refuse { errno: EACCES, rule: row.rule.clone() }
            }
            // A cover is seen, as what it covers was; nothing is in it.
            Some(row) if self.is_cover(row) && wanted == Wanted::Look => Verdict::Grant(row.rule.clone()),
            Some(row) if allows(row.access, wanted) => Verdict::Grant(row.rule.clone()),
            Some(row) => Verdict::Refuse { errno: self.refusal(row.access), rule: row.rule.clone() },
            None => self.nowhere(wanted, path),
        }
    }

    /// A folder on the way to a row that gives less than the folder: moved away, it would take what is there along.
    fn leads_to_less(&self, path: &Path) -> Option<&Place> {
        let grant = self.rows.iter().find(|row| below(path, &row.path))?.access;
        let less = |row: &&Place| row.path != path && below(&row.path, path) && row.access < grant;
        self.rows.iter().find(less).filter(|_| grant.writes())
    }

    fn is_cover(&self, row: &Place) -> bool {
        row.access == Access::Hide && self.elsewhere == Elsewhere::OwnRoot
    }

    fn refusal(&self, access: Access) -> i32 {
        match (access, self.elsewhere) {
            (Access::Hide, Elsewhere::HostTree) => ENOENT,
            (Access::Hide, Elsewhere::OwnRoot) | (_, Elsewhere::HostTree) => EACCES,
            (_, Elsewhere::OwnRoot) => EROFS,
        }
    }

    fn nowhere(&self, wanted: Wanted, path: &Path) -> Verdict {
        let leads = || self.rows.iter().any(|row| row.access != Access::Hide && below(&row.path, path));
        let granted = match self.elsewhere {
            _ if wanted == Wanted::Connect => false,
            Elsewhere::OwnRoot => allows(Access::ReadNoexec, wanted),
            Elsewhere::HostTree => wanted == Wanted::Look && leads(),
        };
        match (granted, self.elsewhere) {
            (true, _) => Verdict::Grant(self.nothing.clone()),
            (false, Elsewhere::OwnRoot) => Verdict::Refuse { errno: EROFS, rule: self.nothing.clone() },
            (false, Elsewhere::HostTree) => Verdict::Refuse { errno: ENOENT, rule: self.nothing.clone() },
        }
    }
}

impl Judge for Table {
    fn judge(&self, request: &Request<'_>) -> Verdict {
        match request.object {
            Object::Path(path) if MOVES.contains(&request.call) => match self.leads_to_less(path) {
                Some(row) => Verdict::Refuse { errno: EBUSY, rule: row.rule.clone() },
                None => self.path(request.wanted, path),
            },
            Object::Path(path) => self.path(request.wanted, path),
            // What the caller has open already was granted when it was opened.
            Object::Own => Verdict::Grant(self.nothing.clone()),
        }
    }
}

fn allows(access: Access, wanted: Wanted) -> bool {
    match access {
        Access::Hide => false,
        Access::ReadNoexec => matches!(wanted, Wanted::Look | Wanted::Read),
        Access::Read => !wanted.writes() && wanted != Wanted::Connect,
        _ => true,
    }
}

/// Whether a path is another or lies below it; neither has links, dots or double slashes.
fn below(path: &Path, top: &Path) -> bool {
    let (path, top) = (path.as_os_str().as_bytes(), top.as_os_str().as_bytes());
    let top = top.strip_suffix(b"/").unwrap_or(top);
    path.strip_prefix(top).is_some_and(|rest| matches!(rest, [] | [b'/', ..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::View;

    fn table(elsewhere: Elsewhere) -> Table {
        let seen = [("/usr", Access::Read), ("/data", Access::ReadNoexec), ("/data/out", Access::Write)];
        let more = [("/data/out/key", Access::Hide)];
        let place = |(path, access): (&str, Access)| {
            let rule = Rule { text: path.into(), origin: "test".into() };
            Place { path: path.into(), access, peers: path == "/data/out", rule }
        };
        Table::new(seen.into_iter().chain(more).map(place).collect(), elsewhere)
    }

    fn errno(table: &Table, wanted: Wanted, path: &str) -> i32 {
        answer(table, "open", wanted, path)
    }

    fn answer(table: &Table, call: &'static str, wanted: Wanted, path: &str) -> i32 {
        let object = Object::Path(Path::new(path));
        let request = Request { call, wanted, object, view: View::Jar, pid: 1 };
        match table.judge(&request) {
            Verdict::Grant(_) => 0,
            Verdict::Refuse { errno, .. } => errno,
        }
    }

    #[test]
    fn the_longest_path_wins() {
        let table = table(Elsewhere::OwnRoot);
        let rows = [
            (Wanted::Write, "/data/out/x", 0),
            (Wanted::Write, "/data/outside", EROFS),
            (Wanted::Write, "/data/in", EROFS),
            (Wanted::Execute, "/data/in", EROFS),
            (Wanted::Execute, "/usr/bin/true", 0),
            (Wanted::Look, "/data/out/key", 0),
            (Wanted::Read, "/data/out/key/id", EACCES),
            (Wanted::Connect, "/data/out/x", 0),
            (Wanted::Connect, "/data/x", EACCES),
            (Wanted::Connect, "/usr/x", EACCES),
            (Wanted::Connect, "/etc/x", EROFS),
            (Wanted::Look, "/etc", 0),
            (Wanted::Write, "/etc", EROFS),
        ];
        for (wanted, path, expected) in rows {
            assert_eq!(errno(&table, wanted, path), expected, "{wanted:?} {path}");
        }
    }

    #[test]
    fn a_folder_above_a_narrower_rule_keeps_its_name() {
        let table = table(Elsewhere::OwnRoot);
        for (path, expected) in [("/data/out", EBUSY), ("/data/out/x", 0), ("/data/out/key", EACCES)] {
            assert_eq!(answer(&table, "renameat2", Wanted::Write, path), expected, "{path}");
            assert_eq!(errno(&table, Wanted::Write, path), if expected == EBUSY { 0 } else { expected });
        }
    }

    #[test]
    fn on_the_hosts_tree_only_the_way_to_a_grant_exists() {
        let table = table(Elsewhere::HostTree);
        let rows = [
            (Wanted::Look, "/", 0),
            (Wanted::Read, "/", ENOENT),
            (Wanted::Look, "/data", 0),
            (Wanted::Look, "/dat", ENOENT),
            (Wanted::Look, "/etc/shadow", ENOENT),
            (Wanted::Write, "/usr/x", EACCES),
            (Wanted::Look, "/data/out/key", ENOENT),
        ];
        for (wanted, path, expected) in rows {
            assert_eq!(errno(&table, wanted, path), expected, "{wanted:?} {path}");
        }
    }
}
