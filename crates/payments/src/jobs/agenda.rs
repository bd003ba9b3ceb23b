//! The agenda's hands: takes what is due and carries it out, the oldest first, a few at a time.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use contract::id::{PaymentId, RefundId};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::processor_time;
use crate::collect::{self, Target};
use crate::model::agenda::as_of;
use crate::store::account;
use crate::store::agenda::{self, Due};
use crate::{Error, Platform};

/// How much is taken from the agenda at once.
const BATCH: i64 = 64;
/// How many processor calls run side by side: a backlog must not starve the guests who pay now.
const SIDE_BY_SIDE: usize = 8;
/// How often the agenda is looked at: due payments run within a second of their time.
const EVERY: Duration = Duration::from_millis(500);
/// How often processors are asked whether their time has brought something about, in looks at the
/// agenda: they close days and send payouts, and a few seconds later will do.
const LOOKS_A_STEP: u32 = 10;

/// Looks at the agenda until told to stop.
pub(crate) async fn run(platform: Arc<Platform>, stop: CancellationToken) {
    for look in (0..LOOKS_A_STEP).cycle() {
        let ran = if look == 0 {
            run_due(&platform).await
        } else {
            run_own(&platform).await
        };
        if let Err(error) = ran {
            tracing::warn!(%error, "the agenda could not be looked at");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// What stands on the agenda, whenever it is due.
type Item = (PaymentId, Option<RefundId>);

/// Carries out all that is due now, ours first, then the processors'; says how much that was.
pub(crate) async fn run_due(platform: &Arc<Platform>) -> Result<usize, Error> {
    Ok(run_own(platform).await? + processor_time::run_due(platform).await?)
}

async fn run_own(platform: &Arc<Platform>) -> Result<usize, Error> {
    let mut done = 0;
    let mut failed: HashSet<Item> = HashSet::new();
    loop {
        let wall = platform.clock.now();
        let limit = BATCH.saturating_add_unsigned(failed.len() as u64);
        let mut batch = platform
            .store
            .read(move |c| agenda::due(c, wall, limit))
            .await?;
        batch.retain(|due| !failed.contains(&due.item()));
        if batch.is_empty() {
            return Ok(done);
        }
        done += carry_out(platform, batch, &mut failed).await;
    }
}

/// Carries out a batch. What fails stays on the agenda, and must not keep others waiting.
async fn carry_out(platform: &Arc<Platform>, batch: Vec<Due>, failed: &mut HashSet<Item>) -> usize {
    failed.extend(batch.iter().map(Due::item));
    let mut waiting = batch.into_iter();
    let mut running = JoinSet::new();
    let mut done = 0;
    loop {
        while running.len() < SIDE_BY_SIDE
            && let Some(due) = waiting.next()
        {
            let one = one(Arc::clone(platform), due);
            running.spawn(async move { one.await.map(|()| due.item()) });
        }
        match running.join_next().await {
            None => return done,
            Some(Ok(Ok(item))) => {
                failed.remove(&item);
                done += 1;
            }
            Some(Ok(Err(error))) => {
                platform.metrics.agenda_failed();
                tracing::warn!(%error, "something due could not be done yet");
            }
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
    let present = account.business_time(platform.clock.now());
    let target = Target {
        account: due.account,
        reservation: due.reservation,
    };
    let at = as_of(due.at, present);
    collect::look_after(&platform, target, due.payment, due.refund, at).await
}
