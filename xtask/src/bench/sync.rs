//! `cargo xtask bench sync`: how many reservations a second the release binary reads into its books,
//! from a source in this process that answers at once; how long it takes to verify and to rebuild
//! them, and how much memory all of that takes.
#![expect(clippy::print_stdout, reason = "the figures are what the task is for")]

mod command;
mod limits;
mod records;
mod source;
mod stay;

use std::num::NonZero;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::report::{numbers_to_the_right, table};
use super::{Format, Place, build};
use crate::test::Engine;
use command::Command;
use source::Source;

const EXAMPLES: &str = "\
Examples:
    cargo xtask bench sync                               100,000 reservations on SQLite
    cargo xtask bench sync --engine both --reservations 20000
    cargo xtask bench sync --records 1000000             a chain of a million small records
    cargo xtask bench sync --limits                      against our own server and its limits

Reservations have nine charges, seven nights and two payments, and come a hundred to a page. The clock
runs from the start of the command to its end, so it measures from the first request to the last commit
and more. Records are replies of one reservation each; they are made, verified and rebuilt in one process.
The limits take some minutes: what counts is how many requests the source allowed in that time.";

/// What to measure.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// How many reservations the source has.
    #[arg(long, default_value = "100000")]
    reservations: NonZero<usize>,
    /// Measures a chain of so many small records instead.
    #[arg(long, value_name = "COUNT", conflicts_with = "limits")]
    records: Option<NonZero<usize>>,
    /// Measures how much of the source's limits is used instead.
    #[arg(long)]
    limits: bool,
    /// The database engines to measure.
    #[arg(long, value_enum, default_value_t = Engine::Sqlite)]
    engine: Engine,
    /// How to print the figures.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

const HEADER: [&str; 7] = [
    "engine",
    "step",
    "count",
    "seconds",
    "processor s",
    "a second",
    "MB at most",
];

/// How long something took that was done to so many things.
struct Row {
    engine: String,
    step: String,
    count: usize,
    took: Duration,
    /// How long processors worked for it: on a busy machine that tells more.
    worked: Option<Duration>,
    peak_kib: Option<u64>,
}

/// Measures, and prints what it found.
pub(super) fn run(args: &Args) -> Result<()> {
    if args.limits {
        return limits::run(args.format);
    }
    let (binary, disk) = build()?;
    let mut rows = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        if args.engine != engine && args.engine != Engine::Both {
            continue;
        }
        let place = Place::new(engine, &disk, &binary)?;
        rows.extend(match args.records {
            Some(count) => records::measure(&place, count.get())?,
            None => measure(&place, args.reservations.get())?,
        });
    }
    print(args.format, &rows);
    Ok(())
}

fn measure(place: &Place, count: usize) -> Result<Vec<Row>> {
    let source = Source::start(count)?;
    let command = Command::at(place);
    command.connect(&source.url(), "bench", "secret")?;
    let mut rows = Vec::new();
    for (step, verb) in [
        ("sync", vec!["sync", "reservations", "--no-limits"]),
        ("verify", vec!["verify"]),
        ("rebuild", vec!["rebuild"]),
    ] {
        eprintln!("xtask: {}: {step}", place.name());
        let done = command.run(&verb)?;
        if step == "sync" {
            let new = number_of_new(&done.said);
            ensure!(new == count, "{new} of {count} came in: {}", done.said);
        }
        rows.push(Row {
            engine: place.name().to_owned(),
            step: step.to_owned(),
            count,
            took: done.took,
            worked: done.worked,
            peak_kib: done.peak_kib,
        });
    }
    Ok(rows)
}

/// How many objects were new, wherever the summary says so.
fn number_of_new(said: &Value) -> usize {
    match said {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match value.as_u64() {
                Some(count) if name == "new" => usize::try_from(count).unwrap_or(usize::MAX),
                _ => number_of_new(value),
            })
            .sum(),
        Value::Array(items) => items.iter().map(number_of_new).sum(),
        _ => 0,
    }
}

fn print(format: Format, rows: &[Row]) {
    match format {
        Format::Json => {
            let rows: Vec<Value> = rows.iter().map(Row::as_json).collect();
            println!("{:#}", json!(rows));
        }
        Format::Table => {
            let mut table = table(&HEADER);
            for row in rows {
                table.add_row(row.cells());
            }
            numbers_to_the_right(&mut table, 2);
            println!("{table}");
        }
    }
}

impl Row {
    fn per_second(&self) -> u128 {
        self.count as u128 * 1_000 / self.took.as_millis().max(1)
    }

    fn cells(&self) -> [String; HEADER.len()] {
        let worked = self.worked.map(super::report::seconds);
        let peak = self.peak_kib.map(|kib| (kib / 1_000).to_string());
        [
            self.engine.clone(),
            self.step.clone(),
            self.count.to_string(),
            super::report::seconds(self.took),
            worked.unwrap_or_default(),
            self.per_second().to_string(),
            peak.unwrap_or_default(),
        ]
    }

    fn as_json(&self) -> Value {
        json!({
            "engine": self.engine,
            "step": self.step,
            "count": self.count,
            "millis": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            "processorMillis": self.worked.map(|worked| u64::try_from(worked.as_millis()).unwrap_or(u64::MAX)),
            "perSecond": u64::try_from(self.per_second()).unwrap_or(u64::MAX),
            "peakKib": self.peak_kib,
        })
    }
}
