//! The agenda's hands: takes what is due and carries it out, the oldest first, a few at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::collect::{self, Target};
use crate::store::account;
use crate::store::agenda::{self, Due};
use crate::{Error, Platform};

/// How much is taken from the agenda at once.
const BATCH: i64 = 64;
/// How many processor calls run side by side: a backlog must not starve the guests who pay now.
const SIDE_BY_SIDE: usize = 8;
/// How often the agenda is looked at: due payments run within a second of their time.
const EVERY: Duration = Duration::from_millis(500);

/// Looks at the agenda until told to stop.
pub(crate) async fn run(platform: Arc<Platform>, stop: CancellationToken) {
    loop {
        if let Err(error) = run_due(&platform).await {
            tracing::warn!(%error, "the agenda could not be looked at");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Carries out all that is due now; says how much that was.
pub(crate) async fn run_due(platform: &Arc<Platform>) -> Result<usize, Error> {
    let mut done = 0;
    loop {
        let wall = platform.clock.now();
        let batch = platform
            .store
            .read(move |c| agenda::due(c, wall, BATCH))
            .await?;
        if batch.is_empty() {
            return Ok(done);
        }
        let carried_out = carry_out(platform, batch).await;
        if carried_out == 0 {
            return Ok(done);
        }
        done += carried_out;
    }
}

/// Carries out a batch; what fails stays on the agenda.
async fn carry_out(platform: &Arc<Platform>, batch: Vec<Due>) -> usize {
    let mut waiting = batch.into_iter();
    let mut running = JoinSet::new();
    let mut done = 0;
    loop {
        while running.len() < SIDE_BY_SIDE
            && let Some(due) = waiting.next()
        {
            running.spawn(one(Arc::clone(platform), due));
        }
        match running.join_next().await {
            None => return done,
            Some(Ok(Ok(()))) => done += 1,
            Some(Ok(Err(error))) => tracing::warn!(%error, "something due could not be done yet"),
            Some(Err(error)) => tracing::error!(%error, "something due panicked"),
        }
    }
}

async fn one(platform: Arc<Platform>, due: Due) -> Result<(), Error> {
    let account = due.account;
    let found = platform
        .store
        .read(move |c| account::find(c, account))
        .await?;
    let account =
        found.ok_or_else(|| Error::Corrupt(format!("account {} is gone", due.account)))?;
    // Late work is done at the present instant: nothing is charged in the past.
    let now = account.business_time(platform.clock.now());
    let target = Target {
        account: due.account,
        reservation: due.reservation,
    };
    collect::look_after(&platform, target, due.payment, due.refund, now).await
}
