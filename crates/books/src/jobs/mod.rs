//! Work that nobody waits for: reading again what the source told of, and sweeping for what it did
//! not tell.
//!
//! All that is to be done stands in the database, so that any number of processes share it and a
//! crash loses none of it.

mod clerk;
mod sweep;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use contract::id::ConnectionId;
use store::Lock;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::inbox::row;
use crate::{Books, Error, Pace};
use clerk::Desk;

/// How often there is looked for what other processes accepted, and for what is due again.
const EVERY: Duration = Duration::from_millis(250);
/// How often messages are forgotten, and how many at once.
const FORGOTTEN_EVERY: Duration = Duration::from_mins(10);
const FORGOTTEN_AT_ONCE: i64 = 500;

/// What can be set of the work in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobSettings {
    /// How much of the source's limits it may use.
    pub pace: Pace,
    /// How often each connection is swept.
    pub sweep_every: TimeDelta,
}

impl Default for JobSettings {
    fn default() -> Self {
        Self {
            pace: Pace::default(),
            sweep_every: TimeDelta::minutes(15),
        }
    }
}

impl Books {
    /// Reads what messages told of, at once, and sweeps each connection when it is due, until told
    /// to stop.
    pub async fn run_jobs(&self, stop: CancellationToken) {
        let jobs = Jobs::new(self, stop.clone());
        let mut work = JoinSet::new();
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut forgotten: Option<Instant> = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = ticks.tick() => {}
                () = self.inbox().bell.notified() => {}
            }
            log(jobs.send_off(&mut work).await);
            while let Some(ended) = work.try_join_next() {
                log_end(ended);
            }
            if forgotten.is_none_or(|at| at.elapsed() > FORGOTTEN_EVERY) {
                forgotten = Some(Instant::now());
                log(jobs.forget().await);
            }
        }
        while let Some(ended) = work.join_next().await {
            log_end(ended);
        }
    }

    /// Does what is due now, once, and waits for its end.
    pub async fn run_jobs_once(&self) -> Result<(), Error> {
        let jobs = Jobs::new(self, CancellationToken::new());
        let mut work = JoinSet::new();
        jobs.send_off(&mut work).await?;
        while let Some(ended) = work.join_next().await {
            log_end(ended);
        }
        jobs.forget().await
    }
}

/// The work of one process.
struct Jobs {
    books: Books,
    stop: CancellationToken,
    /// A desk for each connection; whoever works at it holds its lock.
    desks: Mutex<HashMap<ConnectionId, Arc<tokio::sync::Mutex<Desk>>>>,
}

impl Jobs {
    fn new(books: &Books, stop: CancellationToken) -> Self {
        Self {
            books: books.clone(),
            stop,
            desks: Mutex::default(),
        }
    }

    /// Begins what is due and not under way here.
    async fn send_off(&self, work: &mut JoinSet<Result<(), Error>>) -> Result<(), Error> {
        let now = self.books.clock().now();
        let store = self.books.store();
        for (id, saved_at) in store.read(move |c| row::waiting(c, now)).await? {
            let Ok(mut desk) = self.desk(id).try_lock_owned() else {
                continue;
            };
            desk.is_for(saved_at);
            if desk.is_open(now) {
                let (books, stop) = (self.books.clone(), self.stop.clone());
                work.spawn(async move { clerk::work(&books, id, &mut desk, &stop).await });
            }
        }
        for id in sweep::claim(&self.books, now).await? {
            let (books, stop) = (self.books.clone(), self.stop.clone());
            work.spawn(async move {
                tokio::select! {
                    // The next process goes on where this one was.
                    () = stop.cancelled() => Ok(()),
                    ended = sweep::run(&books, id) => ended,
                }
            });
        }
        Ok(())
    }

    fn desk(&self, id: ConnectionId) -> Arc<tokio::sync::Mutex<Desk>> {
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(desks.entry(id).or_default())
    }

    /// Forgets messages that will not come again.
    async fn forget(&self) -> Result<(), Error> {
        let before = self.books.clock().now() - row::REMEMBERED;
        let store = self.books.store();
        let some = move |c: &mut store::Connection| row::forget(c, before, FORGOTTEN_AT_ONCE);
        while store.write(Lock::none(), some).await? > 0 {}
        Ok(())
    }
}

fn log(done: Result<(), Error>) {
    if let Err(error) = done {
        tracing::warn!(%error, "work in the background could not be done");
    }
}

fn log_end(ended: Result<Result<(), Error>, tokio::task::JoinError>) {
    match ended {
        Ok(done) => log(done),
        Err(error) => tracing::error!(%error, "work in the background broke off"),
    }
}
