//! How often may be asked: at most so many times within the last minute. What comes on top is refused without a question.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The time that a use counts.
const WINDOW: Duration = Duration::from_secs(60);

/// Uses of the last minute.
#[derive(Clone, Debug)]
pub(crate) struct Rate {
    most: usize,
    used: VecDeque<Instant>,
}

impl Rate {
    /// At most `most` uses in a minute.
    pub(crate) fn per_minute(most: usize) -> Self {
        Self { most, used: VecDeque::with_capacity(most) }
    }

    /// Counts a use at `now`; false when it is one too many, which is not counted.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        while self.used.front().is_some_and(|used| now.saturating_duration_since(*used) >= WINDOW) {
            self.used.pop_front();
        }
        let free = self.used.len() < self.most;
        if free {
            self.used.push_back(now);
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_many_and_the_next_has_them_again() {
        let (mut rate, start) = (Rate::per_minute(3), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let taken: Vec<bool> = [0, 1, 2, 3, 59, 60, 60, 61].map(|second| rate.take(at(second))).into();
        assert_eq!(taken, [true, true, true, false, false, true, false, true]);
    }

    #[test]
    fn a_flood_keeps_no_memory() {
        let (mut rate, now) = (Rate::per_minute(4), Instant::now());
        assert_eq!((0..100_000).filter(|_| rate.take(now)).count(), 4);
        assert!(rate.used.capacity() < 16);
    }
}
