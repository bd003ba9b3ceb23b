//! What is kept of a subscription, and who may change it.
//!
//! Whoever changes the subscription at the source holds a lease on its row, so that programs that
//! look at once make one subscription. It is not renewed: the work is given up before it ends.

use std::time::Duration;

use chrono::TimeDelta;
use contract::id::{ConnectionId, WebhookId};
use contract::{ObjectId, Timestamp};
use diesel::prelude::*;
use store::{Lock, both, new_id};

use super::Subscription;
use crate::schema::{connection, webhook};
use crate::{Books, Error};

const LEASE: TimeDelta = TimeDelta::minutes(2);
/// The longest that the holder of a lease may work.
pub(super) const WORK: Duration = Duration::from_secs(90);
/// How often one looks whether the lease is free.
const LOOK: Duration = Duration::from_millis(200);

/// What is kept of a subscription.
#[derive(Queryable, Selectable, Default)]
#[diesel(table_name = webhook)]
pub(in crate::connection) struct Place {
    webhook_id: Option<WebhookId>,
    pub(super) url: Option<String>,
    pub(super) sealed_secret: Option<Vec<u8>>,
}

impl Place {
    pub(in crate::connection) fn find(
        c: &mut store::Connection,
        id: ConnectionId,
    ) -> Result<Option<Self>, Error> {
        let row = webhook::table.find(id);
        Ok(both!(c, c => row.select(Self::as_select()).first(c).optional())?)
    }

    pub(in crate::connection) fn subscription(&self) -> Option<Subscription> {
        Some(Subscription {
            id: self.webhook_id?,
            url: self.url.clone()?,
        })
    }

    /// Of what is left at a source that could not be asked, which it is stays known.
    pub(in crate::connection) fn forget_secret(
        c: &mut store::Connection,
        id: ConnectionId,
    ) -> Result<(), Error> {
        let row = diesel::update(webhook::table.find(id));
        row.set(webhook::sealed_secret.eq(None::<Vec<u8>>))
            .execute(c)?;
        Ok(())
    }

    pub(in crate::connection) fn remove(
        c: &mut store::Connection,
        id: ConnectionId,
    ) -> Result<(), Error> {
        diesel::delete(webhook::table.find(id)).execute(c)?;
        Ok(())
    }
}

/// The right to change a subscription.
pub(in crate::connection) struct Lease<'a> {
    books: &'a Books,
    id: ConnectionId,
    holder: ObjectId,
}

impl<'a> Lease<'a> {
    /// Waits until nobody else has it.
    pub(in crate::connection) async fn take(
        books: &'a Books,
        id: ConnectionId,
    ) -> Result<Self, Error> {
        let holder = new_id();
        while !try_to_take(books, id, holder).await? {
            tokio::time::sleep(LOOK).await;
        }
        Ok(Self { books, id, holder })
    }

    pub(in crate::connection) async fn release(self) {
        let (id, holder) = (self.id, self.holder);
        let lock = Lock::row("webhook", &id);
        let given = self.books.store().write(lock, move |c| {
            let nobody = (
                webhook::holder.eq(None::<ObjectId>),
                webhook::until_ms.eq(None::<Timestamp>),
            );
            let ours = webhook::table.find(id).filter(webhook::holder.eq(holder));
            diesel::update(ours).set(nobody).execute(c)?;
            Ok::<_, Error>(())
        });
        if let Err(error) = given.await {
            tracing::warn!(%error, "the lease on a webhook was not given back; it ends by itself");
        }
    }

    /// What keeps a subscription, if the lease is still the holder's. Without a secret, the one of
    /// the same subscription stays.
    pub(super) fn keep(
        &self,
        subscription: Subscription,
        secret: Option<Vec<u8>>,
    ) -> impl Fn(&mut store::Connection) -> Result<(), Error> + Send + 'static {
        let (id, holder) = (self.id, self.holder);
        move |c| {
            let kept = Place::find(c, id)?.unwrap_or_default();
            let is_same = kept.subscription().as_ref() == Some(&subscription);
            let stays = kept.sealed_secret.filter(|_| is_same);
            let ours = webhook::table.find(id).filter(webhook::holder.eq(holder));
            let place = (
                webhook::webhook_id.eq(subscription.id),
                webhook::url.eq(&subscription.url),
                webhook::sealed_secret.eq(secret.clone().or(stays)),
            );
            match diesel::update(ours).set(place).execute(c)? {
                0 => Err(Error::Disconnected(id)),
                _ => Ok(()),
            }
        }
    }
}

async fn try_to_take(books: &Books, id: ConnectionId, holder: ObjectId) -> Result<bool, Error> {
    let now = books.clock().now();
    let lock = Lock::row("connection", &id);
    let taken = books.store().write(lock, move |c| {
        let secret = connection::table.find(id);
        let secret: Option<Option<Vec<u8>>> = secret
            .select(connection::sealed_secret)
            .first(c)
            .optional()?;
        secret.flatten().ok_or(Error::Disconnected(id))?;
        let place = diesel::insert_into(webhook::table).values(webhook::id.eq(id));
        both!(c, c => place.on_conflict_do_nothing().execute(c))?;
        let until = webhook::table.find(id).select(webhook::until_ms);
        let until: Option<Timestamp> = until.first(c)?;
        if until.is_some_and(|until| now < until) {
            return Ok(false);
        }
        let lease = (
            webhook::holder.eq(holder),
            webhook::until_ms.eq(now + LEASE),
        );
        diesel::update(webhook::table.find(id))
            .set(lease)
            .execute(c)?;
        Ok(true)
    });
    taken.await
}
