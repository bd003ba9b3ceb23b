//! Where PostgreSQL's server programs are, and how they come to be there.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::apt;

const NEEDED: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

const MISSING: &str = "\
PostgreSQL's server programs (initdb, pg_ctl, postgres) are missing: they are not in PATH, not where
pg_config points and not in /usr/lib/postgresql/*/bin. Install them:
    Debian, Ubuntu   sudo apt-get install postgresql
    Fedora           sudo dnf install postgresql-server
    macOS            brew install postgresql
or test on SQLite alone:
    cargo xtask test --engine sqlite";

/// The directory of one version's programs.
#[derive(Debug)]
pub(super) struct Programs {
    directory: PathBuf,
}

impl Programs {
    pub(super) fn find_or_install() -> Result<Self> {
        if let Some(programs) = Self::find() {
            return Ok(programs);
        }
        eprintln!("xtask: PostgreSQL's server is not installed");
        if let Err(error) = apt::install(&["postgresql"]) {
            eprintln!("xtask: cannot install it: {error:#}");
        }
        Self::find().context(MISSING)
    }

    fn find() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path)
            .chain(pg_config())
            .chain(packaged())
            .find(|directory| {
                NEEDED
                    .iter()
                    .all(|program| directory.join(program).is_file())
            })
            .map(|directory| Self { directory })
    }

    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.directory.join(program)
    }

    /// One of the programs that talk to a server. They may be elsewhere, in PATH.
    pub(super) fn client(&self, program: &str) -> PathBuf {
        let beside = self.path(program);
        if beside.is_file() {
            beside
        } else {
            program.into()
        }
    }

    /// As in `PostgreSQL 15.4 (Debian 15.4-1)`.
    pub(super) fn version(&self) -> Result<String> {
        let output = Command::new(self.path("postgres"))
            .arg("--version")
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        Ok(said.trim().replace("postgres (PostgreSQL)", "PostgreSQL"))
    }
}

fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

/// Debian keeps each version in a directory of its own, outside PATH. The newest first.
fn packaged() -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions
        .into_iter()
        .map(|(_, directory)| directory)
        .collect()
}
