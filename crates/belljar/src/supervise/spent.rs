//! Processor time of a tree, also of processes that ended without anybody waiting for them.
//!
//! The kernel adds the time of an ended process to whoever waits for it. A parent that ignores `SIGCHLD` waits for nobody, and
//! its children's time is gone with them. So what each process had used is remembered from look to look, and what
//! ended ones took along without leaving it to anybody is added. Never more than was used: a doubt counts as nothing.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use super::tree;

/// Processes that are remembered.
const REMEMBERED: usize = 8192;
/// User and system time are each cut to whole ticks, where they are remembered and where they are added up.
const CUT: u64 = 2;
/// How often survivors are read again because one more of them ended meanwhile.
const TRIES: usize = 64;

/// What was seen of one process, in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    /// When it started: a number may be given to another process.
    start: u64,
    /// Its own time.
    own: u64,
    /// Time of ended processes that it got by waiting.
    waited: u64,
}

type Table = BTreeMap<i32, Seen>;

/// The count of one tree.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    known: Table,
    lost: u64,
}

impl Spent {
    /// Looks again: the processor time of init and of everything that it or its descendants started.
    pub(super) fn look(&mut self, init: i32) -> Duration {
        let survivors = settle(&self.known);
        if let Some(survivors) = &survivors {
            self.lost = self.lost.saturating_add(lost(&self.known, survivors));
        }
        // Whoever waits is read before those it may wait for: nobody's time is counted in both.
        let listed: Vec<_> = tree::processes(init).into_iter().filter_map(entry).collect();
        let alive = listed.iter().fold(0, |sum: u64, (_, seen)| sum.saturating_add(seen.own + seen.waited));
        // The kernel's lists of children may leave out one that lives. Who ended before the list was read is not kept: its
        // time may be in there.
        let missed = survivors
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(pid, seen)| entry(pid).filter(|(_, again)| again.start == seen.start));
        self.known = missed.chain(listed).take(REMEMBERED).collect();
        time(alive.saturating_add(self.lost))
    }
}

/// The known ones that live, read after the last end that was seen: whoever waits has the time before the ended one's entry is
/// gone. One that came later waits for none of them. None: they end too fast to say.
fn settle(known: &Table) -> Option<Table> {
    let mut left = known.clone();
    for _ in 0..TRIES {
        let again: Table = left.keys().filter_map(|pid| entry(*pid)).collect();
        let before = left.len();
        left.retain(|pid, seen| is_same(&again, *pid, *seen));
        if left.len() == before {
            return Some(again);
        }
    }
    None
}

/// What the ended ones had used, beyond all that the survivors got by waiting.
fn lost(known: &Table, now: &Table) -> u64 {
    let ended = known.iter().filter(|(pid, seen)| !is_same(now, **pid, **seen));
    let used = ended.fold(0, |sum: u64, (_, seen)| sum + (seen.own + seen.waited).saturating_sub(2 * CUT));
    let before = |pid: &i32, seen: &Seen| {
        known.get(pid).filter(|old| old.start == seen.start).map_or(0, |old| old.waited)
    };
    let got = now.iter().map(|(pid, seen)| seen.waited.saturating_sub(before(pid, seen)));
    used.saturating_sub(got.fold(0, u64::saturating_add))
}

fn is_same(table: &Table, pid: i32, seen: Seen) -> bool {
    table.get(&pid).is_some_and(|other| other.start == seen.start)
}

/// User and system time of a tree that is about to be killed: nobody will wait for it and tell.
pub(super) fn so_far(init: i32) -> [Duration; 2] {
    let stats = tree::processes(init).into_iter().filter_map(stat);
    let of = |text: String| {
        fields(&text).map(|[_, user, system, more_user, more_system]| {
            [user.saturating_add(more_user), system.saturating_add(more_system)]
        })
    };
    let add = |[user, system]: [u64; 2], more: [u64; 2]| {
        [user.saturating_add(more[0]), system.saturating_add(more[1])]
    };
    stats.filter_map(of).fold([0, 0], add).map(time)
}

fn time(ticks: u64) -> Duration {
    Duration::from_millis(ticks.saturating_mul(1000) / rustix::param::clock_ticks_per_second().max(1))
}

fn entry(pid: i32) -> Option<(i32, Seen)> {
    Some((pid, read(&stat(pid)?)?))
}

fn stat(pid: i32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/stat")).ok()
}

fn read(text: &str) -> Option<Seen> {
    let [start, user, system, waited_user, waited_system] = fields(text)?;
    let (own, waited) = (user.saturating_add(system), waited_user.saturating_add(waited_system));
    Some(Seen { start, own, waited })
}

/// Fields 22 and 14 to 17.
fn fields(text: &str) -> Option<[u64; 5]> {
    let all: Vec<u64> = crate::stat::fields(text)?.map(|field| field.parse().unwrap_or(0)).collect();
    let at = |index: usize| all.get(index).copied();
    Some([at(19)?, at(11)?, at(12)?, at(13)?, at(14)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seen(own: u64, waited: u64) -> Seen {
        Seen { start: 7, own, waited }
    }

    #[test]
    fn times_are_read_behind_any_name() {
        let text = "5 (a) R 1) S 1 5 5 0 -1 4 0 0 0 0 30 4 20 1 20 0 1 0 99 0 0";
        assert_eq!(read(text), Some(Seen { start: 99, own: 34, waited: 21 }));
        assert_eq!(read("5 (short) S 1"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn what_nobody_waited_for_is_lost_and_what_somebody_did_is_not() {
        let known = Table::from([(1, seen(3, 0)), (2, seen(50, 10)), (3, seen(2, 0))]);
        assert_eq!(lost(&known, &Table::from([(1, seen(3, 0)), (3, seen(2, 0))])), 56);
        assert_eq!(lost(&known, &Table::from([(1, seen(3, 58)), (3, seen(2, 0))])), 0, "cut ticks");
        assert_eq!(lost(&known, &Table::from([(1, seen(3, 70))])), 0, "more came than was seen");
        assert_eq!(lost(&known, &known), 0);
    }

    #[test]
    fn a_number_given_to_another_process_is_an_end() {
        let known = Table::from([(2, seen(50, 0))]);
        let other = Table::from([(2, Seen { start: 8, own: 1, waited: 0 })]);
        assert_eq!(lost(&known, &other), 46);
    }
}
