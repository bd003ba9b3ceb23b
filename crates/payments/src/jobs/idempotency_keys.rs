//! Forgetting idempotency keys whose time is over.

use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::{Platform, idempotency};

/// How often there is looked for them.
const EVERY: Duration = Duration::from_mins(10);

/// Forgets until told to stop.
pub(crate) async fn run(platform: &Platform, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = idempotency::prune(platform).await {
            tracing::warn!(%error, "idempotency keys whose time is over could not be forgotten");
        }
    }
}
