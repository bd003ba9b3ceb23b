//! Making one subscription of however many there are at the source.

use contract::id::{ConnectionId, WebhookId};
use guesty::seen::webhook::Webhook;
use guesty::{Error, Problem, WebhookRegistrar};

use super::{EVENTS, base};

/// What the source has for a connection.
pub(super) struct Subscribed {
    /// The subscription.
    pub(super) id: WebhookId,
    /// Others that were meant for the connection: to another address, or made twice.
    pub(super) others: Vec<WebhookId>,
}

/// Subscribes a url unless it is, and finds what else is there for the connection.
pub(super) async fn subscribe(
    registrar: &WebhookRegistrar,
    connection: ConnectionId,
    url: &str,
) -> Result<Subscribed, Error> {
    let ours = list(registrar, connection).await?;
    let here = ours.iter().filter(|webhook| webhook.url.text() == url);
    // Programs that look side by side keep the same one.
    let id = match here.min_by_key(|webhook| webhook.id.get()) {
        Some(webhook) => settle(registrar, webhook).await?,
        None => create(registrar, connection, url).await?,
    };
    let others = ours.iter().filter_map(|webhook| webhook.id.get());
    Ok(Subscribed {
        id,
        others: others.filter(|&other| other != id).collect(),
    })
}

/// All that is there for the connection, under whatever address.
pub(super) async fn list(
    registrar: &WebhookRegistrar,
    connection: ConnectionId,
) -> Result<Vec<Webhook>, Error> {
    let mut webhooks = registrar.list().await?.value.items;
    webhooks.retain(|webhook| {
        webhook.id.get().is_some() && base::is_of(webhook.url.text(), connection)
    });
    Ok(webhooks)
}

/// Makes sure that a subscription has our events.
async fn settle(registrar: &WebhookRegistrar, webhook: &Webhook) -> Result<WebhookId, Error> {
    let id = webhook.id.get().ok_or_else(nameless)?;
    let has = |event: &&str| webhook.events.iter().any(|has| has.text() == *event);
    if webhook.events.len() != EVENTS.len() || !EVENTS.iter().all(has) {
        registrar.update_events(id, &EVENTS).await?;
    }
    Ok(id)
}

/// Subscribes. If the answer is lost, it may have been done all the same: the list tells.
async fn create(
    registrar: &WebhookRegistrar,
    connection: ConnectionId,
    url: &str,
) -> Result<WebhookId, Error> {
    let made = registrar.create(url, &EVENTS).await;
    let error = match made {
        Ok(made) => match made.value.id.get() {
            Some(id) => return Ok(id),
            None => nameless(),
        },
        Err(error) if is_refusal(&error.problem) => return Err(error),
        Err(error) => error,
    };
    let ours = list(registrar, connection).await?;
    let here = ours.iter().filter(|webhook| webhook.url.text() == url);
    here.filter_map(|webhook| webhook.id.get())
        .min()
        .ok_or(error)
}

/// Whether the source says that nothing was done.
fn is_refusal(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::Credentials(_)
            | Problem::TokensUsedUp(_)
            | Problem::TokenStore(_)
            | Problem::Unauthorized(_)
            | Problem::Forbidden(_)
            | Problem::NotFound(_)
            | Problem::Refused(_)
            | Problem::RateLimited(_)
            | Problem::Tls(_)
            | Problem::Redirected(_)
    )
}

fn nameless() -> Error {
    Error {
        call: "POST /v1/webhooks".to_owned(),
        tries: 1,
        problem: Problem::Unreadable("a webhook without an id".to_owned()),
    }
}
