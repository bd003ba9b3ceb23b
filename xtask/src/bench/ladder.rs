//! The steps in process: the benchmark `ladder` of the crate payments, run by cargo.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use xshell::{Shell, cmd};

/// One step, as the benchmark prints it.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rung {
    #[serde(default)]
    pub(super) engine: String,
    pub(super) step: String,
    pub(super) connections: u64,
    pub(super) per_second: u64,
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

pub(super) fn run(sh: &Shell, engine: &str, database: &str, payments: usize) -> Result<Vec<Rung>> {
    eprintln!("xtask: {engine}, the ladder");
    let payments = payments.to_string();
    let printed = cmd!(
        sh,
        "cargo bench --quiet --package payments --bench ladder --
         --database {database} --payments {payments}"
    )
    .read()?;
    printed
        .lines()
        .map(|line| {
            let rung: Rung = serde_json::from_str(line).with_context(|| line.to_owned())?;
            Ok(Rung {
                engine: engine.to_owned(),
                ..rung
            })
        })
        .collect()
}
