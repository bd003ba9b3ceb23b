//! The server under measurement: the release binary, as an operator runs it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

pub(crate) struct Server {
    binary: PathBuf,
    data: PathBuf,
    address: String,
    child: Child,
}

impl Server {
    /// Starts it on a free port, without limits; it is ready when this returns.
    pub(crate) fn start(binary: &Path, data: &Path, database: &str) -> Result<Self> {
        let flags = ["--allow-private-webhooks", "--no-limits"];
        Self::start_with(binary, data, database, &flags)
    }

    /// Starts it with these flags.
    pub(crate) fn start_with(
        binary: &Path,
        data: &Path,
        database: &str,
        flags: &[&str],
    ) -> Result<Self> {
        let mut serve = Command::new(binary);
        serve.args(["serve", "--listen", "127.0.0.1:0", "--database", database]);
        serve.arg("--data").arg(data).args(flags);
        serve.env("NIGHTAUDIT_LOG", "warn").stdout(Stdio::piped());
        let mut child = serve.spawn().context("cannot run the server")?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on http://");
        Ok(Self {
            binary: binary.to_owned(),
            data: data.to_owned(),
            address: address.context("the server did not start")?.to_owned(),
            child,
        })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Runs another verb of the binary on the same data, and reads the JSON that it prints, if any.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, verb: &[S]) -> Result<Value> {
        let output = Command::new(&self.binary)
            .args(verb)
            .arg("--data")
            .arg(&self.data)
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "nightaudit: {}: {said}",
            output.status
        );
        Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
    }

    /// Stops it as Ctrl-C does, and waits until its files are closed.
    pub(crate) fn stop(mut self) -> Result<()> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-INT", &pid]).status()?;
        let status = self.child.wait()?;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Only one that was not stopped in order still runs.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes of all files in a directory and those below it.
pub(super) fn file_sizes(directory: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let found = entry.metadata()?;
        bytes += if found.is_dir() {
            file_sizes(&entry.path())?
        } else {
            found.len()
        };
    }
    Ok(bytes)
}
