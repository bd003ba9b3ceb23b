//! `cargo xtask bench`: how many payments a second the release binary posts, each durable before
//! its 201, with a load process of its own on loopback; and what each durable step costs.

mod advance;
mod backlog;
mod ladder;
mod load;
mod receiver;
mod report;
mod reports;
mod server;
mod sync;
mod world;

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use clap::ValueEnum;
use hyper::StatusCode;
use tempfile::TempDir;
use xshell::{Shell, cmd};

use crate::postgres::{Cluster, Options};
use crate::test::Engine;
use load::Ask;
use receiver::Receiver;
use report::Row;
pub(crate) use server::Server;
use world::World;

const EXAMPLES: &str = "\
Examples:
    cargo xtask bench                                  everything, in about three minutes
    cargo xtask bench --engine sqlite --connections 64 one figure
    cargo xtask bench --method stripe --no-ladder
    cargo xtask bench --webhooks 2 --no-ladder         with what is sent to two subscribers
    cargo xtask bench --format json > figures.json
    cargo xtask bench advance                          a year of payments, let pass
    cargo xtask bench backlog                          100,000 payments that are due at once
    cargo xtask bench reports                          pages of the reports a second
    cargo xtask bench sync                             reservations a second into the books

Each payment goes to a reservation of its own, made through the API before the clock starts. SQLite
runs with synchronous=FULL, PostgreSQL with fsync=on. The databases are kept under target/bench
while it runs, on the disk that is measured; PostgreSQL's in the system's temporary directory.";

/// What to measure.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// The database engines to measure.
    #[arg(long, value_enum, default_value_t = Engine::Both)]
    engine: Engine,
    /// The kinds of stored method to charge. A STRIPE method's reply is four times as long.
    #[arg(long, value_enum, default_value_t = Method::Both)]
    method: Method,
    /// How many connections post at once, each waiting for its reply; separated by commas.
    #[arg(long, value_delimiter = ',', default_values = ["1", "16", "64"])]
    connections: Vec<NonZero<usize>>,
    /// Payments in each measurement, and at most a thousand for each connection; a quarter of it on
    /// each step of the ladder.
    #[arg(long, default_value_t = 10_000)]
    payments: usize,
    /// How many webhooks subscribe to the payments, which are sent to this process meanwhile.
    #[arg(long, default_value_t = 0)]
    webhooks: usize,
    /// Leaves out the steps in process.
    #[arg(long)]
    no_ladder: bool,
    /// How to print the figures.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Measures how long a year takes in which reservations pay.
    Advance(advance::Args),
    /// Measures how fast payments are made up for that fell due while no server ran, and how long
    /// clients wait meanwhile.
    Backlog(backlog::Args),
    /// Measures how many pages of the reports are read a second, over short and long histories.
    Reports(reports::Args),
    /// Measures how many reservations a second the books read, and how fast they are verified and
    /// rebuilt.
    Sync(sync::Args),
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Method {
    Amaryllis,
    Stripe,
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Format {
    Table,
    Json,
}

impl Method {
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Amaryllis => &["AMARYLLIS"],
            Self::Stripe => &["STRIPE"],
            Self::Both => &["AMARYLLIS", "STRIPE"],
        }
    }
}

/// Measures, and prints what it found.
pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.what {
        Some(What::Advance(args)) => advance::run(args),
        Some(What::Backlog(args)) => backlog::run(args),
        Some(What::Reports(args)) => reports::run(args),
        Some(What::Sync(args)) => sync::run(args),
        None => payments(args),
    }
}

/// Builds the binary that is measured, and finds the disk on which it keeps its data.
fn build() -> Result<(PathBuf, PathBuf)> {
    let sh = Shell::new()?;
    cmd!(sh, "cargo build --release --package nightaudit").run()?;
    let binary = sh.current_dir().join("target/release/nightaudit");
    ensure!(binary.is_file(), "{} is missing", binary.display());
    let disk = sh.current_dir().join("target/bench");
    std::fs::create_dir_all(&disk)?;
    Ok((binary, disk))
}

