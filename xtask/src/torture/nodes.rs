//! The servers of a round: started, killed and started again on one database.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::line::Addresses;

/// How a round's servers are run.
#[derive(Debug, Clone, Default)]
pub(super) struct Manner {
    /// Further variables of their environment.
    pub(super) variables: Vec<(&'static str, String)>,
    /// How many kibibytes a file may have, if that is limited; it can be lifted.
    pub(super) file_kib_max: Option<u64>,
}

pub(super) struct Nodes {
    binary: PathBuf,
    /// Where the data directories are.
    place: PathBuf,
    database: Option<String>,
    manner: Manner,
    children: Vec<Option<Child>>,
    addresses: Addresses,
}

impl Nodes {
    /// So many servers, none of which runs yet, on a PostgreSQL database or on files of their own.
    pub(super) fn new(binary: &Path, place: &Path, database: Option<String>, count: usize) -> Self {
        Self {
            binary: binary.to_owned(),
            place: place.to_owned(),
            database,
            manner: Manner::default(),
            children: (0..count).map(|_| None).collect(),
            addresses: Rc::new(RefCell::new(vec![None; count])),
        }
    }

    pub(super) fn run_as(&mut self, manner: Manner) {
        self.manner = manner;
    }

    pub(super) fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    pub(super) fn count(&self) -> usize {
        self.children.len()
    }

    /// The first server's data directory, in which SQLite's files are.
    pub(super) fn data(&self) -> PathBuf {
        self.directory(0)
    }

    fn directory(&self, number: usize) -> PathBuf {
        self.place.join(format!("data-{number}"))
    }

    fn log(&self, number: usize) -> PathBuf {
        self.place.join(format!("server-{number}.log"))
    }

    /// The program as an operator runs it, with nothing of the caller's environment that it heeds.
    fn command(&self, number: usize, verb: &[impl AsRef<OsStr>]) -> Result<Command> {
        let mut command = match self.manner.file_kib_max {
            None => Command::new(&self.binary),
            Some(kib) => {
                let mut shell = Command::new("sh");
                // Beyond the limit a write is to fail, not to kill. It counts blocks of 512 bytes.
                let script = format!("trap '' XFSZ; ulimit -S -f {}; exec \"$@\"", kib * 2);
                shell.args(["-c", &script, "sh"]).arg(&self.binary);
                shell
            }
        };
        for (name, _) in std::env::vars() {
            if name.starts_with("NIGHTAUDIT_") {
                command.env_remove(name);
            }
        }
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log(number))?;
        command.args(verb).arg("--data").arg(self.directory(number));
        if let Some(database) = &self.database {
            command.args(["--database", database]);
        }
        if number > 0 {
            command.arg("--key-file").arg(self.directory(0).join("key"));
        }
        command.stderr(log).stdin(Stdio::null()).kill_on_drop(true);
        Ok(command)
    }

    /// Runs another verb of the program to its end, and reads the JSON that it prints, if any.
    pub(super) async fn run(&self, verb: &[&str]) -> Result<Value> {
        let output = self.command(0, verb)?.output().await?;
        ensure!(
            output.status.success(),
            "nightaudit {}: {}; its log is {}",
            verb.join(" "),
            output.status,
            self.log(0).display()
        );
        Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
    }

    /// Starts a server on a port that the kernel chooses; it answers when this returns.
    pub(super) async fn start(&mut self, number: usize) -> Result<()> {
        let mut command = self.command(number, &["serve", "--listen", "127.0.0.1:0"])?;
        command.args(["--allow-private-webhooks", "--no-limits"]);
        command.args([
            "--tokens-per-day",
            "1000",
            "--log",
            "info,payments::api=warn",
        ]);
        command.envs(self.manner.variables.iter().cloned());
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).await?;
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.with_context(|| {
            let log = self.log(number);
            format!("the server did not start; its log is {}", log.display())
        })?;
        if let Some(place) = self.addresses.borrow_mut().get_mut(number) {
            *place = Some(address.to_owned());
        }
        if let Some(place) = self.children.get_mut(number) {
            *place = Some(child);
        }
        Ok(())
    }

    pub(super) async fn start_all(&mut self) -> Result<()> {
        for number in 0..self.count() {
            if self.children.get(number).is_some_and(Option::is_none) {
                self.start(number).await?;
            }
        }
        Ok(())
    }

    /// Kills a server without a word, as `kill -9` does.
    pub(super) async fn kill(&mut self, number: usize) -> Result<()> {
        if let Some(mut child) = self.children.get_mut(number).and_then(Option::take) {
            child.kill().await?;
        }
        if let Some(place) = self.addresses.borrow_mut().get_mut(number) {
            *place = None;
        }
        Ok(())
    }

    /// Kills all that live.
    pub(super) async fn kill_all(&mut self) -> Result<()> {
        for number in 0..self.count() {
            self.kill(number).await?;
        }
        Ok(())
    }

    /// The process of the first server.
    pub(super) fn process(&self) -> Option<u32> {
        self.children.first()?.as_ref()?.id()
    }
}
