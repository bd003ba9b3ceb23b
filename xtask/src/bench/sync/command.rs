//! The commands of the books, as somebody gives them.

use std::io::{Read, Write};
use std::process::{self, Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::super::Place;

/// The exit code of a command that did its work and found that not all is well: the webhook's light,
/// for want of an address.
const NOT_WELL: i32 = 4;

/// Where the books are.
pub(super) struct Command<'a> {
    place: &'a Place<'a>,
}

/// What became of a command.
pub(super) struct Done {
    pub(super) took: Duration,
    /// How long processors worked for it, and the most memory that it had, where Linux tells. What it
    /// takes in its last milliseconds is not seen.
    pub(super) worked: Option<Duration>,
    pub(super) peak_kib: Option<u64>,
    /// The JSON that it printed.
    pub(super) said: Value,
}

impl<'a> Command<'a> {
    pub(super) fn at(place: &'a Place<'a>) -> Self {
        Self { place }
    }

    /// Connects the books with a source.
    pub(super) fn connect(&self, url: &str, client_id: &str, secret: &str) -> Result<()> {
        let verb = ["connect", "--base-url", url, "--client-id", client_id];
        let mut child = self.start(&[&verb[..], &["--client-secret-stdin"]].concat())?;
        let mut stdin = child.stdin.take().context("the command has no input")?;
        stdin.write_all(secret.as_bytes())?;
        drop(stdin);
        let output = child.wait_with_output()?;
        let is_done = output.status.success() || output.status.code() == Some(NOT_WELL);
        ensure!(is_done, "connect: {}", output.status);
        Ok(())
    }

    /// Carries out a command that must succeed.
    pub(super) fn run(&self, verb: &[&str]) -> Result<Done> {
        let began = Instant::now();
        let mut child = self.start(verb)?;
        drop(child.stdin.take());
        let mut stdout = child.stdout.take().context("the command has no output")?;
        let said = thread::spawn(move || {
            let mut said = Vec::new();
            stdout.read_to_end(&mut said).map(|_| said)
        });
        let (mut worked, mut peak_kib) = (None, None);
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            worked = work_of(&child).or(worked);
            peak_kib = peak_of(&child).or(peak_kib);
            thread::sleep(Duration::from_millis(5));
        };
        let took = began.elapsed();
        let said = said.join().ok().context("its output cannot be read")??;
        ensure!(
            status.success(),
            "{}: {status}: {}",
            verb[0],
            String::from_utf8_lossy(&said)
        );
        Ok(Done {
            took,
            worked,
            peak_kib,
            said: serde_json::from_slice(&said)?,
        })
    }

    fn start(&self, verb: &[&str]) -> Result<Child> {
        process::Command::new(self.place.binary)
            .args(verb)
            .args([
                "--format",
                "json",
                "--database",
                &self.place.url(),
                "--data",
            ])
            .arg(self.place.directory.path())
            .env("NIGHTAUDIT_LOG", "warn")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", verb[0]))
    }
}

/// The most memory that a process had so far.
fn peak_of(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// How long processors worked for a process so far: for itself, and for the system on its behalf. Both
/// are the twelfth and thirteenth field after its name, in hundredths of a second.
fn work_of(child: &Child) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: Option<Vec<u64>> = ticks.map(|count| count.parse().ok()).collect();
    Some(Duration::from_millis(10 * ticks?.iter().sum::<u64>()))
}
