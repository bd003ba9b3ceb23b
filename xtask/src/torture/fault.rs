//! The faults, and how each is brought about while the load goes on.

mod disk;
mod lock;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::ValueEnum;
use hyper::Method;
use serde_json::json;
use tokio::time::sleep;

use self::disk::Disk;
use self::lock::LockHolder;
use super::chance::Chance;
use super::load::Load;
use super::nodes::{Manner, Nodes};
use super::processor;
use super::world::World;
use crate::apt;
use crate::postgres::Cluster;

/// For how long the processor's database is locked. It waits for ten seconds.
const LOCKED_FOR: Duration = Duration::from_secs(12);

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Fault {
    /// The server is killed at random moments, and started again.
    Kill,
    /// Of two servers on one database, one is killed after the other.
    KillOneOfTwo,
    /// The server is killed while it advances business time.
    KillInAdvance,
    /// The processor has done what it was asked, and its answer is lost.
    AnswerLost,
    /// The processor does nothing and does not answer, or not so that it can be read.
    NoAnswer,
    /// The processor says that it cannot serve.
    Unavailable,
    /// Business time is moved ahead while payments are under way.
    BusinessClock,
    /// The machine's clock jumps to and fro.
    WallClock,
    /// Another process holds SQLite's write lock for longer than it is waited for.
    DatabaseLocked,
    /// The disk is full for a while.
    DiskFull,
    /// All connections to PostgreSQL are cut, again and again.
    ConnectionsCut,
    /// PostgreSQL is stopped at once, and started again.
    DatabaseStopped,
}

/// Cards that do as they are asked or are declined, which is an answer too. That whose answers are
/// lost is among them: it is found again by its key.
const USUAL: [&str; 5] = [
    "pm_card_visa",
    "pm_card_mastercard",
    "pm_card_amex",
    "pm_card_chargeDeclined",
    "pm_card_noAnswer",
];

impl Fault {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill -9",
            Self::KillOneOfTwo => "kill -9, one of two servers",
            Self::KillInAdvance => "kill -9 while business time is advanced",
            Self::AnswerLost => "processor: done, answer lost",
            Self::NoAnswer => "processor: not done, no answer that can be read",
            Self::Unavailable => "processor: unavailable",
            Self::BusinessClock => "business clock jumps",
            Self::WallClock => "wall clock jumps",
            Self::DatabaseLocked => "database locked",
            Self::DiskFull => "disk full",
            Self::ConnectionsCut => "connections to the database cut",
            Self::DatabaseStopped => "database server stopped and started",
        }
    }

    pub(super) fn is_kill(self) -> bool {
        matches!(self, Self::Kill | Self::KillOneOfTwo)
    }

    /// Whether it takes more than a minute to come to rest: an advance that died is waited for.
    pub(super) fn is_long(self) -> bool {
        self == Self::KillInAdvance
    }

    /// In which order rounds begin: those first that stand still for a while, then those
    /// after which messages are waited for that a dead server had taken.
    pub(super) fn rests_early(self) -> u8 {
        match self {
            Self::KillInAdvance | Self::DatabaseLocked | Self::DatabaseStopped => 0,
            Self::Kill | Self::KillOneOfTwo | Self::DiskFull => 1,
            _ => 2,
        }
    }

    /// Whether it can happen with this engine at all.
    pub(super) fn concerns(self, on_postgres: bool) -> bool {
        match self {
            Self::DatabaseLocked | Self::DiskFull => !on_postgres,
            Self::KillOneOfTwo | Self::ConnectionsCut | Self::DatabaseStopped => on_postgres,
            _ => true,
        }
    }

    pub(super) fn servers(self) -> usize {
        if self == Self::KillOneOfTwo { 2 } else { 1 }
    }

    /// Whether PostgreSQL itself is stopped: then others must not use it.
    pub(super) fn needs_own_cluster(self) -> bool {
        self == Self::DatabaseStopped
    }

    pub(super) fn cards(self) -> &'static [&'static str] {
        match self {
            Self::AnswerLost => &["pm_card_noAnswer", "pm_card_pendingRefund"],
            Self::NoAnswer => &["pm_card_noAnswerNotExecuted", "pm_card_visa"],
            Self::Unavailable => &["pm_card_processorUnavailable", "pm_card_visa"],
            _ => &USUAL,
        }
    }
}

