//! Messages to one receiver: claimed in the database, sent a few side by side, and settled one by
//! one. Those about one reservation go in their order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::Duration;
use contract::id::WebhookId;
use contract::{ObjectId, Timestamp};
use store::{Lock, new_id, random_bytes};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::render;
use super::send::{Letter, Outcome};
use crate::model::webhook::{is_hopeless, wait_after};
use crate::store::delivery::{self, Attempt, Delivery, Next};
use crate::store::secret::{self, Sealed};
use crate::store::webhook::{self, Webhook};
use crate::{Error, Platform};

/// How much is claimed at once, and how many of it are sent side by side.
const BATCH: i64 = 32;
const SIDE_BY_SIDE: usize = 8;
/// For how long a claim holds; and how much of that must be left when something is sent, so that
/// nobody else can have claimed it before it is settled.
const CLAIMED_FOR: Duration = Duration::seconds(35);
const LEFT_TO_SEND: Duration = Duration::seconds(25);

/// What was claimed for a receiver.
struct Batch {
    platform: Arc<Platform>,
    webhook: Webhook,
    key: Zeroizing<Vec<u8>>,
    claimed_until: Timestamp,
    /// Whether something of it has not arrived: the rest waits for another turn then.
    has_failed: AtomicBool,
    stop: CancellationToken,
}

impl Batch {
    /// Whether what was not sent yet is to be left to another turn.
    fn is_over(&self, now: Timestamp) -> bool {
        now + LEFT_TO_SEND > self.claimed_until
            || self.has_failed.load(Ordering::Acquire)
            || self.stop.is_cancelled()
    }
}

/// Sends all that is due to a receiver; says how often something was sent.
pub(super) async fn all(
    platform: &Arc<Platform>,
    receiver: WebhookId,
    stop: &CancellationToken,
) -> Result<usize, Error> {
    let mut sent = 0;
    while !stop.is_cancelled()
        && let Some((batch, deliveries)) = claim(platform, receiver, stop).await?
    {
        sent += send_all(Arc::new(batch), deliveries).await?;
    }
    Ok(sent)
}

async fn claim(
    platform: &Arc<Platform>,
    receiver: WebhookId,
    stop: &CancellationToken,
) -> Result<Option<(Batch, Vec<Delivery>)>, Error> {
    let now = platform.clock.now();
    let claimed_until = now + CLAIMED_FOR;
    let _turn = platform.webhooks.database.acquire().await;
    let claimed: Option<(Webhook, Sealed, Vec<Delivery>)> = platform
        .store
        .write(Lock::none(), move |c| {
            let Some(webhook) = webhook::find(c, receiver)?.filter(|one| one.disabled.is_none())
            else {
                return Ok::<_, Error>(None);
            };
            // One that nothing arrives at is tried with one message at a time.
            let limit = if webhook.failing_since.is_some() {
                1
            } else {
                BATCH
            };
            let deliveries = delivery::claim(c, receiver, now, claimed_until, limit)?;
            if deliveries.is_empty() {
                return Ok(None);
            }
            let secret = secret::find(c, &webhook.secret_id)?;
            Ok(Some((webhook, secret, deliveries)))
        })
        .await?;
    let Some((webhook, secret, deliveries)) = claimed else {
        return Ok(None);
    };
    let batch = Batch {
        key: secret.open(&platform.vault)?,
        platform: Arc::clone(platform),
        webhook,
        claimed_until,
        has_failed: AtomicBool::new(false),
        stop: stop.clone(),
    };
    Ok(Some((batch, deliveries)))
}

async fn send_all(batch: Arc<Batch>, deliveries: Vec<Delivery>) -> Result<usize, Error> {
    let mut lanes: BTreeMap<ObjectId, Vec<Delivery>> = BTreeMap::new();
    let mut order = Vec::new();
    for delivery in deliveries {
        let message = &delivery.message;
        let about = message.reservation.map_or(message.subject, |id| id.0);
        if !lanes.contains_key(&about) {
            order.push(about);
        }
        lanes.entry(about).or_default().push(delivery);
    }
    let mut waiting = order.into_iter().filter_map(|about| lanes.remove(&about));
    let mut running = JoinSet::new();
    let (mut sent, mut failure) = (0, None);
    loop {
        while running.len() < SIDE_BY_SIDE
            && let Some(lane) = waiting.next()
        {
            running.spawn(in_order(Arc::clone(&batch), lane));
        }
        match running.join_next().await {
            None => return failure.map_or(Ok(sent), Err),
            Some(Ok(Ok(done))) => sent += done,
            // The others are on their way, and must be settled.
            Some(Ok(Err(error))) => failure = Some(error),
            Some(Err(error)) => tracing::error!(%error, "sending a message panicked"),
        }
    }
}

