//! Another process that holds SQLite's write lock, as a backup or a curious person might.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Holds the lock until it is dropped.
pub(super) struct LockHolder(Child);

impl LockHolder {
    pub(super) fn take(file: &Path) -> Result<Self> {
        let mut child = Command::new("sqlite3")
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.as_mut().context("sqlite3 takes no input")?;
        input.write_all(b".timeout 10000\nBEGIN IMMEDIATE;\nSELECT 'locked';\n")?;
        let output = child.stdout.take().context("sqlite3 says nothing")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        ensure!(
            line.trim() == "locked",
            "sqlite3 could not lock the database: {line}"
        );
        Ok(Self(child))
    }
}

impl Drop for LockHolder {
    fn drop(&mut self) {
        // Its connection dies with it, and the transaction, which changed nothing, is gone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
