//! Webhooks: who is told of what.

use std::collections::HashSet;

use contract::Timestamp;
use contract::id::{AccountId, WebhookId};
use diesel::dsl::exists;
use diesel::prelude::*;
use store::Connection;

use super::secret;
use crate::Error;
use crate::schema::{webhook, webhook_delivery};

/// A subscription.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = webhook)]
pub(crate) struct Webhook {
    pub(crate) id: WebhookId,
    #[diesel(column_name = account_id)]
    pub(crate) account: AccountId,
    pub(crate) url: String,
    events: String,
    /// What signs, the same for all of the account's subscriptions of the url.
    pub(crate) secret_id: String,
    /// Since when nothing arrives.
    #[diesel(column_name = failing_ms)]
    pub(crate) failing_since: Option<Timestamp>,
    /// When it was given up.
    #[diesel(column_name = disabled_ms)]
    pub(crate) disabled: Option<Timestamp>,
    created_ms: Timestamp,
    updated_ms: Timestamp,
}

impl Webhook {
    pub(crate) fn new(
        id: WebhookId,
        account: AccountId,
        url: String,
        events: &[String],
        secret_id: String,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            account,
            url,
            events: events.join(" "),
            secret_id,
            failing_since: None,
            disabled: None,
            created_ms: now,
            updated_ms: now,
        }
    }

    /// The names of its events.
    pub(crate) fn events(&self) -> impl Iterator<Item = &str> {
        self.events.split(' ')
    }

    /// Whether it is to hear of an event of this name.
    pub(crate) fn wants(&self, event: &str) -> bool {
        self.events().any(|wanted| wanted == event)
    }
}

pub(crate) fn insert(connection: &mut Connection, webhook: &Webhook) -> Result<(), Error> {
    diesel::insert_into(webhook::table)
        .values(webhook)
        .execute(connection)?;
    Ok(())
}

/// An account's subscriptions, the oldest first; or everybody's.
pub(crate) fn list(
    connection: &mut Connection,
    of: Option<AccountId>,
) -> Result<Vec<Webhook>, Error> {
    let mut found = webhook::table
        .order((webhook::account_id, webhook::created_ms, webhook::id))
        .select(Webhook::as_select())
        .into_boxed();
    if let Some(account) = of {
        found = found.filter(webhook::account_id.eq(account));
    }
    Ok(found.load(connection)?)
}

/// A subscription of whichever account.
pub(crate) fn find(connection: &mut Connection, id: WebhookId) -> Result<Option<Webhook>, Error> {
    Ok(webhook::table
        .find(id)
        .select(Webhook::as_select())
        .first(connection)
        .optional()?)
}

/// The id of the secret that signs what is sent to a url.
pub(crate) fn secret_of_url(
    connection: &mut Connection,
    account: AccountId,
    url: &str,
) -> Result<Option<String>, Error> {
    Ok(webhook::table
        .filter(webhook::account_id.eq(account))
        .filter(webhook::url.eq(url))
        .select(webhook::secret_id)
        .first(connection)
        .optional()?)
}

/// Changes what a subscription is to hear of, and begins anew with one that was given up.
pub(crate) fn set_events(
    connection: &mut Connection,
    id: WebhookId,
    events: &[String],
    now: Timestamp,
) -> Result<(), Error> {
    let nothing: Option<Timestamp> = None;
    diesel::update(webhook::table.find(id))
        .set((
            webhook::events.eq(events.join(" ")),
            webhook::failing_ms.eq(nothing),
            webhook::disabled_ms.eq(nothing),
            webhook::updated_ms.eq(now),
        ))
        .execute(connection)?;
    Ok(())
}

/// Takes a subscription away, with what was still to be sent, and with the secret if it was the last
/// of its url. The account's row must be locked. What was sent goes when its time is over.
pub(crate) fn remove(connection: &mut Connection, webhook: &Webhook) -> Result<(), Error> {
    diesel::delete(webhook::table.find(webhook.id)).execute(connection)?;
    diesel::delete(
        webhook_delivery::table
            .filter(webhook_delivery::webhook_id.eq(webhook.id))
            .filter(webhook_delivery::due_ms.is_not_null()),
    )
    .execute(connection)?;
    if secret_of_url(connection, webhook.account, &webhook.url)?.is_none() {
        secret::remove(connection, &webhook.secret_id)?;
    }
    Ok(())
}

/// The subscriptions of some accounts that something may be sent to.
pub(crate) fn enabled_of(
    connection: &mut Connection,
    accounts: &HashSet<AccountId>,
) -> Result<Vec<Webhook>, Error> {
    let accounts: Vec<AccountId> = accounts.iter().copied().collect();
    Ok(webhook::table
        .filter(webhook::account_id.eq_any(accounts))
        .filter(webhook::disabled_ms.is_null())
        .order(webhook::id)
        .select(Webhook::as_select())
        .load(connection)?)
}

/// Which of these subscriptions still are there and enabled; they stay so until the transaction
/// ends.
pub(crate) fn keep_enabled(
    connection: &mut Connection,
    ids: &[WebhookId],
) -> Result<HashSet<WebhookId>, Error> {
    let these = webhook::table
        .filter(webhook::id.eq_any(ids.to_vec()))
        .filter(webhook::disabled_ms.is_null())
        .order(webhook::id)
        .select(webhook::id);
    let ids: Vec<WebhookId> = match connection {
        Connection::Sqlite(sqlite) => these.load(sqlite)?,
        Connection::Postgres(postgres) => these.for_share().load(postgres)?,
    };
    Ok(ids.into_iter().collect())
}

/// The subscriptions to which something is due to be sent.
pub(crate) fn with_due(
    connection: &mut Connection,
    now: Timestamp,
) -> Result<Vec<WebhookId>, Error> {
    let due = webhook_delivery::table
        .filter(webhook_delivery::webhook_id.eq(webhook::id))
        .filter(webhook_delivery::due_ms.is_not_null())
        .filter(webhook_delivery::due_ms.assume_not_null().le(now));
    Ok(webhook::table
        .filter(webhook::disabled_ms.is_null())
        .filter(exists(due))
        .select(webhook::id)
        .load(connection)?)
}

/// Notes that something has arrived.
pub(crate) fn arrived(connection: &mut Connection, id: WebhookId) -> Result<(), Error> {
    let nothing: Option<Timestamp> = None;
    diesel::update(webhook::table.find(id))
        .filter(webhook::failing_ms.is_not_null())
        .set(webhook::failing_ms.eq(nothing))
        .execute(connection)?;
    Ok(())
}

/// Notes that something has not arrived; says since when nothing has. None when the subscription is
/// gone or was given up.
pub(crate) fn not_arrived(
    connection: &mut Connection,
    id: WebhookId,
    at: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    diesel::update(webhook::table.find(id))
        .filter(webhook::failing_ms.is_null())
        .set(webhook::failing_ms.eq(at))
        .execute(connection)?;
    let since: Option<Option<Timestamp>> = webhook::table
        .find(id)
        .filter(webhook::disabled_ms.is_null())
        .select(webhook::failing_ms)
        .first(connection)
        .optional()?;
    Ok(since.flatten())
}

/// Gives a subscription up.
pub(crate) fn disable(
    connection: &mut Connection,
    id: WebhookId,
    now: Timestamp,
) -> Result<(), Error> {
    diesel::update(webhook::table.find(id))
        .set(webhook::disabled_ms.eq(now))
        .execute(connection)?;
    Ok(())
}
