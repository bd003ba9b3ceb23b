//! The processor's own books, read out of its database: its report over HTTP is what the platform
//! has imported of them.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use super::findings::Findings;
use super::state::State;
use crate::postgres::Cluster;

/// Whether SQLite's files can be read here.
pub(super) fn has_sqlite3() -> bool {
    let asked = Command::new("sqlite3").arg("--version").output();
    asked.is_ok_and(|output| output.status.success())
}

/// Compares the ids of all its transactions with those in the report.
pub(super) fn compare(
    state: &State,
    data: &Path,
    database: Option<(&Cluster, &str)>,
    findings: &mut Findings,
) -> Result<()> {
    let text = match database {
        Some((cluster, name)) => cluster.query(name, r#"SELECT id FROM sandbox."transaction""#)?,
        None if !has_sqlite3() => return Ok(()),
        None => from_file(&data.join("sandbox.db"))?,
    };
    let mut own: Vec<&str> = text.lines().collect();
    let mut reported: Vec<&str> = state.report.iter().map(String::as_str).collect();
    own.sort_unstable();
    reported.sort_unstable();
    for id in own.iter().filter(|id| reported.binary_search(id).is_err()) {
        findings.lost(format!("the report lacks the processor's transaction {id}"));
    }
    for id in reported.iter().filter(|id| own.binary_search(id).is_err()) {
        findings.wrong(format!("the processor knows nothing of transaction {id}"));
    }
    for twice in reported.windows(2).filter(|pair| pair[0] == pair[1]) {
        findings.doubled(format!("the report has transaction {} twice", twice[0]));
    }
    Ok(())
}

fn from_file(file: &Path) -> Result<String> {
    let mut sqlite = Command::new("sqlite3");
    sqlite.arg("-readonly").arg(file);
    let output = sqlite.arg(r#"SELECT id FROM "transaction""#).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{} cannot be read: {said}",
        file.display()
    );
    Ok(String::from_utf8(output.stdout)?)
}
