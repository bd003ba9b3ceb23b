//! Webhooks: messages are made of what happened, and sent to who subscribes.
//!
//! Everything that is to be done stands in the database, so that any number of servers share it and
//! a crash loses none of it. What may have been sent when a server died is sent again, under the
//! same id.

mod deliver;
mod dispatch;
mod render;
mod send;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::id::WebhookId;
use store::Lock;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use self::send::Sender;
use crate::store::{delivery, webhook};
use crate::{Error, Platform, Settings};

/// How often there is looked for what happened and what is due.
const EVERY: Duration = Duration::from_millis(250);
/// How often there is looked for messages whose time is over.
const PRUNED_EVERY: Duration = Duration::from_mins(10);
/// How many messages are taken away at once.
const PRUNED_AT_ONCE: i64 = 500;
/// How many receivers this server sends to side by side.
const RECEIVERS_MAX: usize = 512;
/// How many of their messengers may be at the database at once: payments must find connections.
const AT_THE_DATABASE: usize = 4;

/// What this server's messengers share.
pub(crate) struct Webhooks {
    sender: Sender,
    database: Semaphore,
    /// To whom something is on its way from this server.
    busy: Mutex<HashSet<WebhookId>>,
}

impl Webhooks {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            sender: Sender::new(settings.private_webhooks.clone()),
            database: Semaphore::new(AT_THE_DATABASE),
            busy: Mutex::default(),
        }
    }

    fn busy(&self) -> MutexGuard<'_, HashSet<WebhookId>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes messages and sends them until told to stop; what is under way is finished first.
pub(crate) async fn run(platform: &Arc<Platform>, stop: CancellationToken) {
    let mut messengers = JoinSet::new();
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pruned: Option<Instant> = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = ticks.tick() => {}
        }
        if let Err(error) = dispatch::all(platform).await {
            tracing::warn!(%error, "no messages could be made of what happened");
        }
        if let Err(error) = send_off(platform, &mut messengers, &stop).await {
            tracing::warn!(%error, "messages that are due could not be looked up");
        }
        while let Some(ended) = messengers.try_join_next() {
            log_end(ended);
        }
        if pruned.is_none_or(|at| at.elapsed() > PRUNED_EVERY) {
            pruned = Some(Instant::now());
            if let Err(error) = prune(platform).await {
                tracing::warn!(%error, "messages whose time is over could not be taken away");
            }
        }
    }
    while let Some(ended) = messengers.join_next().await {
        log_end(ended);
    }
}

/// Makes messages of all that happened, sends all that is due, and takes away what is old. Says how
/// often something was sent.
pub(crate) async fn run_once(platform: &Arc<Platform>) -> Result<usize, Error> {
    dispatch::all(platform).await?;
    let mut messengers = JoinSet::new();
    send_off(platform, &mut messengers, &CancellationToken::new()).await?;
    let mut sent = 0;
    while let Some(ended) = messengers.join_next().await {
        sent += log_end(ended);
    }
    prune(platform).await?;
    Ok(sent)
}

type Ended = Result<Result<usize, Error>, tokio::task::JoinError>;

fn log_end(ended: Ended) -> usize {
    match ended {
        Ok(Ok(sent)) => return sent,
        Ok(Err(error)) => tracing::warn!(%error, "messages could not be sent"),
        Err(error) => tracing::error!(%error, "a messenger panicked"),
    }
    0
}

/// Sends a messenger to each receiver to whom something is due and nobody is on the way. One never
/// waits for another.
async fn send_off(
    platform: &Arc<Platform>,
    messengers: &mut JoinSet<Result<usize, Error>>,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let now = platform.clock.now();
    let due = platform
        .store
        .read(move |c| webhook::with_due(c, now))
        .await?;
    for receiver in due {
        if messengers.len() >= RECEIVERS_MAX {
            break;
        }
        if platform.webhooks.busy().insert(receiver) {
            let on_the_way = OnTheWay(Arc::clone(platform), receiver);
            let stop = stop.clone();
            messengers.spawn(async move {
                let OnTheWay(platform, receiver) = &on_the_way;
                deliver::all(platform, *receiver, &stop).await
            });
        }
    }
    Ok(())
}

/// That a messenger is on its way; another may be sent when this is dropped.
struct OnTheWay(Arc<Platform>, WebhookId);

impl Drop for OnTheWay {
    fn drop(&mut self) {
        self.0.webhooks.busy().remove(&self.1);
    }
}

/// Takes away the messages that were sent, or given up, and are older than the settings keep them.
async fn prune(platform: &Arc<Platform>) -> Result<(), Error> {
    let days = i64::from(platform.settings.webhook_days.get());
    let before = platform.clock.now() - chrono::Duration::days(days);
    while platform
        .store
        .write(Lock::none(), move |c| {
            delivery::prune(c, before, PRUNED_AT_ONCE)
        })
        .await?
        > 0
    {}
    Ok(())
}
