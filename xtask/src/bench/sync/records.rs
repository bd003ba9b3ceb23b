//! The benchmark `records` of the crate books, run by cargo: a chain of many small records.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::super::Place;
use super::Row;

/// What it says of each step.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    step: String,
    millis: u64,
    processor_millis: Option<u64>,
    peak_kib: Option<u64>,
}

pub(super) fn measure(place: &Place, count: usize) -> Result<Vec<Row>> {
    eprintln!("xtask: {}: {count} records", place.name());
    let output = Command::new("cargo")
        .args([
            "bench",
            "--quiet",
            "--package",
            "books",
            "--bench",
            "records",
            "--",
        ])
        .args(["--database", &place.url()])
        .args(["--records", &count.to_string()])
        .args(["--reservations", &count.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo bench")?;
    ensure!(output.status.success(), "records: {}", output.status);
    let lines = String::from_utf8(output.stdout)?;
    let steps = lines.lines().filter(|line| line.starts_with('{'));
    steps
        .map(|line| {
            let said: Said = serde_json::from_str(line)?;
            Ok(Row {
                engine: place.name().to_owned(),
                step: said.step,
                count,
                took: Duration::from_millis(said.millis),
                worked: said.processor_millis.map(Duration::from_millis),
                peak_kib: said.peak_kib,
            })
        })
        .collect()
}
