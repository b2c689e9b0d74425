//! The numbers that the project promises.

/// Which side of the limit is good.
#[derive(Debug, Clone, Copy)]
pub(super) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// One promise; `name` is that of a number of some section.
#[derive(Debug)]
pub(super) struct Goal {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    pub(super) limit: Limit,
}

pub(super) const GOALS: &[Goal] = &[
    Goal {
        name: "start",
        what: "start to exit of /bin/true, all layers, x bwrap",
        limit: Limit::AtMost(0.6),
    },
    Goal { name: "start --net off", what: "the same with `--net off`, x bwrap", limit: Limit::AtMost(0.5) },
    Goal { name: "library", what: "start from the library over plain spawn, ms", limit: Limit::AtMost(1.2) },
    Goal {
        name: "system calls of a start",
        what: "system calls of our own for a start",
        limit: Limit::AtMost(220.0),
    },
    Goal { name: "starts a second", what: "starts a second with one worker", limit: Limit::AtLeast(250.0) },
    Goal { name: "getppid", what: "getppid inside, x outside", limit: Limit::AtMost(1.15) },
    Goal { name: "open+close", what: "open and close inside, x outside", limit: Limit::AtMost(1.5) },
    Goal { name: "compile", what: "compile inside, x outside", limit: Limit::AtMost(1.05) },
    Goal { name: "tar and gzip", what: "tar and gzip inside, x outside", limit: Limit::AtMost(1.05) },
    Goal { name: "grep -r", what: "grep -r inside, x outside", limit: Limit::AtMost(1.05) },
    Goal { name: "git status", what: "git status inside, x outside", limit: Limit::AtMost(1.05) },
    Goal {
        name: "brokered open+close",
        what: "open and close through the broker, x no box",
        limit: Limit::AtMost(8.0),
    },
    Goal {
        name: "brokered refusal",
        what: "refused open through the broker, x an open that fails without a box",
        limit: Limit::AtMost(4.0),
    },
    Goal {
        name: "broker's memory",
        what: "supervisor's peak memory with 1000 requests to the broker in flight, KiB",
        limit: Limit::AtMost(4096.0),
    },
    Goal {
        name: "decode",
        what: "100 thumbnails with a fresh worker each, x in the program itself",
        limit: Limit::AtMost(1.2),
    },
    Goal {
        name: "connect by name",
        what: "connect through the name filter over a direct one, us",
        limit: Limit::AtMost(50.0),
    },
    Goal {
        name: "bytes by name",
        what: "throughput through the name filter, x direct loopback",
        limit: Limit::AtLeast(0.8),
    },
    Goal {
        name: "supervisor's memory",
        what: "supervisor's peak resident memory, KiB",
        limit: Limit::AtMost(3072.0),
    },
    Goal {
        name: "processes beside the program",
        what: "processes beside the program",
        limit: Limit::AtMost(2.0),
    },
    Goal {
        name: "worker start",
        what: "worker of a warm zygote, sealed off and waiting, ms",
        limit: Limit::AtMost(0.35),
    },
    Goal {
        name: "worker call",
        what: "call of a worker, 1 KiB each way, x a bare round trip",
        limit: Limit::AtMost(3.0),
    },
    Goal {
        name: "worker's memory",
        what: "a waiting worker's own memory, KiB",
        limit: Limit::AtMost(2048.0),
    },
    Goal { name: "jars at once", what: "idle jars at once", limit: Limit::AtLeast(500.0) },
];

impl Limit {
    /// True when the value keeps the promise.
    pub(super) fn is_kept_by(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }

    pub(super) fn shown(self) -> String {
        match self {
            Self::AtMost(limit) => format!("≤ {limit}"),
            Self::AtLeast(limit) => format!("≥ {limit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_has_a_good_side() {
        assert!(Limit::AtMost(0.6).is_kept_by(0.6) && !Limit::AtMost(0.6).is_kept_by(0.61));
        assert!(Limit::AtLeast(500.0).is_kept_by(500.0) && !Limit::AtLeast(500.0).is_kept_by(499.0));
        assert!(!Limit::AtMost(1.0).is_kept_by(f64::NAN));
    }
}
