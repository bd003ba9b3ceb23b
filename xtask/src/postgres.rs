//! A PostgreSQL cluster of our own: made in a temporary directory, reachable only through a socket
//! in it, and gone when the value that stands for it is dropped or this process ends in any way.

mod programs;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::apt::id;
use programs::Programs;

/// What a cluster is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Every commit reaches the disk, as in production. Tests do without, for speed.
    pub(crate) durable: bool,
}

/// A running cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    programs: Programs,
    account: Account,
    directory: PathBuf,
    version: String,
    guard: Child,
}

impl Cluster {
    /// Makes and starts a cluster; installs the server's programs first when they are missing.
    pub(crate) fn start(options: Options) -> Result<Self> {
        let programs = Programs::find_or_install()?;
        let version = programs.version()?;
        let account = Account::for_the_server()?;
        let directory = account.temporary_directory()?;

        let data = directory.path().join("data");
        initialise(&programs, account, &data)?;
        configure(&data, directory.path(), options)?;

        let guard = guard(&programs, account, directory.path())?;
        let cluster = Self {
            programs,
            account,
            directory: directory.keep(),
            version,
            guard,
        };
        cluster.start_again()?;
        Ok(cluster)
    }

    /// The URL of the cluster's first database, as superuser, in the form that libpq reads.
    /// It names the port too, or `PGPORT` would decide it.
    pub(crate) fn url(&self) -> String {
        let directory = self.directory.display();
        format!("postgres:///postgres?host={directory}&port={PORT}&user={SUPERUSER}")
    }

    /// The URL of another of its databases.
    pub(crate) fn url_of(&self, database: &str) -> String {
        self.url()
            .replacen("/postgres?", &format!("/{database}?"), 1)
    }

    /// Makes an empty database.
    pub(crate) fn create_database(&self, name: &str) -> Result<()> {
        self.sql("postgres", &format!("CREATE DATABASE \"{name}\""))
    }

    /// Takes a database away with all connections to it.
    pub(crate) fn drop_database(&self, name: &str) -> Result<()> {
        self.sql(
            "postgres",
            &format!("DROP DATABASE \"{name}\" WITH (FORCE)"),
        )
    }

    /// Runs a statement in one of its databases.
    pub(crate) fn sql(&self, database: &str, statement: &str) -> Result<()> {
        self.query(database, statement).map(drop)
    }

    /// What a query answers, a line for each row.
    pub(crate) fn query(&self, database: &str, query: &str) -> Result<String> {
        let mut psql = Command::new(self.programs.client("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
        psql.args(["--set", "ON_ERROR_STOP=1", "--command", query]);
        finish(psql.arg("--dbname").arg(self.url_of(database)))
    }

    /// Writes all of a database as SQL.
    pub(crate) fn dump(&self, database: &str, file: &Path) -> Result<()> {
        let mut pg_dump = Command::new(self.programs.client("pg_dump"));
        pg_dump.args(["--dbname", &self.url_of(database)]);
        finish(pg_dump.arg("--file").arg(file)).map(drop)
    }

    /// Stops the server as if it had crashed. What it has acknowledged is on the disk only if the
    /// cluster is durable.
    pub(crate) fn stop_at_once(&self) -> Result<()> {
        let mut pg_ctl = self.account.command(&self.programs.path("pg_ctl"));
        pg_ctl.args(["stop", "--silent", "--mode", "immediate", "--pgdata"]);
        pg_ctl.arg(self.directory.join("data"));
        finish(&mut pg_ctl).map(drop)
    }

    /// Starts the server, also after it was stopped.
    pub(crate) fn start_again(&self) -> Result<()> {
        launch(&self.programs, self.account, &self.directory)
    }

    /// Where the tables are, without the log.
    pub(crate) fn tables(&self) -> PathBuf {
        self.directory.join("data/base")
    }

    /// The server's name and version, for people.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        if let Err(error) = self.guard.wait() {
            eprintln!(
                "xtask: PostgreSQL in {} may still run: {error}",
                self.directory.display()
            );
        }
    }
}

const SUPERUSER: &str = "postgres";
/// Only part of the socket's name: nothing listens on the network.
const PORT: u16 = 5432;

fn initialise(programs: &Programs, account: Account, data: &Path) -> Result<()> {
    let mut initdb = account.command(&programs.path("initdb"));
    initdb.args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
    initdb
        .arg("--username")
        .arg(SUPERUSER)
        .arg("--pgdata")
        .arg(data);
    let output = initdb.output().context("cannot run initdb")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "initdb failed ({}): {said}",
        output.status
    );
    Ok(())
}

