//! Numbers of a series and what is said about them.

use serde_json::Value;

/// The samples of one command, one per round.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) samples: Vec<f64>,
}

impl Series {
    /// Reads the helper's form.
    pub(super) fn read(row: &Value) -> Option<Self> {
        let samples = row["samples"].as_array()?.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>()?;
        Some(Self { name: row["name"].as_str()?.to_owned(), samples })
    }

    pub(super) fn median(&self) -> f64 {
        median(self.samples.clone())
    }

    pub(super) fn least(&self) -> f64 {
        self.samples.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// Median of the ratios to another series, round by round.
    pub(super) fn over(&self, base: &Self) -> f64 {
        median(self.samples.iter().zip(&base.samples).map(|(own, base)| own / base).collect())
    }

    /// Median of the differences to another series, round by round.
    pub(super) fn above(&self, base: &Self) -> f64 {
        median(self.samples.iter().zip(&base.samples).map(|(own, base)| own - base).collect())
    }

    /// Runs per second when each sample is microseconds of one run.
    pub(super) fn per_second(&self) -> f64 {
        let count: f64 = self.samples.iter().map(|_| 1.0).sum();
        count * 1e6 / self.samples.iter().sum::<f64>()
    }
}

/// The series of this name.
pub(super) fn named<'a>(all: &'a [Series], name: &str) -> Option<&'a Series> {
    all.iter().find(|series| series.name == name)
}

/// The middle of the sorted numbers; of two middle ones the upper.
fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(samples: &[f64]) -> Series {
        Series { name: "a".into(), samples: samples.to_vec() }
    }

    #[test]
    fn a_ratio_is_the_median_of_rounds_not_of_medians() {
        let (own, base) = (series(&[2.0, 30.0, 4.0]), series(&[1.0, 10.0, 4.0]));
        assert!((own.over(&base) - 2.0).abs() < 1e-9);
        assert!((own.median() - 4.0).abs() < 1e-9 && (own.least() - 2.0).abs() < 1e-9);
        assert!((series(&[1e6, 3e6]).per_second() - 0.5).abs() < 1e-9);
    }
}