/// Installs what is missing of the programs that rounds need, where that is possible. What cannot be
/// done without them is skipped, and said so.
pub(super) fn install_missing(faults: &[Fault], on_sqlite: bool) {
    let mut missing = Vec::new();
    if faults.contains(&Fault::WallClock) && find_libfaketime().is_none() {
        missing.push("libfaketime");
    }
    if on_sqlite && !processor::has_sqlite3() {
        missing.push("sqlite3");
    }
    if missing.is_empty() {
        return;
    }
    if let Err(error) = apt::install(&missing) {
        eprintln!("xtask: cannot install {}: {error:#}", missing.join(", "));
    }
    if on_sqlite && !processor::has_sqlite3() {
        eprintln!("xtask: skipped without sqlite3: the processor's own books on SQLite");
    }
}

/// What a fault needs around it, ready.
pub(super) struct Means<'a> {
    fault: Fault,
    disk: Option<Disk>,
    clock: Option<PathBuf>,
    pub(super) database: Option<(&'a Cluster, &'a str)>,
    pub(super) manner: Manner,
}

/// Means, or why there are none on this machine.
pub(super) enum Found<'a> {
    Means(Means<'a>),
    Missing(String),
}

impl<'a> Means<'a> {
    pub(super) fn find(
        fault: Fault,
        place: &Path,
        data: &Path,
        database: Option<(&'a Cluster, &'a str)>,
    ) -> Result<Found<'a>> {
        let mut means = Self {
            fault,
            disk: None,
            clock: None,
            database,
            manner: Manner::default(),
        };
        match fault {
            Fault::DiskFull => {
                let disk = Disk::small(data)?;
                means.manner.file_kib_max = disk.file_kib_max();
                means.disk = Some(disk);
            }
            Fault::WallClock => {
                let Some(library) = find_libfaketime() else {
                    let what = "libfaketime is not installed (apt-get install libfaketime)";
                    return Ok(Found::Missing(what.to_owned()));
                };
                let clock = place.join("clock");
                set(&clock, "+0s")?;
                means.manner.variables = vec![
                    ("LD_PRELOAD", library.display().to_string()),
                    ("FAKETIME_TIMESTAMP_FILE", clock.display().to_string()),
                    ("FAKETIME_NO_CACHE", "1".to_owned()),
                    // What waits, waits as long as before: only the hands of the clock are moved.
                    ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
                ];
                means.clock = Some(clock);
            }
            Fault::DatabaseLocked if !processor::has_sqlite3() => {
                return Ok(Found::Missing("there is no sqlite3 program".to_owned()));
            }
            _ => {}
        }
        Ok(Found::Means(means))
    }

    /// Brings the fault about while the load goes on, and ends it.
    pub(super) async fn strike(
        &mut self,
        nodes: &mut Nodes,
        world: &World,
        load: &Load,
        chance: &mut Chance,
    ) -> Result<()> {
        load.go_on_for(20).await?;
        match self.fault {
            Fault::Kill => {
                for _ in 0..=chance.below(3) {
                    kill(nodes, 0, load, chance).await?;
                    nodes.start(0).await?;
                }
                // The last time, nobody asks for anything more.
                kill(nodes, 0, load, chance).await?;
                load.stop();
                nodes.start(0).await?;
            }
            Fault::KillOneOfTwo => {
                for _ in 0..=chance.below(3) {
                    let victim = usize::try_from(chance.below(2))?;
                    kill(nodes, victim, load, chance).await?;
                    load.go_on_for(20).await?;
                    nodes.start(victim).await?;
                }
            }
            Fault::KillInAdvance => kill_in_advance(nodes, world, load, chance).await?,
            // Each of these attempts is sent again and again, for a day of business time.
            Fault::NoAnswer => load.go_on_for(20).await?,
            Fault::AnswerLost | Fault::Unavailable => load.go_on_for(80).await?,
            Fault::BusinessClock => jump_business_clock(world, load, chance).await?,
            Fault::WallClock => self.jump_wall_clock(load).await?,
            Fault::DatabaseLocked => lock_databases(&nodes.data(), load).await?,
            Fault::DiskFull => self.fill_disk(nodes, load).await?,
            Fault::ConnectionsCut => self.cut_connections(load, chance).await?,
            Fault::DatabaseStopped => self.stop_database(load).await?,
        }
        Ok(())
    }

    async fn jump_wall_clock(&self, load: &Load) -> Result<()> {
        let clock = self.clock.as_ref().context("no clock to set")?;
        // In the end it stands where it has never been: what was planned while it was ahead is due.
        for offset in ["+3600s", "-1800s", "+0s", "+93600s"] {
            set(clock, offset)?;
            load.go_on_for(40).await?;
        }
        Ok(())
    }

    async fn fill_disk(&mut self, nodes: &Nodes, load: &Load) -> Result<()> {
        const ENOUGH: usize = 10;
        let before = load.books().unavailable;
        load.wait(|books| books.unavailable >= before + ENOUGH)
            .await?;
        let disk = self.disk.as_mut().context("no disk to enlarge")?;
        disk.enlarge(nodes.process())?;
        load.go_on_for(60).await
    }

    async fn cut_connections(&self, load: &Load, chance: &mut Chance) -> Result<()> {
        let (cluster, database) = self.database.context("no PostgreSQL")?;
        for _ in 0..6 {
            load.go_on_for(20).await?;
            sleep(Duration::from_micros(chance.below(20_000))).await;
            cluster.sql(
                database,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )?;
        }
        load.go_on_for(40).await
    }

    async fn stop_database(&self, load: &Load) -> Result<()> {
        let (cluster, _) = self.database.context("no PostgreSQL")?;
        load.go_on_for(60).await?;
        cluster.stop_at_once()?;
        let before = load.books().unavailable;
        load.wait(|books| books.unavailable >= before + 10).await?;
        cluster.start_again()?;
        load.go_on_for(60).await
    }
}