/// Sends messages one after the other, as long as they arrive.
async fn in_order(batch: Arc<Batch>, lane: Vec<Delivery>) -> Result<usize, Error> {
    let mut sent = 0;
    let mut waiting = lane.into_iter();
    while let Some(delivery) = waiting.next() {
        let now = batch.platform.clock.now();
        if batch.is_over(now) {
            let rest = std::iter::once(delivery).chain(waiting);
            let rest: Vec<ObjectId> = rest.map(|one| one.message.id).collect();
            release(&batch, rest, now).await?;
            return Ok(sent);
        }
        send(&batch, delivery).await?;
        sent += 1;
    }
    Ok(sent)
}

async fn release(batch: &Batch, rest: Vec<ObjectId>, now: Timestamp) -> Result<(), Error> {
    let (receiver, until) = (batch.webhook.id, batch.claimed_until);
    let _turn = batch.platform.webhooks.database.acquire().await;
    batch
        .platform
        .store
        .write(Lock::none(), move |c| {
            delivery::release(c, receiver, &rest, until, now)
        })
        .await
}

async fn send(batch: &Batch, delivery: Delivery) -> Result<(), Error> {
    let platform = &batch.platform;
    let message = delivery.message.id;
    let id = delivery.message.public_id();
    let written = body(batch, &delivery).await;
    let at = platform.clock.now();
    let outcome = match &written {
        Ok(body) => {
            let letter = Letter {
                url: &batch.webhook.url,
                key: &batch.key,
                id: &id,
                at,
                body,
            };
            platform.webhooks.sender.send(&letter).await
        }
        Err(error) => {
            tracing::error!(%error, message = id, "a message cannot be written");
            Outcome::not_sent("the message could not be written".to_owned())
        }
    };
    if !outcome.is_success() {
        batch.has_failed.store(true, Ordering::Release);
    }
    settle(batch, message, delivery.tries + 1, at, outcome).await
}

/// The message as it was first sent, or is now.
async fn body(batch: &Batch, delivery: &Delivery) -> Result<String, Error> {
    if let Some(body) = &delivery.message.body {
        return Ok(body.clone());
    }
    let store = &batch.platform.store;
    let message = delivery.message.clone();
    let id = message.id;
    let _turn = batch.platform.webhooks.database.acquire().await;
    let body = store.read(move |c| render::body(c, &message)).await?;
    store
        .write(Lock::none(), move |c| delivery::write_body(c, id, &body))
        .await
}

async fn settle(
    batch: &Batch,
    message: ObjectId,
    tries: i64,
    at: Timestamp,
    outcome: Outcome,
) -> Result<(), Error> {
    let receiver = batch.webhook.id;
    let now = batch.platform.clock.now();
    let has_arrived = outcome.is_success();
    let [jitter] = random_bytes();
    let next = match wait_after(tries, jitter) {
        _ if has_arrived => Next::Arrived,
        Some(wait) => Next::Again(now + wait),
        None => Next::GivenUp,
    };
    let attempt = Attempt {
        id: new_id(),
        webhook: receiver,
        message,
        at,
        latency_ms: i64::try_from(outcome.latency.as_millis()).unwrap_or(i64::MAX),
        status: outcome.status.map(i64::from),
        error: outcome.error,
        response: outcome.response,
    };
    let was_failing =
        batch.webhook.failing_since.is_some() || batch.has_failed.load(Ordering::Acquire);
    let _turn = batch.platform.webhooks.database.acquire().await;
    let is_given_up: bool = batch
        .platform
        .store
        .write(Lock::none(), move |c| {
            if !delivery::settle(c, &attempt, tries, next)? {
                return Ok::<_, Error>(false);
            }
            if has_arrived {
                if was_failing {
                    webhook::arrived(c, receiver)?;
                }
                return Ok(false);
            }
            let since = webhook::not_arrived(c, receiver, at)?;
            let is_given_up = since.is_some_and(|since| is_hopeless(since, now));
            if is_given_up {
                webhook::disable(c, receiver, now)?;
                delivery::give_up_all(c, receiver)?;
            }
            Ok(is_given_up)
        })
        .await?;
    if is_given_up {
        tracing::warn!(
            webhook = %receiver,
            account = %batch.webhook.account,
            "a webhook is disabled: nothing has arrived there for five days"
        );
    }
    Ok(())
}
