//! From what happened to messages: each event becomes one message for each of its names that
//! somebody subscribes to, in the transaction that takes the event away. So there is exactly one,
//! whoever dies when.

use std::collections::HashSet;
use std::sync::Arc;

use contract::id::{AccountId, WebhookId};
use contract::{ObjectId, Timestamp};
use serde::Deserialize;
use store::{Connection, Lock, new_id};

use super::render;
use crate::model::webhook::{FOLIO_UPDATED, GATHERED_FOR, names_of};
use crate::store::delivery::{self, Message};
use crate::store::event::{self, Waiting};
use crate::store::webhook::{self, Webhook};
use crate::{Error, Platform};

/// How many events are taken at once: what is read for them, is read on the caller's thread.
const BATCH: i64 = 64;

/// A message with who subscribes to it.
struct Addressed {
    message: Message,
    to: Vec<WebhookId>,
}

/// An event with all that follows from it.
struct Dispatched {
    event: ObjectId,
    messages: Vec<Addressed>,
}

/// Makes messages of all events that wait.
pub(super) async fn all(platform: &Arc<Platform>) -> Result<(), Error> {
    while batch(platform).await? {}
    Ok(())
}

/// Makes messages of the events that have waited longest; says whether there may be more.
async fn batch(platform: &Arc<Platform>) -> Result<bool, Error> {
    let now = platform.clock.now();
    let dispatched = platform.store.read(move |c| prepare(c, now)).await?;
    if dispatched.is_empty() {
        return Ok(false);
    }
    platform
        .store
        .write(Lock::none(), move |c| keep(c, &dispatched, now))
        .await?;
    Ok(true)
}

/// Writes the messages of the events that have waited longest.
fn prepare(connection: &mut Connection, now: Timestamp) -> Result<Vec<Dispatched>, Error> {
    let waiting = event::waiting(connection, BATCH)?;
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    let accounts: HashSet<AccountId> = waiting.iter().map(|event| event.account).collect();
    let webhooks = webhook::enabled_of(connection, &accounts)?;
    let mut dispatched = Vec::with_capacity(waiting.len());
    for event in waiting {
        let mut messages = Vec::new();
        for name in names_of(&event.kind, &changes(&event)) {
            let to = subscribers(&webhooks, event.account, name);
            if !to.is_empty() {
                let message = write(connection, &event, name, now);
                messages.push(Addressed { message, to });
            }
        }
        let event = event.id;
        dispatched.push(Dispatched { event, messages });
    }
    Ok(dispatched)
}

/// What of a reservation changed, as its event says.
fn changes(event: &Waiting) -> Vec<String> {
    #[derive(Deserialize)]
    struct Changes {
        #[serde(default)]
        changes: Vec<String>,
    }
    serde_json::from_str(&event.body).map_or_else(|_| Vec::new(), |body: Changes| body.changes)
}

fn subscribers(webhooks: &[Webhook], account: AccountId, name: &str) -> Vec<WebhookId> {
    webhooks
        .iter()
        .filter(|webhook| webhook.account == account && webhook.wants(name))
        .map(|webhook| webhook.id)
        .collect()
}

fn write(connection: &mut Connection, event: &Waiting, name: &str, now: Timestamp) -> Message {
    let mut message = Message {
        id: new_id(),
        account: event.account,
        event: name.to_owned(),
        event_id: event.id,
        reservation: event.reservation,
        subject: event.subject,
        facts: event.body.clone(),
        body: None,
        is_open: name == FOLIO_UPDATED && event.reservation.is_some(),
        created: now,
    };
    if !message.is_open {
        // What cannot be written now is tried again when it is sent, and must not hold up others.
        message.body = render::body(connection, &message)
            .inspect_err(
                |error| tracing::error!(%error, event = name, "a message cannot be written"),
            )
            .ok();
    }
    message
}

/// Keeps the messages of those events that nobody else has taken meanwhile.
fn keep(
    connection: &mut Connection,
    dispatched: &[Dispatched],
    now: Timestamp,
) -> Result<(), Error> {
    let events: Vec<ObjectId> = dispatched.iter().map(|one| one.event).collect();
    let ours = event::take(connection, &events)?;
    let messages = dispatched.iter().filter(|one| ours.contains(&one.event));
    let messages: Vec<&Addressed> = messages.flat_map(|one| &one.messages).collect();
    if messages.is_empty() {
        return Ok(());
    }
    let receivers: HashSet<WebhookId> = messages.iter().flat_map(|one| one.to.clone()).collect();
    let receivers: Vec<WebhookId> = receivers.into_iter().collect();
    let receivers = webhook::keep_enabled(connection, &receivers)?;
    for Addressed { message, to } in messages {
        let to: Vec<WebhookId> = to
            .iter()
            .copied()
            .filter(|webhook| receivers.contains(webhook))
            .collect();
        if to.is_empty() {
            continue;
        }
        if message.is_open {
            delivery::keep_open(connection, message, &to, now + GATHERED_FOR)?;
        } else {
            delivery::keep(connection, message, &to, now)?;
        }
    }
    Ok(())
}