/// Kills a server at a random moment.
async fn kill(nodes: &mut Nodes, number: usize, load: &Load, chance: &mut Chance) -> Result<()> {
    load.go_on_for(usize::try_from(20 + chance.below(80))?)
        .await?;
    sleep(Duration::from_micros(chance.below(20_000))).await;
    nodes.kill(number).await
}

async fn kill_in_advance(
    nodes: &mut Nodes,
    world: &World,
    load: &Load,
    chance: &mut Chance,
) -> Result<()> {
    let order = json!({ "by": "12h" });
    let mut line = world.line(0);
    let advance = line.ask(Method::POST, "/sandbox/advance", Some(&order));
    // It goes on until the server dies, or is done a little before.
    let (_, killed) = tokio::join!(advance, kill(nodes, 0, load, chance));
    killed?;
    nodes.start(0).await?;
    load.go_on_for(20).await
}

async fn jump_business_clock(world: &World, load: &Load, chance: &mut Chance) -> Result<()> {
    for _ in 0..4 {
        load.go_on_for(20).await?;
        let by = chance.pick(&["1s", "30s", "3m", "2h", "12h"]).copied();
        let order = json!({ "by": by.unwrap_or("1s") });
        let mut line = world.line(0);
        tokio::select! {
            _ = line.ask(Method::POST, "/sandbox/advance", Some(&order)) => {}
            // Whoever waits too long for it goes away, and another goes on from there.
            waited = load.go_on_for(100) => waited?,
        }
    }
    load.go_on_for(20).await
}

async fn lock_databases(data: &Path, load: &Load) -> Result<()> {
    let before = load.books().unavailable;
    let holder = LockHolder::take(&data.join("payments.db"))?;
    load.wait(|books| books.unavailable > before).await?;
    drop(holder);
    load.go_on_for(40).await?;
    // To the platform, this is a processor that does not answer.
    let holder = LockHolder::take(&data.join("sandbox.db"))?;
    let began = Instant::now();
    load.wait(|_| began.elapsed() > LOCKED_FOR).await?;
    drop(holder);
    load.go_on_for(40).await
}

fn set(clock: &Path, offset: &str) -> Result<()> {
    // Whoever reads it meanwhile must read one or the other.
    let new = clock.with_extension("new");
    std::fs::write(&new, format!("{offset}\n"))?;
    std::fs::rename(&new, clock)?;
    Ok(())
}

fn find_libfaketime() -> Option<PathBuf> {
    let libraries = std::fs::read_dir("/usr/lib").ok()?.flatten();
    let mut candidates: Vec<PathBuf> = libraries.map(|entry| entry.path()).collect();
    candidates.extend(["/usr/lib".into(), "/usr/local/lib".into()]);
    candidates
        .into_iter()
        .map(|directory| directory.join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.is_file())
}
