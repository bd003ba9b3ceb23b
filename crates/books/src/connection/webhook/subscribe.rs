//! Making one subscription of however many there are at the source.

use contract::id::{ConnectionId, WebhookId};
use guesty::seen::webhook::Webhook;
use guesty::{Error, Problem, Refusal, WebhookRegistrar};

use super::{EVENTS, base, trouble};

/// An event that every source has and we never ask for: where a refusal names it, it says what may be
/// had.
const NEVER_ASKED: &str = "task.created";

/// What the source has for a connection.
pub(super) struct Subscribed {
    /// The subscription.
    pub(super) id: WebhookId,
    /// Others that were meant for the connection: to another address, or made twice.
    pub(super) others: Vec<WebhookId>,
    /// Which of our events the source does not offer.
    pub(super) refused: Vec<&'static str>,
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
    let (id, refused) = match here.min_by_key(|webhook| webhook.id.get()) {
        Some(webhook) => settle(registrar, webhook).await?,
        None => match create(registrar, connection, url).await {
            Err(error) if trouble::is_full(&error.problem) && !ours.is_empty() => {
                make_room(registrar, &ours).await?;
                create(registrar, connection, url).await?
            }
            made => made?,
        },
    };
    let others = ours.iter().filter_map(|webhook| webhook.id.get());
    Ok(Subscribed {
        id,
        refused,
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

/// Takes away what leads to old addresses of ours, where the plan has no room for both.
async fn make_room(registrar: &WebhookRegistrar, ours: &[Webhook]) -> Result<(), Error> {
    for webhook in ours {
        if let Some(id) = webhook.id.get() {
            registrar.delete(id).await?;
        }
    }
    Ok(())
}

/// Makes sure that a subscription has our events, and is not disabled.
async fn settle(registrar: &WebhookRegistrar, webhook: &Webhook) -> Result<Made, Error> {
    let id = webhook.id.get().ok_or_else(nameless)?;
    let has = |event: &&str| webhook.events.iter().any(|has| has.text() == *event);
    let has_all = webhook.events.len() == EVENTS.len() && EVENTS.iter().all(has);
    if has_all && webhook.disabled_at.is_absent() {
        return Ok((id, Vec::new()));
    }
    let change = |events: Vec<_>| async move { registrar.update_events(id, &events).await };
    let (_, refused) = offered(change).await?;
    Ok((id, refused))
}

/// Subscribes. If the answer is lost, it may have been done all the same: the list tells.
async fn create(
    registrar: &WebhookRegistrar,
    connection: ConnectionId,
    url: &str,
) -> Result<Made, Error> {
    let create = |events: Vec<_>| async move { registrar.create(url, &events).await };
    let error = match offered(create).await {
        Ok((made, refused)) => match made.value.id.get() {
            Some(id) => return Ok((id, refused)),
            None => nameless(),
        },
        Err(error) if is_refusal(&error.problem) => return Err(error),
        Err(error) => error,
    };
    let ours = list(registrar, connection).await?;
    let here = ours.iter().filter(|webhook| webhook.url.text() == url);
    let id = here.filter_map(|webhook| webhook.id.get()).min();
    Ok((id.ok_or(error)?, Vec::new()))
}

/// A subscription, and which of our events the source does not offer.
type Made = (WebhookId, Vec<&'static str>);

/// Asks for our events, or for those of them that the source offers.
async fn offered<T, F>(
    ask: impl Fn(Vec<&'static str>) -> F,
) -> Result<(T, Vec<&'static str>), Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let error = match ask(EVENTS.to_vec()).await {
        Ok(made) => return Ok((made, Vec::new())),
        Err(error) => error,
    };
    let Problem::Refused(refusal) = &error.problem else {
        return Err(error);
    };
    let refused = refused_events(refusal);
    let others = EVENTS.iter().filter(|event| !refused.contains(event));
    let others: Vec<_> = others.copied().collect();
    if refused.is_empty() || others.is_empty() {
        return Err(error);
    }
    Ok((ask(others).await?, refused))
}

/// Which of our events a refusal is about: those that it names, unless it names those that may be
/// had.
fn refused_events(refusal: &Refusal) -> Vec<&'static str> {
    let said = format!("{} {}", refusal.message, refusal.details.join(" "));
    let words: Vec<&str> = said
        .split(|c: char| !(c.is_alphanumeric() || ".-_".contains(c)))
        .map(|word| word.trim_end_matches('.'))
        .collect();
    let is_offer = words.contains(&NEVER_ASKED);
    let named = |event: &&&str| words.contains(event) != is_offer;
    EVENTS.iter().filter(named).copied().collect()
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
