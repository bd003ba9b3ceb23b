//! One run at a time: the right to run over a connection, in whichever process.
//!
//! The right is the run's own row. It is renewed with each commit, and every so often while nothing
//! is committed; a run that was killed is out of the way after a minute. A run that only seemed dead
//! can commit nothing any more once another has taken its place.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use contract::id::ConnectionId;
use contract::{ObjectId, Timestamp};
use diesel::prelude::*;
use store::{Clock, Connection, Lock, Store, both, new_id, update_prepared};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Summary;
use super::record::{Plan, Row, under_way};
use super::stop::is_asked;
use crate::Error;
use crate::evidence::Chain;
use crate::schema::sync_run;

const LEASE: TimeDelta = TimeDelta::minutes(1);
/// Well before its end, so that one failed renewal does not lose it.
const RENEWAL: Duration = Duration::from_secs(20);
/// How often a run looks whether it is to end.
const LOOK: Duration = Duration::from_millis(250);
/// How long runs are kept on record.
const KEPT: TimeDelta = TimeDelta::days(90);

/// The right to run, until it is dropped.
pub(super) struct Lease {
    run: RunId,
    store: Store,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    tending: JoinHandle<()>,
    is_over: bool,
}

/// Which run it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunId {
    id: ObjectId,
    chain: ConnectionId,
}

impl Lease {
    /// Begins a run, if no other is alive. The token is cancelled once somebody asks it to end.
    pub(super) async fn take(
        chain: &Chain,
        clock: &Arc<dyn Clock>,
        plan: Plan,
        stop: CancellationToken,
    ) -> Result<Self, Error> {
        let run = RunId {
            id: new_id(),
            chain: chain.id,
        };
        let now = clock.now();
        let begin = move |c: &mut Connection| run.begin(c, &plan, now);
        chain.store.write(chain.lock(), begin).await?;
        let (store, clock) = (chain.store.clone(), Arc::clone(clock));
        let tending = {
            let (store, clock, stop) = (store.clone(), Arc::clone(&clock), stop.clone());
            tokio::spawn(async move {
                tokio::join!(renew(run, &store, clock), watch(run, &store, stop));
            })
        };
        Ok(Self {
            run,
            store,
            clock,
            stop,
            tending,
            is_over: false,
        })
    }

    pub(super) fn run(&self) -> RunId {
        self.run
    }

    /// Cancelled once the run is to end.
    pub(super) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Ends the run, with what came of it.
    pub(super) async fn end(mut self, summary: &Summary) -> Result<(), Error> {
        self.is_over = true;
        let text = serde_json::to_string(summary).map_err(std::io::Error::from)?;
        end(self.run, &self.store, self.clock.now(), Some(text)).await
    }
}

impl Drop for Lease {
    /// A run that is cut short makes room at once, where there is somebody left to do it.
    fn drop(&mut self) {
        self.tending.abort();
        let (run, store, now) = (self.run, self.store.clone(), self.clock.now());
        if let (false, Ok(runtime)) = (self.is_over, Handle::try_current()) {
            runtime.spawn(async move {
                if let Err(error) = end(run, &store, now, None).await {
                    tracing::warn!(%error, "a run that was cut short stays on record for a minute");
                }
            });
        }
    }
}

async fn renew(run: RunId, store: &Store, clock: Arc<dyn Clock>) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        let now = clock.now();
        let renewed = store.write(Lock::none(), move |c| run.hold(c, now)).await;
        if let Err(error) = renewed {
            tracing::warn!(%error, "the lease on a sync was not renewed");
        }
    }
}

async fn watch(run: RunId, store: &Store, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::time::sleep(LOOK).await;
        match store.read(move |c| is_asked(c, run.id)).await {
            Ok(true) => stop.cancel(),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "whether a sync is to end could not be seen"),
        }
    }
}

async fn end(
    run: RunId,
    store: &Store,
    now: Timestamp,
    summary: Option<String>,
) -> Result<(), Error> {
    let ended = store.write(Lock::none(), move |c| {
        let ours = sync_run::table
            .find(run.id)
            .filter(sync_run::ended_ms.is_null());
        let end = (sync_run::ended_ms.eq(now), sync_run::summary.eq(&summary));
        Ok::<_, Error>(both!(c, c => diesel::update(ours).set(end).execute(c))?)
    });
    match ended.await? {
        0 => Err(Error::SyncTakenOver(run.chain)),
        _ => Ok(()),
    }
}

impl RunId {
    pub(super) fn chain(self) -> ConnectionId {
        self.chain
    }

    /// Inside a transaction that holds the chain's lock.
    fn begin(self, c: &mut Connection, plan: &Plan, now: Timestamp) -> Result<(), Error> {
        if let Some(other) = under_way(c, self.chain)? {
            if now < other.until_ms {
                return Err(Error::SyncUnderWay {
                    connection: self.chain,
                    since: other.began_ms,
                });
            }
            let dead = sync_run::table.find(other.id);
            let end = sync_run::ended_ms.eq(other.until_ms);
            both!(c, c => diesel::update(dead).set(end).execute(c))?;
        }
        let old = sync_run::table
            .filter(sync_run::chain_id.eq(self.chain.as_str()))
            .filter(sync_run::began_ms.lt(now - KEPT));
        both!(c, c => diesel::delete(old).execute(c))?;
        let row = Row::new(self.id, self.chain, plan, now, now + LEASE);
        both!(c, c => diesel::insert_into(sync_run::table).values(&row).execute(c))?;
        Ok(())
    }

    /// Makes sure inside a transaction that the right is still this run's, and renews it.
    pub(super) fn hold(self, c: &mut Connection, now: Timestamp) -> Result<(), Error> {
        let ours = sync_run::table
            .filter(sync_run::id.eq(self.id))
            .filter(sync_run::ended_ms.is_null());
        let until = sync_run::until_ms.eq(now + LEASE);
        match update_prepared!(c, ours, until)? {
            0 => Err(Error::SyncTakenOver(self.chain)),
            _ => Ok(()),
        }
    }
}
