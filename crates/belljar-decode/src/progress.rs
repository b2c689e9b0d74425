//! How far it is, on a terminal only.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Counts pictures that are done, whatever became of them.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

const LOOK: &str = "{pos}/{len} {wide_bar} {elapsed}, about {eta} left";

impl Progress {
    /// Shown where standard error is a terminal.
    pub(crate) fn of(pictures: usize, quiet: bool) -> Self {
        if quiet || pictures < 2 || !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(u64::try_from(pictures).unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template(LOOK) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Self(bar)
    }

    pub(crate) fn step(&self) {
        self.0.inc(1);
    }

    /// Leaves nothing behind.
    pub(crate) fn end(self) {
        self.0.finish_and_clear();
    }
}
