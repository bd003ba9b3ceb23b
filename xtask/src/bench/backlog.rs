//! `cargo xtask bench backlog`: how fast payments are made up for that fell due while no server ran,
//! on one server or on two at once, and how long clients wait meanwhile.

mod check;
mod nodes;

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use hdrhistogram::Histogram;
use serde::Deserialize;
use serde_json::json;
use xshell::{Shell, cmd};

use super::world::token;
use super::{Format, report};
use crate::client::Client;
use crate::postgres::{Cluster, Options};
use crate::test::Engine;
use nodes::Node;

const EXAMPLES: &str = "\
Examples:
    cargo xtask bench backlog                            100,000 on SQLite, then on PostgreSQL
    cargo xtask bench backlog --payments 10000 --engine sqlite
    cargo xtask bench backlog --format json > figures.json

The payments are scheduled through the platform's routes, each of a reservation of its own, by a
platform whose clock is an hour slow and that carries nothing out. Then servers start, one on SQLite,
two on PostgreSQL, and make up for it, while one client pays and another reads, a hundred times a
second at most. At the end every payment must be in the report once; how far its place there is from
the one that it fell due in, is told. Then the clients go on for a while with no backlog.";

/// What to measure.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// How many payments are due.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    payments: u32,
    /// The database engines to measure.
    #[arg(long, value_enum, default_value_t = Engine::Both)]
    engine: Engine,
    /// How to print the figures.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// One engine's figures.
pub(super) struct Row {
    pub(super) engine: String,
    pub(super) servers: usize,
    pub(super) payments: usize,
    pub(super) took: Duration,
    pub(super) meanwhile: Waits,
    pub(super) afterwards: Waits,
    /// How many places at most a payment was charged before or after its turn.
    pub(super) displaced: usize,
}

impl Row {
    pub(super) fn per_second(&self) -> u64 {
        let micros = self.took.as_micros().max(1);
        let payments = self.payments as u128;
        u64::try_from(payments * 1_000_000 / micros).unwrap_or(u64::MAX)
    }
}

/// How long clients waited, in microseconds.
pub(super) struct Waits {
    pub(super) gets: Histogram<u64>,
    pub(super) posts: Histogram<u64>,
}

/// What the benchmark `backlog` of the crate payments says that it has made.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    client_id: String,
    client_secret: String,
    method_id: String,
    codes: Vec<String>,
    spare: Vec<String>,
}

/// Reservations for the payments that are posted meanwhile and afterwards.
const SPARE: usize = 5_000;
/// How long clients go on without a backlog.
const AFTERWARDS: Duration = Duration::from_secs(10);
/// What a client waits before it asks again.
const PAUSE: Duration = Duration::from_millis(10);
/// How often is asked whether anything is due.
const LOOK: Duration = Duration::from_millis(500);

pub(super) fn run(args: &Args) -> Result<()> {
    let sh = Shell::new()?;
    cmd!(
        sh,
        "cargo bench --package payments --bench backlog --no-run"
    )
    .run()?;
    let mut rows = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        if args.engine == engine || args.engine == Engine::Both {
            rows.push(measure(args, &sh, engine)?);
        }
    }
    report::print_backlog(args.format, &rows)
}

