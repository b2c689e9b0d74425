//! Amounts that a jar can use up.

use std::time::{Duration, Instant};

/// How much one jar gets. What exceeds it waits or is refused; nothing grows with what the jar does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budgets {
    /// Connections at once; further ones wait in the listeners' queues. Lowered where the limit of open descriptors of
    /// this process is small: one connection holds up to six.
    pub open: usize,
    /// New connections in one second, on average; further ones wait.
    pub per_second: u32,
    /// New connections at once before the average counts.
    pub burst: u32,
    /// Look-ups of different names below patterns in one minute, on average. Such a name carries up to 63 bytes of the
    /// jar's choice to the servers of the pattern's zone; further connections are refused.
    pub patterns_per_minute: u32,
    /// Look-ups of names below patterns at once.
    pub patterns: u32,
    /// Stand-in addresses for names below patterns that are kept.
    pub names: usize,
    /// Connections and datagrams turned away by the jar's own network that are told in one second, on average.
    pub refusals_per_second: u32,
    /// The same at once.
    pub refusals: u32,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            open: 1024,
            per_second: 1000,
            burst: 2000,
            patterns_per_minute: 60,
            patterns: 64,
            names: 4096,
            refusals_per_second: 200,
            refusals: 500,
        }
    }
}

/// Tokens that come back with time: so many at once, and a rate on average.
///
/// ```
/// use std::time::{Duration, Instant};
/// use belljar_net::Bucket;
///
/// let now = Instant::now();
/// let mut bucket = Bucket::new(1, 10, Duration::from_secs(1), now);
/// assert!(bucket.has_one(now).is_ok());
/// bucket.take();
/// assert_eq!(bucket.has_one(now), Err(now + Duration::from_millis(100)));
/// ```
#[derive(Debug)]
pub struct Bucket {
    most: u32,
    every: Duration,
    left: u32,
    filled: Instant,
}

impl Bucket {
    /// Holds `most` tokens and gets `amount` back within `time`. An amount of zero counts as one.
    #[must_use]
    pub fn new(most: u32, amount: u32, time: Duration, now: Instant) -> Self {
        let every = (time / amount.max(1)).max(Duration::from_nanos(1));
        Self { most: most.max(1), every, left: most.max(1), filled: now }
    }

    /// There is a token.
    ///
    /// # Errors
    /// When the next one comes.
    pub fn has_one(&mut self, now: Instant) -> Result<(), Instant> {
        self.fill(now);
        if self.left > 0 { Ok(()) } else { Err(self.filled + self.every) }
    }

    /// Takes one token.
    pub fn take(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.filled).as_nanos() / self.every.as_nanos();
        let back = u32::try_from(passed).unwrap_or(u32::MAX);
        if back >= self.most.saturating_sub(self.left) {
            (self.left, self.filled) = (self.most, now);
        } else {
            self.left = self.left.saturating_add(back);
            self.filled += self.every.saturating_mul(back);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_one_by_one() {
        let start = Instant::now();
        let mut bucket = Bucket::new(2, 10, Duration::from_secs(1), start);
        let at = |millis| start + Duration::from_millis(millis);
        let mut take = |millis| bucket.has_one(at(millis)).map(|()| bucket.take());
        assert_eq!(take(0), Ok(()));
        assert_eq!(take(0), Ok(()));
        assert_eq!(take(50), Err(at(100)));
        assert_eq!(take(100), Ok(()));
        assert_eq!(take(150), Err(at(200)));
        assert_eq!(take(5000), Ok(()));
        assert_eq!(take(5000), Ok(()));
        assert!(take(5000).is_err());
    }
}
