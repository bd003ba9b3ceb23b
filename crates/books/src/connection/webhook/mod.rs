//! The subscription of a connection: one at the source, to the address under which it reaches us,
//! with the secret that its messages are signed with.
//!
//! What is there is asked before anything is made, so a lost answer, a program that died, or
//! somebody who deleted the subscription are all set right by looking again. An old address is
//! unsubscribed once the new one works. What the messages say, this module refuses to know.

mod base;
mod place;
mod subscribe;
mod trouble;

use contract::id::{ConnectionId, WebhookId};
use guesty::{Guesty, Secret, WebhookRegistrar};
use serde::Serialize;
use serde_json::json;

pub use base::{InvalidWebhookBase, WebhookBase};
pub(super) use place::{Lease, Place};

use super::{Light, WebhookLeft, change, look};
use crate::evidence::{Kind, NewRecord};
use crate::{Books, Error};

/// What is subscribed to: whatever says that something should be read again, in the older form and
/// in the newer. What `payments.*` say is not taken for true, only that they came.
pub const EVENTS: [&str; 13] = [
    "listing.new",
    "listing.updated",
    "listing.removed",
    "reservation.new",
    "reservation.updated",
    "reservation.created.v2",
    "reservation.updated.v2",
    "guest-folio.created",
    "guest-folio.updated",
    "payments.received",
    "payments.failed",
    "payments.refunded",
    "payments.disputes",
];

/// A subscription at the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subscription {
    /// Its id there.
    pub id: WebhookId,
    /// Where its messages are sent.
    pub url: String,
}

impl Books {
    /// What the messages to a connection are signed with; none while there is no subscription.
    pub async fn webhook_secret(&self, id: ConnectionId) -> Result<Option<Secret>, Error> {
        let place = self.store().read(move |c| Place::find(c, id)).await?;
        let Some((sealed, url)) = place.and_then(|place| place.sealed_secret.zip(place.url)) else {
            return Ok(None);
        };
        let secret = self.vault().open(&context(id, &url), &sealed)?;
        let secret = std::str::from_utf8(&secret)
            .map_err(|_| Error::Corrupt(format!("the webhook secret of connection {id}")))?;
        Ok(Some(Secret::new(secret)))
    }

    /// The subscription, as far as the books know.
    pub(super) async fn subscription(
        &self,
        id: ConnectionId,
    ) -> Result<Option<Subscription>, Error> {
        let place = self.store().read(move |c| Place::find(c, id)).await?;
        Ok(place.and_then(|place| place.subscription()))
    }

    /// Subscribes as far as that is not done, and says how it stands.
    pub(super) async fn look_at_webhook(
        &self,
        id: ConnectionId,
        registrar: &WebhookRegistrar,
    ) -> Result<Light, Error> {
        let kept = self.subscription(id).await?;
        let own = self.connection(id).await?.webhook_base;
        let base = own.as_ref().or(self.public_url());
        let url = base.map(|base| base.url_of(id));
        let Some(url) = url.or(kept.map(|kept| kept.url)) else {
            return Ok(Light::red(
                "the source cannot tell us of changes, since it is not said under which address it \
                 reaches us: give the connection a webhook url, or the server a public url, then \
                 refresh",
            ));
        };
        let lease = Lease::take(self, id).await?;
        let settled = self.settle(&lease, id, registrar, &url);
        let settled = tokio::time::timeout(place::WORK, settled).await;
        lease.release().await;
        settled.unwrap_or_else(|_| {
            Ok(Light::red(
                "the source took too long over the webhook: refresh later",
            ))
        })
    }

    async fn settle(
        &self,
        lease: &Lease<'_>,
        id: ConnectionId,
        registrar: &WebhookRegistrar,
        url: &str,
    ) -> Result<Light, Error> {
        let subscribed = match subscribe::subscribe(registrar, id, url).await {
            Ok(subscribed) => subscribed,
            Err(error) => return Ok(Light::red(trouble::of(&error.problem, url))),
        };
        let subscription = Subscription {
            id: subscribed.id,
            url: url.to_owned(),
        };
        let secret = registrar.secret(url).await;
        let sealed = match &secret {
            Ok(secret) => {
                let secret = secret.reveal().as_bytes();
                Some(self.vault().seal(&context(id, url), secret)?)
            }
            Err(_) => None,
        };
        self.keep(lease, id, subscription, sealed).await?;
        if let Err(error) = secret {
            let message = trouble::without_secret(&error.problem, url);
            return Ok(Light::red(message));
        }
        let mut told = vec![format!("the source sends what changes to {url}")];
        if !subscribed.refused.is_empty() {
            let refused = subscribed.refused.join(", ");
            told.push(format!("it does not offer {refused}"));
        }
        for other in subscribed.others {
            if let Err(error) = registrar.delete(other).await {
                told.push(format!(
                    "another webhook of ours, {other}, could not be removed yet: {error}"
                ));
            }
        }
        Ok(Light::green(told.join("; ")))
    }

    /// Keeps a subscription, and that it was made if it is another than before.
    async fn keep(
        &self,
        lease: &Lease<'_>,
        id: ConnectionId,
        subscription: Subscription,
        sealed: Option<Vec<u8>>,
    ) -> Result<(), Error> {
        let is_new = self.subscription(id).await?.as_ref() != Some(&subscription);
        let chain = self.begin_chain(id).await?;
        let record = self.setting("registered", &subscription)?;
        let keep = lease.keep(subscription, sealed);
        if is_new {
            return change(self, &chain, record, keep).await;
        }
        self.store().write(chain.lock(), keep).await
    }

    fn setting(&self, state: &str, subscription: &Subscription) -> Result<NewRecord, Error> {
        let (id, url) = (subscription.id, &subscription.url);
        let setting = json!({"state": state, "webhookId": id, "url": url, "events": EVENTS});
        let setting = setting.to_string();
        NewRecord::new(
            Kind::Setting,
            "webhook",
            self.clock().now(),
            setting.as_bytes(),
        )
    }

    /// Takes away at the source all that is subscribed for a connection. Says what is left there if
    /// that fails.
    pub(super) async fn unsubscribe(
        &self,
        id: ConnectionId,
        kept: Option<Subscription>,
    ) -> Result<Option<WebhookLeft>, Error> {
        let removed = tokio::time::timeout(place::WORK, self.remove_all(id)).await;
        let reason = match removed {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the source took too long".to_owned()),
        };
        if let Some(reason) = reason {
            return Ok(Some(WebhookLeft {
                webhook: kept,
                reason,
            }));
        }
        if let Some(kept) = kept {
            let chain = self.begin_chain(id).await?;
            chain.append(vec![self.setting("removed", &kept)?]).await?;
        }
        Ok(None)
    }

    async fn remove_all(&self, id: ConnectionId) -> Result<(), Error> {
        let way = look::hasty(self.way(id).await?);
        let registrar = Guesty::new(way)?.webhook_registrar();
        for webhook in subscribe::list(&registrar, id).await? {
            if let Some(webhook) = webhook.id.get() {
                registrar.delete(webhook).await?;
            }
        }
        Ok(())
    }
}

/// Where the secret is kept and what it is for, so that it opens for nothing else.
pub(super) fn context(id: ConnectionId, url: &str) -> String {
    format!("books.webhook_secret/{id} at {url}")
}
