//! Subscriptions to webhooks, and what was sent to them: the same for clients of the API and for the
//! operator's commands.

use contract::id::{AccountId, WebhookAttemptId, WebhookId};
use contract::webhook as wire;
use data_encoding::BASE64;
use store::{Connection, Lock, new_id, random_bytes};

use crate::model::Rejection;
use crate::model::webhook::{check_events, check_url};
use crate::store::delivery::{self, Told};
use crate::store::secret::{self, Kind, Sealed};
use crate::store::webhook::{self, Webhook};
use crate::{Error, Platform};

/// Whose webhooks somebody may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// An account's.
    Account(AccountId),
    /// Everybody's: the operator's commands.
    Any,
}

const DISABLED: &str = "nothing has arrived there for five days; PUT its events to enable it again, \
                        and read the present state: what happened meanwhile is not sent";

impl Platform {
    /// An account's webhooks, the oldest first; everybody's, by account.
    ///
    /// # Errors
    /// [`Error::Store`] when they cannot be read.
    pub async fn webhooks_of(&self, owner: Owner) -> Result<Vec<wire::Webhook>, Error> {
        let of = match owner {
            Owner::Account(account) => Some(account),
            Owner::Any => None,
        };
        let found = self.store.read(move |c| webhook::list(c, of)).await?;
        Ok(found.into_iter().map(show).collect())
    }

    /// A webhook.
    ///
    /// # Errors
    /// [`Rejection::WebhookNotFound`].
    pub async fn webhook(&self, owner: Owner, id: WebhookId) -> Result<wire::Webhook, Error> {
        let found = self.store.read(move |c| find(c, owner, id)).await?;
        Ok(show(found))
    }

    /// Subscribes to events. The secret of the url is made with its first subscription.
    ///
    /// # Errors
    /// A [`Rejection`] of the url, of the events, or of one subscription too many.
    pub async fn subscribe(
        &self,
        account: AccountId,
        new: wire::NewWebhook,
    ) -> Result<wire::Webhook, Error> {
        check_url(&new.url, &self.settings.private_webhooks)?;
        let events = check_events(&new.events)?;
        let (now, max) = (self.clock.now(), self.settings.webhooks_max.get());
        let fresh = Sealed::new(&self.vault, Kind::Webhook, &random_bytes::<32>(), now)?;
        let made = self
            .store
            .write(Lock::row("account", &account), move |c| {
                let count = webhook::list(c, Some(account))?.len();
                if count >= usize::try_from(max).unwrap_or(usize::MAX) {
                    return Err(Rejection::TooManyWebhooks(max).into());
                }
                let known = webhook::secret_of_url(c, account, &new.url)?;
                if known.is_none() {
                    secret::insert(c, &fresh)?;
                }
                let secret = known.unwrap_or_else(|| fresh.id().to_owned());
                let url = new.url.clone();
                let made = Webhook::new(new_id(), account, url, &events, secret, now);
                webhook::insert(c, &made)?;
                Ok::<_, Error>(made)
            })
            .await?;
        Ok(show(made))
    }

    /// Changes the events of a webhook, and enables it again if it was disabled.
    ///
    /// # Errors
    /// A [`Rejection`] of the events, of another url, or [`Rejection::WebhookNotFound`].
    pub async fn change_webhook(
        &self,
        account: AccountId,
        id: WebhookId,
        change: wire::WebhookChange,
    ) -> Result<wire::Webhook, Error> {
        let events = check_events(&change.events)?;
        let now = self.clock.now();
        let changed = self
            .store
            .write(Lock::row("webhook", &id), move |c| {
                let owner = Owner::Account(account);
                let kept = find(c, owner, id)?;
                if change.url.as_ref().is_some_and(|url| *url != kept.url) {
                    let reason = "it cannot be changed: delete this webhook and make another";
                    return Err(Rejection::invalid("url", reason).into());
                }
                webhook::set_events(c, id, &events, now)?;
                find(c, owner, id)
            })
            .await?;
        Ok(show(changed))
    }

    /// Takes a webhook away; the secret goes with the last of its url.
    ///
    /// # Errors
    /// [`Rejection::WebhookNotFound`].
    pub async fn unsubscribe(&self, account: AccountId, id: WebhookId) -> Result<(), Error> {
        self.store
            .write(Lock::row("account", &account), move |c| {
                let kept = find(c, Owner::Account(account), id)?;
                webhook::remove(c, &kept)
            })
            .await
    }