fn payments(args: &Args) -> Result<()> {
    let sh = Shell::new()?;
    let (binary, disk) = build()?;
    let mut rows = Vec::new();
    let mut rungs = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        if args.engine != engine && args.engine != Engine::Both {
            continue;
        }
        for method in args.method.names() {
            let place = Place::new(engine, &disk, &binary)?;
            rows.extend(measure(args, &place, method)?);
        }
        if !args.no_ladder {
            let place = Place::new(engine, &disk, &binary)?;
            rungs.extend(ladder::run(
                &sh,
                place.name(),
                &place.url(),
                args.payments / 4,
            )?);
        }
    }
    report::print(args.format, &rows, &rungs)
}

/// Where one server keeps its data: new for each method, so that none begins with the rows of
/// another.
struct Place<'a> {
    binary: &'a Path,
    directory: TempDir,
    cluster: Option<Cluster>,
}

impl<'a> Place<'a> {
    fn new(engine: Engine, disk: &Path, binary: &'a Path) -> Result<Self> {
        let cluster = match engine {
            Engine::Postgres => Some(Cluster::start(Options { durable: true })?),
            _ => None,
        };
        Ok(Self {
            binary,
            directory: tempfile::tempdir_in(disk)?,
            cluster,
        })
    }

    /// The engine's.
    fn name(&self) -> &str {
        self.cluster.as_ref().map_or("SQLite", Cluster::version)
    }

    fn url(&self) -> String {
        match &self.cluster {
            Some(cluster) => cluster.url(),
            None => format!("sqlite:{}", self.directory.path().display()),
        }
    }

    fn start(&self) -> Result<Server> {
        Server::start(self.binary, self.directory.path(), &self.url())
    }

    /// Bytes of all databases, the server being stopped: then SQLite's logs are carried into the
    /// files.
    fn size(&self) -> Result<u64> {
        match &self.cluster {
            Some(cluster) => server::file_sizes(&cluster.tables()),
            None => server::file_sizes(self.directory.path()),
        }
    }
}

fn measure(args: &Args, place: &Place, method: &str) -> Result<Vec<Row>> {
    let engine = place.name();
    let counts: Vec<usize> = args
        .connections
        .iter()
        .map(|connections| args.payments.min(connections.get() * 1000))
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;

    eprintln!(
        "xtask: {engine}, {method}: {} reservations",
        counts.iter().sum::<usize>()
    );
    let server = place.start()?;
    let mut world = runtime
        .block_on(World::make(&server, method, counts.iter().sum()))
        .context("cannot make what the payments are posted to")?;
    server.stop()?;
    let before = place.size()?;

    let server = place.start()?;
    let receiver = Receiver::start()?;
    runtime.block_on(world.subscribe(&server, &receiver, args.webhooks))?;
    let mut told = 0;
    let mut rows = Vec::new();
    for (connections, count) in args.connections.iter().zip(&counts) {
        eprintln!("xtask: {engine}, {method}: {count} payments on {connections} connections");
        let payment = Bytes::from(world.payment().to_string());
        let reservations = world.take(*count).into_iter();
        let figures = runtime.block_on(load::run(
            server.address(),
            world.token(),
            connections.get(),
            reservations.map(move |id| {
                Ask::Post(format!("/v1/reservations/{id}/payments"), payment.clone())
            }),
            has_succeeded,
        ))?;
        told += count * args.webhooks;
        catch_up(&receiver, told)?;
        rows.push(Row {
            engine: engine.to_owned(),
            method: method.to_owned(),
            connections: connections.get(),
            figures,
            bytes: 0,
        });
    }
    server.stop()?;
    let grown = place.size()?.saturating_sub(before);
    let payments: u64 = rows.iter().map(|row| row.figures.answered()).sum();
    for row in &mut rows {
        row.bytes = grown / payments.max(1);
    }
    Ok(rows)
}

/// Whether the reply shows a payment that went through; a 201 may also carry a declined one.
fn has_succeeded(status: StatusCode, reply: &[u8]) -> bool {
    const MARK: &[u8] = br#""status":"SUCCEEDED""#;
    status == StatusCode::CREATED && reply.windows(MARK.len()).any(|window| window == MARK)
}

/// Waits until subscribers have been told of so many payments; says how far they were behind.
fn catch_up(receiver: &Receiver, told: usize) -> Result<()> {
    if told == 0 {
        return Ok(());
    }
    let (_, by_now) = receiver.counts();
    let ended = Instant::now();
    let count = receiver.wait_for(told)?;
    eprintln!(
        "xtask: {} of {told} webhooks came after the last payment, within {} ms; {} came again",
        told - by_now,
        ended.elapsed().as_millis(),
        count - told
    );
    Ok(())
}
