//! What the parts of a run cost: seconds passed, and seconds of processor time in the programs that were waited for.
//!
//! On a machine that others use only the second number can be compared between runs.

use std::time::{Duration, Instant};

use crate::command::say;

/// Clock ticks in a second, as Linux shows them to every program.
const TICKS: u64 = 100;

/// How many slow tests a run names.
const SLOWEST: usize = 10;

/// One part that has ended.
struct Row {
    name: String,
    passed: Duration,
    worked: Duration,
}

/// The parts of a run, in order.
#[derive(Default)]
pub(crate) struct Clock {
    rows: Vec<Row>,
}

impl Clock {
    /// Does the work of one part and notes what it took.
    pub(crate) fn time<T>(&mut self, name: impl Into<String>, work: impl FnOnce() -> T) -> T {
        let (began, before) = (Instant::now(), worked());
        let done = work();
        let worked = worked().saturating_sub(before);
        self.rows.push(Row { name: name.into(), passed: began.elapsed(), worked });
        done
    }

    /// Prints a line for each part, and one for all.
    pub(crate) fn print(&self) {
        let all = Row {
            name: "all".to_owned(),
            passed: self.rows.iter().map(|row| row.passed).sum(),
            worked: self.rows.iter().map(|row| row.worked).sum(),
        };
        say("   seconds  of processors");
        self.rows.iter().chain([&all]).for_each(|row| say(&row.line()));
    }
}

impl Row {
    fn line(&self) -> String {
        format!("{:>10.1} {:>14.1}  {}", self.passed.as_secs_f32(), self.worked.as_secs_f32(), self.name)
    }
}

/// Prints the slowest of these tests, slowest first.
pub(crate) fn print_slowest(mut tests: Vec<(Duration, String)>) {
    tests.sort_by(|one, other| other.cmp(one));
    say("   seconds  slowest tests");
    for (passed, name) in tests.iter().take(SLOWEST) {
        say(&format!("{:>10.1}  {name}", passed.as_secs_f32()));
    }
}

/// Processor time of all programs that ended and were waited for, so far.
fn worked() -> Duration {
    let line = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    Duration::from_millis(ticks(&line).saturating_mul(1000 / TICKS))
}

/// `cutime` and `cstime` of a line of `/proc/PID/stat`, whose second field may hold anything within its brackets.
fn ticks(line: &str) -> u64 {
    let fields = line.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    fields.skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    #[test]
    fn the_time_of_children_is_read_behind_any_name() {
        assert_eq!(super::ticks("1 (a) b) S 1 1 1 0 -1 0 5 6 7 8 9 10 30 4 20 0"), 34);
        assert_eq!(super::ticks(""), 0);
    }

    #[test]
    fn a_part_is_noted_with_what_its_programs_took() {
        let mut clock = super::Clock::default();
        let done = clock.time("spin", || std::process::Command::new("sh").args(["-c", SPIN]).status());
        assert!(done.unwrap().success());
        assert!(clock.rows[0].worked >= Duration::from_millis(10), "{}", clock.rows[0].line());
        assert!(clock.rows[0].line().ends_with("  spin"));
    }

    const SPIN: &str = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
}
