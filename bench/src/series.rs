//! Commands measured beside each other: one of each, then again, so that whatever disturbs the machine disturbs
//! all of them alike.

use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::library::{Library, Span};
use crate::{bare, process};

/// What is asked.
#[derive(Debug, Deserialize)]
struct Request {
    /// Measured rounds.
    rounds: usize,
    /// Rounds before them that are not counted.
    warm_up: usize,
    /// Longest time of all rounds together, in seconds; at least three rounds are made.
    seconds: u64,
    measure: Measure,
    rows: Vec<Row>,
}

/// Which number of a run counts.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Measure {
    /// Start to exit, in microseconds.
    Wall,
    /// The number that the command prints.
    Printed,
}

/// One command.
#[derive(Debug, Deserialize)]
struct Row {
    name: String,
    words: Vec<String>,
    /// Started from the library in this process, not by a command: what of it is measured.
    #[serde(default)]
    library: Option<Span>,
    /// Started in this process by the kernel's steps alone.
    #[serde(default)]
    bare: bool,
}

/// What was found for one command: one number per round.
#[derive(Debug, Serialize)]
struct Found<'a> {
    name: &'a str,
    samples: Vec<f64>,
}

/// Reads a request from standard input and prints the findings.
pub(crate) fn run(_: &[String]) -> Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let request: Request = serde_json::from_str(&text).context("the request")?;
    let samples = samples(&request)?;
    let named = request.rows.iter().map(|row| row.name.as_str()).zip(samples);
    let found: Vec<Found<'_>> = named.map(|(name, samples)| Found { name, samples }).collect();
    Ok(serde_json::to_string(&found)?)
}

/// One list of numbers per row.
fn samples(request: &Request) -> Result<Vec<Vec<f64>>> {
    let mut library = request.rows.iter().any(|row| row.library.is_some()).then(Library::new).transpose()?;
    let mut round = |request: &Request| round(request, library.as_mut());
    let mut samples = vec![Vec::new(); request.rows.len()];
    for _ in 0..request.warm_up {
        round(request)?;
    }
    let (start, patience) = (Instant::now(), Duration::from_secs(request.seconds));
    for number in 0..request.rounds {
        if number >= 3 && start.elapsed() > patience {
            break;
        }
        samples.iter_mut().zip(round(request)?).for_each(|(list, sample)| list.push(sample));
    }
    Ok(samples)
}

fn round(request: &Request, mut library: Option<&mut Library>) -> Result<Vec<f64>> {
    let mut one = |row: &Row| match library.as_mut().zip(row.library) {
        _ if row.bare => bare::start(&row.words),
        Some((library, span)) => library.start(&row.words, span),
        None => one(row, request.measure),
    };
    request.rows.iter().map(|row| one(row).with_context(|| row.name.clone())).collect()
}

fn one(row: &Row, measure: Measure) -> Result<f64> {
    let mut command = process::command(&row.words)?;
    match measure {
        Measure::Wall => {
            let start = Instant::now();
            let status = command.stdout(Stdio::null()).status()?;
            let wall = start.elapsed().as_secs_f64() * 1e6;
            if !status.success() {
                bail!("{status}");
            }
            Ok(wall)
        }
        Measure::Printed => {
            let output = command.output()?;
            let text = String::from_utf8(output.stdout)?;
            text.trim().parse().with_context(|| format!("{} printed {text:?}", output.status))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(measure: Measure, rows: &[(&str, &[&str])]) -> Request {
        let row = |(name, words): &(&str, &[&str])| Row {
            name: (*name).to_owned(),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            library: None,
            bare: false,
        };
        Request { rounds: 3, warm_up: 1, seconds: 60, measure, rows: rows.iter().map(row).collect() }
    }

    #[test]
    fn every_row_has_one_number_per_round_and_warm_up_does_not_count() {
        let request = request(Measure::Printed, &[("two", &["echo", "2"]), ("four", &["echo", "4"])]);
        assert_eq!(samples(&request).unwrap(), [[2.0; 3], [4.0; 3]]);
    }

    #[test]
    fn a_command_that_fails_is_no_measurement() {
        assert!(samples(&request(Measure::Wall, &[("false", &["false"])])).is_err());
        assert!(samples(&request(Measure::Printed, &[("words", &["echo", "fast"])])).is_err());
    }
}
