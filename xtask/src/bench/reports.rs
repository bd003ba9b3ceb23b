//! `cargo xtask bench reports`: how many pages of the reports a second a platform serves, over
//! histories of several lengths, with a load process of its own on loopback.

use std::io::{BufRead, BufReader};
use std::num::NonZero;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use hyper::StatusCode;
use serde::Deserialize;
use xshell::{Shell, cmd};

use super::load::{self, Ask, Figures};
use super::{Format, report};
use crate::postgres::{Cluster, Options};
use crate::test::Engine;

const EXAMPLES: &str = "\
Examples:
    cargo xtask bench reports                            10,000 and 1,000,000 transactions on SQLite
    cargo xtask bench reports --rows 10000 --engine both
    cargo xtask bench reports --format json > figures.json

A platform imports its history from a processor that makes it up: a month of sales, and payouts of
them with about as many rows. A million take some minutes. It serves from a release build, with
all it does besides. Each measurement reads pages of 25 rows; a page counts if all 25 are there.";

/// The longest page that is the default of both reports.
const PAGE: u64 = 25;
/// All of the history.
const WINDOW: &str = "startDate=2026-03-01&endDate=2026-04-01";

/// What to measure.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// How many transactions there are; separated by commas. Each is compared with the first.
    #[arg(
        long,
        value_delimiter = ',',
        value_parser = clap::value_parser!(u32).range(100..),
        default_values = ["10000", "1000000"]
    )]
    rows: Vec<u32>,
    /// How many connections read at once, each waiting for its page.
    #[arg(long, default_value = "64")]
    connections: NonZero<usize>,
    /// Pages in each measurement.
    #[arg(long, default_value_t = 50_000)]
    pages: usize,
    /// The database engines to measure.
    #[arg(long, value_enum, default_value_t = Engine::Sqlite)]
    engine: Engine,
    /// How to print the figures.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// One measurement.
pub(super) struct Row {
    pub(super) engine: String,
    pub(super) report: &'static str,
    pub(super) place: &'static str,
    /// Of the report, in all.
    pub(super) rows: u64,
    pub(super) figures: Figures,
    /// Pages a second, in percent of those over the first number of transactions.
    pub(super) of_first: u64,
}

/// Where in the report pages are read.
#[derive(Clone, Copy)]
enum Place {
    First,
    /// Anywhere, each elsewhere.
    Deep,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let sh = Shell::new()?;
    cmd!(
        sh,
        "cargo bench --package payments --bench reports --no-run"
    )
    .run()?;
    let mut rows = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        if args.engine != engine && args.engine != Engine::Both {
            continue;
        }
        let first = rows.len();
        for count in &args.rows {
            rows.extend(measure(args, &sh, engine, *count)?);
        }
        compare(&mut rows[first..]);
    }
    report::print_pages(args.format, args.connections.get(), &rows)
}

/// All measurements over one history, in a new database.
fn measure(args: &Args, sh: &Shell, engine: Engine, count: u32) -> Result<Vec<Row>> {
    let disk = sh.current_dir().join("target/bench");
    std::fs::create_dir_all(&disk)?;
    let directory = tempfile::tempdir_in(disk)?;
    let cluster = match engine {
        Engine::Postgres => Some(Cluster::start(Options { durable: true })?),
        _ => None,
    };
    let (name, url) = match &cluster {
        Some(cluster) => (cluster.version().to_owned(), cluster.url()),
        None => (
            String::from("SQLite"),
            format!("sqlite:{}", directory.path().display()),
        ),
    };
    eprintln!("xtask: {name}: importing {count} transactions and their payouts");
    let server = Server::start(&url, count)?;
    eprintln!(
        "xtask: {name}: imported in {} ms",
        server.ready.import_millis
    );

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut measured = Vec::new();
    for (report, path, rows) in [
        ("transactions", "reports", server.ready.transactions),
        (
            "payouts",
            "reports/payouts-reconciliation",
            server.ready.payout_rows,
        ),
    ] {
        for place in [Place::First, Place::Deep] {
            eprintln!("xtask: {name}: {report} of {rows}, {} pages", place.name());
            let figures = runtime.block_on(load::run(
                &server.ready.address,
                &server.ready.token,
                args.connections.get(),
                pages(path, place, rows).take(args.pages),
                is_full,
            ))?;
            measured.push(Row {
                engine: name.clone(),
                report,
                place: place.name(),
                rows,
                figures,
                of_first: 0,
            });
        }
    }
    server.stop()?;
    Ok(measured)
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Deep => "deep",
        }
    }
}

/// Pages of a report with so many rows; the same ones each time.
fn pages(path: &'static str, place: Place, rows: u64) -> impl Iterator<Item = Ask> + 'static {
    let mut random: u64 = 0x9E37_79B9_7F4A_7C15;
    std::iter::repeat_with(move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let skip = match place {
            Place::First => 0,
            Place::Deep => random % (rows - PAGE + 1),
        };
        let path = format!("/v1/payment-transactions/{path}?{WINDOW}&skip={skip}&take={PAGE}");
        Ask::Get(path)
    })
}

/// Rows are flat objects, so there are as many as braces.
fn is_full(status: StatusCode, reply: &[u8]) -> bool {
    let rows: u64 = reply.iter().map(|byte| u64::from(*byte == b'{')).sum();
    status == StatusCode::OK && rows == PAGE
}

/// With the same measurement over the first history.
fn compare(rows: &mut [Row]) {
    for index in 0..rows.len() {
        let row = &rows[index];
        let is_same = |first: &&Row| (first.report, first.place) == (row.report, row.place);
        let first = rows.iter().find(is_same).unwrap_or(row);
        let of_first = row.figures.per_second() * 100 / first.figures.per_second().max(1);
        rows[index].of_first = of_first;
    }
}

/// The benchmark `reports` of the crate payments, run by cargo.
struct Server {
    child: Child,
    ready: Ready,
}

/// What it says once its history is imported.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ready {
    address: String,
    token: String,
    transactions: u64,
    payout_rows: u64,
    import_millis: u64,
}

impl Server {
    fn start(database: &str, transactions: u32) -> Result<Self> {
        let mut child = Command::new("cargo")
            .args(["bench", "--quiet", "--package", "payments"])
            .args(["--bench", "reports", "--", "--database", database])
            .args(["--transactions", &transactions.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run cargo bench")?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let ready = serde_json::from_str(&line)
            .with_context(|| format!("the server did not start: {line}"))?;
        Ok(Self { child, ready })
    }

    /// Closes its stdin, which ends it, and waits until its files are closed.
    fn stop(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}
