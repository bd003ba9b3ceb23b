//! The benchmark `backlog` of the crate payments, run by cargo.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

fn benchmark(database: &str) -> Command {
    let mut command = Command::new("cargo");
    command
        .args(["bench", "--quiet", "--package", "payments"])
        .args(["--bench", "backlog", "--", "--database", database])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// Makes a backlog; gives what is said of it.
pub(super) fn make(database: &str, payments: usize, spare: usize) -> Result<Value> {
    let output = benchmark(database)
        .args(["make", "--payments", &payments.to_string()])
        .args(["--spare", &spare.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo bench")?;
    ensure!(
        output.status.success(),
        "the backlog was not made: {}",
        output.status
    );
    serde_json::from_slice(&output.stdout).context("what was made is not said in JSON")
}

/// A server on the database.
pub(super) struct Node {
    child: Child,
    address: String,
}

impl Node {
    /// Starts it; it listens when this returns.
    pub(super) fn start(database: &str) -> Result<Self> {
        let serve = benchmark(database).arg("serve").spawn();
        let mut child = serve.context("cannot run cargo bench")?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().to_owned();
        ensure!(!address.is_empty(), "the server did not start");
        Ok(Self { child, address })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Closes its stdin, which ends it, and waits until its files are closed.
    pub(super) fn stop(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}
