//! `cargo xtask torture`: faults under load, and the proof that nothing was lost and nothing done
//! twice. It runs the real program, asks it over HTTP, kills it and breaks what it stands on; then
//! it compares books of its own with all that the platform and the processor show.

mod audit;
mod books;
mod chance;
mod fault;
mod findings;
mod line;
mod load;
mod minor;
mod nodes;
mod processor;
mod receiver;
mod recovery;
mod report;
mod round;
mod state;
mod world;

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail, ensure};
use clap::ValueEnum;
use tokio::sync::Semaphore;
use xshell::{Shell, cmd};

use crate::postgres::{Cluster, Options};
use crate::test::Engine;
use fault::Fault;
use report::Report;
use round::{Plan, Shop};

const EXAMPLES: &str = "\
Examples:
    cargo xtask torture                               50 rounds of kill -9, and all other faults
    cargo xtask torture --rounds 6 --engine sqlite
    cargo xtask torture --only disk-full --rounds 3   one fault alone
    cargo xtask torture --short                       each fault once, in a minute
    cargo xtask torture --only kill --rounds 1 --seed 1234 --engine postgres

Rounds go on side by side, each with a database and servers of its own. A round in which something is
wrong names its seed, which brings about the same plan again, and keeps its database.";

/// What to break, and how often.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// How many rounds of kill -9, on the engines in turn; every second on PostgreSQL with two
    /// servers. The other faults have one round on each engine that they concern.
    #[arg(long, default_value_t = 50)]
    rounds: u64,
    /// The database engines to run on.
    #[arg(long, value_enum, default_value_t = Engine::Both)]
    engine: Engine,
    /// What chance begins with; the rounds have this seed and those after it [default: the time].
    #[arg(long)]
    seed: Option<u64>,
    /// This fault alone, in so many rounds.
    #[arg(long, value_enum, value_name = "FAULT")]
    only: Option<Fault>,
    /// How many rounds are under load at once [default: one for each core]. Others wait meanwhile for
    /// theirs to come to rest.
    #[arg(long)]
    jobs: Option<NonZero<usize>>,
    /// Runs the program as developers build it, instead of the release.
    #[arg(long)]
    dev: bool,
    /// The short version, as `cargo xtask test` runs it: with the program as it was last built.
    #[arg(long, conflicts_with_all = ["rounds", "seed", "only", "jobs", "dev"])]
    short: bool,
}

/// Breaks things, and says what came of it.
pub(crate) fn run(args: &Args) -> Result<()> {
    if args.short {
        return run_short(args.engine);
    }
    let seed = args.seed.unwrap_or_else(now);
    let plans = match args.only {
        Some(fault) => only(fault, args.rounds, args.engine, seed)?,
        None => everything(args.rounds, args.engine, seed),
    };
    let cores = thread::available_parallelism()?;
    let jobs = args.jobs.unwrap_or(cores);
    let (binary, target) = build(args.dev)?;
    carry_out(&plans, jobs, &binary, &target, Options { durable: true })
}

/// The short version, which is one of the tests: on each engine three kills, and each fault after
/// which less than a minute is waited. No commit of PostgreSQL's waits for the disk, unless
/// PostgreSQL itself is stopped. It takes the program that the tests were built with.
pub(crate) fn run_short(engine: Engine) -> Result<()> {
    const SEED: u64 = 1;
    let kills = if engine == Engine::Both { 6 } else { 3 };
    let mut plans = everything(kills, engine, SEED);
    plans.retain(|plan| !plan.fault.is_long());
    // Where a database is locked or full, the load stands still, and others can use the time.
    let jobs = thread::available_parallelism()?.saturating_add(2);
    let target = Shell::new()?.current_dir().join("target");
    let binary = target.join("debug/nightaudit");
    carry_out(&plans, jobs, &binary, &target, Options { durable: false })
}

