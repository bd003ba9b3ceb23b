//! One round: a world of its own, a load, a fault, and the audit of what came of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::LocalSet;

use super::audit::{self, messages};
use super::chance::Chance;
use super::fault::{Fault, Found, Means};
use super::findings::Findings;
use super::load::{Load, join};
use super::nodes::Nodes;
use super::processor;
use super::receiver::Receiver;
use super::recovery;
use super::state::State;
use super::world::World;
use crate::postgres::{Cluster, Options};

/// What a round is to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) fault: Fault,
    pub(super) on_postgres: bool,
    pub(super) seed: u64,
}

impl Plan {
    pub(super) fn engine(self) -> &'static str {
        if self.on_postgres {
            "PostgreSQL"
        } else {
            "SQLite"
        }
    }
}

/// What rounds share.
pub(super) struct Shop<'a> {
    pub(super) binary: &'a Path,
    /// Where their directories are made.
    pub(super) disk: &'a Path,
    pub(super) cluster: Option<&'a Cluster>,
    /// How many of them may be under load at once. Those that only wait are none of these.
    pub(super) turns: Semaphore,
}

/// What became of a round.
pub(super) struct Outcome {
    pub(super) operations: usize,
    /// How many of them were not answered, or told to come again.
    pub(super) open: usize,
    pub(super) findings: Findings,
    pub(super) took: Duration,
    /// Why it could not take place.
    pub(super) skipped: Option<String>,
    /// Where all of it was kept, since something is wrong.
    pub(super) kept: Option<PathBuf>,
}

/// Tells the databases of rounds apart.
static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// Carries a round out.
pub(super) fn run(plan: Plan, shop: &Shop) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let turn = runtime.block_on(shop.turns.acquire())?;
    let began = Instant::now();
    let own = (plan.on_postgres && plan.fault.needs_own_cluster())
        .then(|| Cluster::start(Options { durable: true }))
        .transpose()?;
    let cluster = if plan.on_postgres {
        own.as_ref().or(shop.cluster)
    } else {
        None
    };
    let name = format!("torture_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let database = cluster.map(|cluster| (cluster, name.as_str()));
    if let Some((cluster, name)) = database {
        cluster.create_database(name)?;
    }
    let directory = tempfile::Builder::new()
        .prefix("round-")
        .tempdir_in(shop.disk)?;
    let mut nodes = Nodes::new(
        shop.binary,
        directory.path(),
        database.map(|(cluster, name)| cluster.url_of(name)),
        plan.fault.servers(),
    );
    let mut means = match Means::find(plan.fault, directory.path(), &nodes.data(), database)? {
        Found::Means(means) => means,
        Found::Missing(what) => return Ok(Outcome::skipped(what)),
    };
    nodes.run_as(means.manner.clone());
    let played = LocalSet::new().block_on(&runtime, play(plan, &mut nodes, &mut means, turn));
    let mut outcome = match played {
        Ok(outcome) => outcome,
        Err(error) => {
            let mut outcome = Outcome::skipped(String::new());
            outcome.skipped = None;
            outcome
                .findings
                .wrong(format!("the round broke off: {error:#}"));
            outcome
        }
    };
    runtime.block_on(nodes.kill_all())?;
    outcome.took = began.elapsed();
    if !outcome.findings.is_empty() {
        outcome.kept = Some(keep(directory, &outcome, &nodes.data(), database)?);
    } else if let Some((cluster, name)) = database {
        cluster.drop_database(name)?;
    }
    Ok(outcome)
}

impl Outcome {
    fn skipped(why: String) -> Self {
        Self {
            operations: 0,
            open: 0,
            findings: Findings::default(),
            took: Duration::ZERO,
            skipped: Some(why),
            kept: None,
        }
    }
}

async fn play(
    plan: Plan,
    nodes: &mut Nodes,
    means: &mut Means<'_>,
    turn: SemaphorePermit<'_>,
) -> Result<Outcome> {
    let mut chance = Chance::new(plan.seed);
    let mut findings = Findings::default();
    let receiver = Receiver::start(chance.fork()).await?;
    let world = World::make(nodes).await?;
    world.subscribe(&receiver).await?;
    let load = Load::prepare(&world, plan.fault.cards()).await?;

    let clients = load.start(&mut chance);
    let struck = means.strike(nodes, &world, &load, &mut chance).await;
    load.stop();
    struck?;
    join(clients).await?;
    drop(turn);

    world.renew_token().await?;
    load.ask_again().await?;
    let mut line = world.line(0);
    recovery::settle(&mut line, &mut findings).await?;
    let books = load.into_books();
    let state = State::read(&mut line).await?;
    audit::audit(&books, &state, &mut findings);
    processor::compare(&state, &nodes.data(), means.database, &mut findings)?;
    recovery::be_told(&books, &state, &receiver).await;
    messages::compare(&books, &state, &receiver.taken(), &mut findings);
    for complaint in receiver.complaints() {
        findings.wrong(complaint);
    }
    Ok(Outcome {
        operations: books.operations.len(),
        open: books.unanswered + books.unavailable,
        findings,
        took: Duration::ZERO,
        skipped: None,
        kept: None,
    })
}

/// Keeps all there is of a round for whoever looks into it.
fn keep(
    directory: TempDir,
    outcome: &Outcome,
    data: &Path,
    database: Option<(&Cluster, &str)>,
) -> Result<PathBuf> {
    let kept = directory.keep();
    fs::write(kept.join("findings"), outcome.findings.lines().join("\n"))?;
    if let Some((cluster, name)) = database {
        cluster.dump(name, &kept.join("database.sql"))?;
    } else {
        // The directory may be a disk of its own that goes away with the round.
        let copied = Command::new("cp")
            .arg("-r")
            .arg(data)
            .arg(kept.join("data"))
            .status()?;
        anyhow::ensure!(copied.success(), "{} cannot be copied", data.display());
    }
    Ok(kept)
}
