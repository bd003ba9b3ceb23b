//! `cargo xtask test`: every test of the workspace, on the engines asked for.

use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use xshell::{Shell, cmd};

use crate::postgres::{Cluster, Options};
use crate::python::Environment;
use crate::{contract, torture};

/// Where tests find the PostgreSQL that they may fill with databases.
const CLUSTER_VARIABLE: &str = "NIGHTAUDIT_TEST_POSTGRES";
/// Where tests find a Python that has the libraries of `xtask/python/webhooks.txt`.
const PYTHON_VARIABLE: &str = "NIGHTAUDIT_TEST_PYTHON";

const EXAMPLES: &str = "\
Examples:
    cargo xtask test                                  everything, on both engines
    cargo xtask test --engine sqlite                  needs no PostgreSQL
    cargo xtask test -- --package store               one crate
    cargo xtask test -- racing_refunds                tests with that in their name
    cargo xtask test --engine postgres -- --no-capture
    cargo xtask test --contract --seed 7              drives a server by its own description
    cargo xtask test --no-python                      needs no Python, nor the network

PostgreSQL is found in PATH, by pg_config or in /usr/lib/postgresql; where apt-get is at hand it is
installed when absent. The cluster lives in a temporary directory and goes away with the command.
Python's libraries that check our webhooks are installed once, below target/python.";

const WITHOUT_PYTHON: &str =
    "cannot make the Python environment of some tests; `--no-python` leaves them out";

/// What to test, and on what.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The database engines to test on.
    #[arg(long, value_enum, default_value_t = Engine::Both)]
    engine: Engine,

    /// Leaves out what libraries written in Python check.
    #[arg(long)]
    no_python: bool,

    #[command(flatten)]
    contract: contract::ContractArgs,

    /// Handed to `cargo nextest run`, or to `cargo test` where nextest is not installed. With any
    /// of these, neither the examples in the documentation are run nor the short version of `cargo
    /// xtask torture`.
    #[arg(last = true)]
    extra: Vec<String>,
}

/// Which database engines a task runs on.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
    Both,
}

impl Engine {
    /// The tests to leave out, by a part of their names. `store::on_both_engines!` gives them.
    fn skipped(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => Some("::on_postgres"),
            Self::Postgres => Some("::on_sqlite"),
            Self::Both => None,
        }
    }
}

/// Runs the tests and says at the end how they went.
pub(crate) fn run(args: &Args) -> Result<()> {
    if args.contract.contract {
        return contract::run(args.contract);
    }
    let started = Instant::now();
    let sh = Shell::new()?;
    let cluster = match args.engine {
        Engine::Sqlite => None,
        Engine::Postgres | Engine::Both => Some(Cluster::start(Options { durable: false })?),
    };
    if let Some(cluster) = &cluster {
        eprintln!("xtask: {} on {}", cluster.version(), cluster.url());
        sh.set_var(CLUSTER_VARIABLE, cluster.url());
    }
    if !args.no_python {
        let environment = Environment::of("webhooks").context(WITHOUT_PYTHON)?;
        sh.set_var(PYTHON_VARIABLE, environment.program("python"));
    }

    let mut failed = Vec::new();
    if run_tests(&sh, args).is_err() {
        failed.push("tests");
    }
    if args.extra.is_empty()
        && cmd!(sh, "cargo test --workspace --doc --quiet")
            .run()
            .is_err()
    {
        failed.push("examples in the documentation");
    }

    if args.extra.is_empty()
        && let Err(error) = torture::run_short(args.engine)
    {
        eprintln!("\nxtask: {error:#}");
        failed.push("faults");
    }

    let engines = match (args.engine, &cluster) {
        (Engine::Both, Some(cluster)) => format!("SQLite and {}", cluster.version()),
        (_, Some(cluster)) => cluster.version().to_owned(),
        (_, None) => "SQLite".to_owned(),
    };
    let seconds = started.elapsed().as_secs();
    if failed.is_empty() {
        eprintln!(
            "\nxtask: all passed on {engines}, in {} min {} s",
            seconds / 60,
            seconds % 60
        );
        Ok(())
    } else {
        bail!("failed on {engines}: {}", failed.join(", "))
    }
}

fn run_tests(sh: &Shell, args: &Args) -> xshell::Result<()> {
    let mut extra = args.extra.clone();
    if let Some(name) = args.engine.skipped() {
        // What follows a second `--` goes to the test programs themselves.
        if !extra.iter().any(|arg| arg == "--") {
            extra.push("--".to_owned());
        }
        extra.extend(["--skip".to_owned(), name.to_owned()]);
    }
    // A crate that is named is all that is tested; Cargo would add the others to it.
    let names_crate = |arg: &String| arg.starts_with("-p") || arg.starts_with("--package");
    let scope = (!extra.iter().any(names_crate)).then_some("--workspace");
    if cmd!(sh, "cargo nextest --version")
        .quiet()
        .ignore_stdout()
        .ignore_stderr()
        .run()
        .is_ok()
    {
        cmd!(sh, "cargo nextest run {scope...} --no-fail-fast {extra...}").run()
    } else {
        cmd!(
            sh,
            "cargo test {scope...} --lib --bins --tests --no-fail-fast {extra...}"
        )
        .run()
    }
}