fn measure(args: &Args, sh: &Shell, engine: Engine) -> Result<Row> {
    let disk = sh.current_dir().join("target/bench");
    std::fs::create_dir_all(&disk)?;
    let directory = tempfile::tempdir_in(disk)?;
    let cluster = match engine {
        Engine::Postgres => Some(Cluster::start(Options { durable: true })?),
        _ => None,
    };
    let (name, url, servers) = if let Some(cluster) = &cluster {
        (cluster.version().to_owned(), cluster.url(), 2)
    } else {
        let url = format!("sqlite:{}", directory.path().display());
        ("SQLite".to_owned(), url, 1)
    };
    let payments = args.payments as usize;
    eprintln!("xtask: {name}: {payments} payments fall due");
    let spare = SPARE.min(payments.max(1_000));
    let made: Made = serde_json::from_value(nodes::make(&url, payments, spare)?)?;

    eprintln!("xtask: {name}: {servers} of the servers start");
    let nodes: Vec<Node> = (0..servers)
        .map(|_| Node::start(&url))
        .collect::<Result<_>>()?;
    let started = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let row = runtime.block_on(async {
        let credentials = json!({
            "client_id": made.client_id, "client_secret": made.client_secret,
        });
        let (first, last) = (nodes[0].address(), nodes[servers - 1].address());
        let token = token(first, &credentials).await?;
        let clients = Clients {
            first,
            last,
            token: &token,
            method: &made.method_id,
        };
        let mut spare = made.spare.into_iter();
        let meanwhile = clients.ask_until(&mut spare, nothing_is_due(last)).await?;
        let took = started.elapsed();
        eprintln!("xtask: {name}: made up for in {took:.1?}");
        let pause = async {
            tokio::time::sleep(AFTERWARDS).await;
            Ok(())
        };
        let afterwards = clients.ask_until(&mut spare, pause).await?;
        let mut client = Client::connect(last, Some(&token)).await?;
        let displaced = check::each_once(&mut client, &made.codes).await?;
        anyhow::Ok(Row {
            engine: name,
            servers,
            payments,
            took,
            meanwhile,
            afterwards,
            displaced,
        })
    })?;
    for node in nodes {
        node.stop()?;
    }
    Ok(row)
}

/// Waits until nothing is due.
async fn nothing_is_due(address: &str) -> Result<()> {
    const GAUGE: &str = "nightaudit_agenda_due ";
    let mut client = Client::connect(address, None).await?;
    loop {
        let (_, said) = client.get("/metrics").await?;
        let said = std::str::from_utf8(&said)?;
        let mut lines = said.lines();
        let due = lines.find_map(|line| line.strip_prefix(GAUGE));
        if due.context("the metrics do not say how much is due")? == "0" {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Whom clients ask, and with what.
struct Clients<'a> {
    first: &'a str,
    last: &'a str,
    token: &'a str,
    method: &'a str,
}

impl Clients<'_> {
    /// One pays and one reads until something has happened; says how long they waited.
    async fn ask_until(
        &self,
        spare: &mut impl Iterator<Item = String>,
        happened: impl Future<Output = Result<()>>,
    ) -> Result<Waits> {
        let is_over = Rc::new(Cell::new(false));
        let read = format!(
            "/v1/reservations/{}",
            spare.next().context("no reservation is left")?
        );
        let mut reader = Client::connect(self.first, Some(self.token)).await?;
        let mut payer = Client::connect(self.last, Some(self.token)).await?;
        let payment = json!({
            "paymentMethod": { "method": "AMARYLLIS", "id": self.method }, "amount": 500,
        });
        let payment = Bytes::from(payment.to_string());
        let reading = async {
            let mut gets = Histogram::new(3)?;
            while !is_over.get() {
                let sent = Instant::now();
                let (status, reply) = reader.get(&read).await?;
                ensure!(
                    status == 200,
                    "{status} {}",
                    String::from_utf8_lossy(&reply)
                );
                gets.record(u64::try_from(sent.elapsed().as_micros())?)?;
                tokio::time::sleep(PAUSE).await;
            }
            anyhow::Ok(gets)
        };
        let paying = async {
            let mut posts = Histogram::new(3)?;
            while !is_over.get()
                && let Some(id) = spare.next()
            {
                let path = format!("/v1/reservations/{id}/payments");
                let sent = Instant::now();
                let (status, reply) = payer
                    .post(&path, "application/json", payment.clone())
                    .await?;
                let is_paid = super::has_succeeded(status, &reply);
                ensure!(is_paid, "{status} {}", String::from_utf8_lossy(&reply));
                posts.record(u64::try_from(sent.elapsed().as_micros())?)?;
                tokio::time::sleep(PAUSE).await;
            }
            anyhow::Ok(posts)
        };
        let waiting = async {
            let happened = happened.await;
            is_over.set(true);
            happened
        };
        let ((), gets, posts) = tokio::try_join!(waiting, reading, paying)?;
        Ok(Waits { gets, posts })
    }
}