fn carry_out(
    plans: &[Plan],
    jobs: NonZero<usize>,
    binary: &Path,
    target: &Path,
    cluster: Options,
) -> Result<()> {
    let began = Instant::now();
    ensure!(binary.is_file(), "{} is missing", binary.display());
    let disk = std::path::absolute(target.join("torture"))?;
    std::fs::create_dir_all(&disk)?;
    let faults: Vec<Fault> = plans.iter().map(|plan| plan.fault).collect();
    fault::install_missing(&faults, plans.iter().any(|plan| !plan.on_postgres));
    let cluster = plans
        .iter()
        .any(|plan| plan.on_postgres)
        .then(|| Cluster::start(cluster))
        .transpose()?;
    let shop = Shop {
        binary,
        disk: &disk,
        cluster: cluster.as_ref(),
        turns: Semaphore::new(jobs.get()),
    };
    let report = Report::new(plans)?;
    let report = Mutex::new(report);
    thread::scope(|scope| {
        for plan in plans {
            let (shop, report) = (&shop, &report);
            scope.spawn(move || {
                let outcome = round::run(*plan, shop);
                let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
                report.add(*plan, outcome);
            });
        }
    });
    let report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    let is_clean = report.finish(began.elapsed())?;
    if !is_clean {
        bail!("something is wrong: each round that is named above kept its database");
    }
    Ok(())
}

/// So many rounds of one fault.
fn only(fault: Fault, rounds: u64, engine: Engine, seed: u64) -> Result<Vec<Plan>> {
    let engines: Vec<bool> = engines(engine).filter(|on| fault.concerns(*on)).collect();
    ensure!(
        !engines.is_empty(),
        "{} is nothing that can happen on this engine",
        fault.name()
    );
    let plan = |(number, on_postgres): (u64, &bool)| Plan {
        fault,
        on_postgres: *on_postgres,
        seed: seed.wrapping_add(number),
    };
    Ok((0..rounds).zip(engines.iter().cycle()).map(plan).collect())
}

/// So many rounds of kills, and the other faults once on each engine. What comes to rest last goes
/// first.
fn everything(rounds: u64, engine: Engine, seed: u64) -> Vec<Plan> {
    let engines: Vec<bool> = engines(engine).collect();
    let kills = (0..rounds)
        .zip(engines.iter().cycle())
        .map(|(number, on_postgres)| {
            let turn = number / engines.len() as u64;
            let has_two = *on_postgres && turn.is_multiple_of(2);
            let fault = if has_two {
                Fault::KillOneOfTwo
            } else {
                Fault::Kill
            };
            (fault, *on_postgres)
        });
    let faults = Fault::value_variants().iter().copied();
    let others = faults.filter(|fault| !fault.is_kill()).flat_map(|fault| {
        let engines = engines.iter().copied();
        let engines = engines.filter(move |on_postgres| fault.concerns(*on_postgres));
        engines.map(move |on_postgres| (fault, on_postgres))
    });
    let mut all: Vec<(Fault, bool)> = kills.chain(others).collect();
    all.sort_by_key(|(fault, _)| fault.rests_early());
    let plan = |((fault, on_postgres), seed)| Plan {
        fault,
        on_postgres,
        seed,
    };
    all.into_iter().zip(seed..).map(plan).collect()
}

/// Whether each of the engines is PostgreSQL.
fn engines(engine: Engine) -> impl Iterator<Item = bool> {
    [false, true]
        .into_iter()
        .filter(move |on_postgres| match engine {
            Engine::Sqlite => !on_postgres,
            Engine::Postgres => *on_postgres,
            Engine::Both => true,
        })
}

/// Builds the program; says where it is, and where cargo puts everything.
fn build(is_dev: bool) -> Result<(PathBuf, PathBuf)> {
    let sh = Shell::new()?;
    let (flag, folder) = if is_dev {
        (None, "debug")
    } else {
        (Some("--release"), "release")
    };
    cmd!(sh, "cargo build {flag...} --package nightaudit").run()?;
    let target = sh.current_dir().join("target");
    Ok((target.join(folder).join("nightaudit"), target))
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
