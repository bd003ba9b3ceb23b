//! Disconnecting: what leads to the account is removed, what is known of it stays.

use std::fmt;

use contract::id::ConnectionId;
use serde::Serialize;

use super::webhook::{Lease, Place};
use super::{Connection, Lights, Subscription, change, row};
use crate::{Books, Error};

/// A connection that was disconnected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disconnected {
    /// What is left of it here.
    pub connection: Connection,
    /// What may be left of it at the source.
    pub left: Option<WebhookLeft>,
}

/// A webhook that could not be unsubscribed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebhookLeft {
    /// Which, as far as that is known.
    pub webhook: Option<Subscription>,
    /// Why.
    pub reason: String,
}

impl fmt::Display for WebhookLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.webhook {
            Some(webhook) => write!(
                f,
                "webhook {id} to {} could not be removed at the source: remove it there by hand (in its \
                 list of webhooks, or with DELETE /v1/webhooks/{id}), or connect again, which takes it \
                 over",
                webhook.url,
                id = webhook.id
            )?,
            None => f.write_str(
                "whether a webhook is left at the source could not be asked: look there, and \
                 remove by hand what leads to this connection, or connect again, which takes it over",
            )?,
        }
        write!(f, " ({})", self.reason)
    }
}

impl Books {
    /// Unsubscribes from webhooks, and removes the credentials and the token; the evidence and the
    /// mirror stay. Connecting the same account again goes on with the same connection. What the
    /// source does not do does not keep the credentials here; what may be left there is known until
    /// somebody connects again and looks.
    pub async fn disconnect(&self, id: ConnectionId) -> Result<Disconnected, Error> {
        let connection = self.connection(id).await?;
        let place = self.store().read(move |c| Place::find(c, id)).await?;
        if !connection.is_connected {
            // A place outlives its credentials only where something may be left.
            let left = place.map(|place| WebhookLeft {
                webhook: place.subscription(),
                reason: "the credentials to do it with were removed before".to_owned(),
            });
            return Ok(Disconnected { connection, left });
        }
        // Until the credentials are gone, nobody subscribes again.
        let lease = Lease::take(self, id).await?;
        let left = match place {
            Some(place) => self.unsubscribe(id, place.subscription()).await?,
            None => None,
        };
        let now = self.clock().now();
        let chain = self.begin_chain(id).await?;
        let record = connection.setting("disconnected", now)?;
        let lights = Lights::disconnected(left.as_ref()).to_text()?;
        let is_left = left.is_some();
        change(self, &chain, record, move |c| {
            row::remove_secret(c, id, now)?;
            if is_left {
                Place::forget_secret(c, id)?;
            } else {
                Place::remove(c, id)?;
            }
            row::keep_lights(c, id, &lights, now)
        })
        .await?;
        lease.release().await;
        Ok(Disconnected {
            connection: self.connection(id).await?,
            left,
        })
    }
}