    /// The secret that verifies what is sent to a url.
    ///
    /// # Errors
    /// [`Rejection::WebhookUrlNotFound`].
    pub async fn webhook_secret(
        &self,
        account: AccountId,
        url: String,
    ) -> Result<wire::WebhookSecret, Error> {
        let sealed = self
            .store
            .read(move |c| {
                let id = webhook::secret_of_url(c, account, &url)?;
                secret::find(c, &id.ok_or(Rejection::WebhookUrlNotFound)?)
            })
            .await?;
        let key = sealed.open(&self.vault)?;
        Ok(wire::WebhookSecret {
            key: format!("whsec_{}", BASE64.encode(&key)),
        })
    }

    /// A page of what was sent to a webhook, the newest first, and how much that is in all.
    ///
    /// # Errors
    /// [`Rejection::WebhookNotFound`].
    pub async fn webhook_attempts(
        &self,
        owner: Owner,
        id: WebhookId,
        limit: i64,
        skip: i64,
    ) -> Result<(Vec<wire::WebhookAttempt>, i64), Error> {
        let (told, count) = self
            .store
            .read(move |c| {
                find(c, owner, id)?;
                delivery::attempts(c, id, limit, skip)
            })
            .await?;
        Ok((told.into_iter().map(show_attempt).collect(), count))
    }

    /// Has the message of an attempt sent again, under the same id and as often as a new one.
    ///
    /// # Errors
    /// [`Rejection::WebhookAttemptNotFound`]; [`Rejection::WebhookDisabled`].
    pub async fn replay(
        &self,
        owner: Owner,
        webhook: Option<WebhookId>,
        attempt: WebhookAttemptId,
    ) -> Result<wire::WebhookReplay, Error> {
        let now = self.clock.now();
        let told: Told = self
            .store
            .write(Lock::none(), move |c| {
                let told = delivery::attempt(c, attempt)?;
                let told = told.ok_or(Rejection::WebhookAttemptNotFound)?;
                let id = told.attempt.webhook;
                if webhook.is_some_and(|webhook| webhook != id) {
                    return Err(Rejection::WebhookAttemptNotFound.into());
                }
                if find(c, owner, id)?.disabled.is_some() {
                    return Err(Rejection::WebhookDisabled.into());
                }
                delivery::replay(c, told.attempt.message, id, now)?;
                Ok::<_, Error>(told)
            })
            .await?;
        Ok(wire::WebhookReplay {
            webhook_id: told.attempt.webhook,
            message_id: told.message_id(),
            event: told.event,
            message_status: delivery::PENDING.to_owned(),
            next_attempt_at: now,
        })
    }
}

fn find(connection: &mut Connection, owner: Owner, id: WebhookId) -> Result<Webhook, Error> {
    let found = webhook::find(connection, id)?;
    let found =
        found.filter(|webhook| owner == Owner::Any || owner == Owner::Account(webhook.account));
    Ok(found.ok_or(Rejection::WebhookNotFound)?)
}

fn show(webhook: Webhook) -> wire::Webhook {
    wire::Webhook {
        account_id: webhook.account,
        id: webhook.id,
        events: webhook.events().map(str::to_owned).collect(),
        failing_since: webhook.failing_since,
        disabled_at: webhook.disabled,
        disabled_reason: webhook.disabled.map(|_| DISABLED.to_owned()),
        url: webhook.url,
    }
}

fn show_attempt(told: Told) -> wire::WebhookAttempt {
    let message_id = told.message_id();
    let attempt = told.attempt;
    let result = if attempt.error.is_none() {
        "SUCCEEDED"
    } else {
        "FAILED"
    };
    wire::WebhookAttempt {
        id: attempt.id,
        webhook_id: attempt.webhook,
        message_id,
        event: told.event,
        attempted_at: attempt.at,
        latency_ms: attempt.latency_ms,
        result: result.to_owned(),
        status_code: attempt.status,
        error: attempt.error,
        response: attempt.response,
        message_status: told.state,
        next_attempt_at: told.due,
    }
}