fn configure(data: &Path, socket_directory: &Path, options: Options) -> Result<()> {
    let path = data.join("postgresql.conf");
    let mut file = OpenOptions::new().append(true).open(&path)?;
    let socket_directory = socket_directory.display();
    write!(
        file,
        "\nlisten_addresses = ''\n\
         unix_socket_directories = '{socket_directory}'\n\
         port = {PORT}\n\
         max_connections = 1000\n\
         shared_buffers = 256MB\n\
         max_wal_size = 4GB\n"
    )?;
    if !options.durable {
        // Autovacuum too would only compete with databases that live for a second.
        writeln!(
            file,
            "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\nautovacuum = off"
        )?;
    }
    Ok(())
}

fn launch(programs: &Programs, account: Account, directory: &Path) -> Result<()> {
    let log = directory.join("log");
    let mut pg_ctl = account.command(&programs.path("pg_ctl"));
    pg_ctl
        .args(["start", "--silent", "--wait", "--pgdata"])
        .arg(directory.join("data"));
    // The server inherits these: left open, they would hold a caller that reads our output.
    pg_ctl
        .arg("--log")
        .arg(&log)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let status = pg_ctl.status().context("cannot run pg_ctl")?;
    let said = fs::read_to_string(&log).unwrap_or_default();
    ensure!(
        status.success(),
        "PostgreSQL did not start; it said:\n{said}"
    );
    Ok(())
}

/// Runs a program to its end, which must be a good one; what it has printed.
fn finish(program: &mut Command) -> Result<String> {
    let output = program
        .output()
        .with_context(|| format!("cannot run {program:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{program:?}: {}: {said}",
        output.status
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// A process that outlives us and cleans up. It waits for the end of its input, which comes when
/// the cluster is dropped and also when we are interrupted, killed or crash, for then the kernel
/// closes our end of the pipe. In a process group of its own, Ctrl-C does not reach it.
fn guard(programs: &Programs, account: Account, directory: &Path) -> Result<Child> {
    const SCRIPT: &str = r#"
        cat > /dev/null
        "$1" stop --silent --mode immediate --pgdata "$2/data"
        rm -rf "$2"
    "#;
    account
        .command(Path::new("/bin/sh"))
        .args(["-c", SCRIPT, "cleanup"])
        .arg(programs.path("pg_ctl"))
        .arg(directory)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot run /bin/sh")
}

/// The account that the server runs as. PostgreSQL refuses to be root.
#[derive(Clone, Copy, Debug)]
enum Account {
    Ours,
    Other { user: u32, group: u32 },
}

impl Account {
    fn for_the_server() -> Result<Self> {
        if id(&["-u"])? != 0 {
            return Ok(Self::Ours);
        }
        let name = if id(&["-u", "postgres"]).is_ok() {
            "postgres"
        } else {
            "nobody"
        };
        Ok(Self::Other {
            user: id(&["-u", name])?,
            group: id(&["-g", name])?,
        })
    }

    /// A program run by this account, in a directory that it can surely enter.
    fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").env("LC_ALL", "C");
        if let Self::Other { user, group } = self {
            command.uid(user).gid(group);
        }
        command
    }

    /// Makes a directory of this account. Short names first: a socket's path has at most 103
    /// bytes on some systems, and `TMPDIR` may be long.
    fn temporary_directory(self) -> Result<TempDir> {
        let candidates = ["/tmp".into(), "/var/tmp".into(), std::env::temp_dir()];
        let parent = candidates
            .iter()
            .find(|path| self.can_write(path))
            .context("no temporary directory that PostgreSQL's account can write: /tmp, TMPDIR")?;
        let directory = tempfile::Builder::new().prefix("na-").tempdir_in(parent)?;
        if let Self::Other { user, group } = self {
            chown(directory.path(), Some(user), Some(group))?;
        }
        Ok(directory)
    }

    fn can_write(self, directory: &Path) -> bool {
        let mut test = self.command(Path::new("/bin/sh"));
        test.args([
            "-c",
            r#"test -d "$1" && test -w "$1" && test -x "$1""#,
            "test",
        ])
        .arg(directory);
        test.status().is_ok_and(|status| status.success())
    }
}
