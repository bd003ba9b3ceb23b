//! Domain events: what happened, written once, in the transaction that made it so. They wait until
//! messages are made of them, and are gone then.

use std::collections::HashSet;

use contract::id::{AccountId, ReservationId};
use contract::{ObjectId, Timestamp};
use diesel::prelude::*;
use serde_json::Value;
use store::{Connection, both, new_id};

use crate::Error;
use crate::schema::domain_event;

/// Something that happened.
pub(crate) struct DomainEvent {
    /// The webhook's name for it.
    pub(crate) kind: &'static str,
    pub(crate) reservation: Option<ReservationId>,
    /// The payment, guest, listing … that it is about.
    pub(crate) subject: ObjectId,
    /// What the subject's present state no longer tells: an object.
    pub(crate) body: Value,
}

/// Writes an event.
pub(crate) fn record(
    connection: &mut Connection,
    account: AccountId,
    event: &DomainEvent,
    at: Timestamp,
) -> Result<(), Error> {
    let id: ObjectId = new_id();
    let insert = diesel::insert_into(domain_event::table).values((
        domain_event::id.eq(id),
        domain_event::account_id.eq(account),
        domain_event::kind.eq(event.kind),
        domain_event::reservation_id.eq(event.reservation),
        domain_event::subject_id.eq(event.subject),
        domain_event::at_ms.eq(at),
        domain_event::body.eq(event.body.to_string()),
    ));
    both!(connection, c => insert.execute(c))?;
    Ok(())
}

/// Forgets what has happened to an account so far, where nobody is to be told of it.
pub(crate) fn forget(connection: &mut Connection, account: AccountId) -> Result<(), Error> {
    diesel::delete(domain_event::table.filter(domain_event::account_id.eq(account)))
        .execute(connection)?;
    Ok(())
}

/// An event that no messages were made of yet.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = domain_event)]
pub(crate) struct Waiting {
    pub(crate) id: ObjectId,
    #[diesel(column_name = account_id)]
    pub(crate) account: AccountId,
    pub(crate) kind: String,
    #[diesel(column_name = reservation_id)]
    pub(crate) reservation: Option<ReservationId>,
    #[diesel(column_name = subject_id)]
    pub(crate) subject: ObjectId,
    pub(crate) body: String,
}

/// The events that have waited longest.
pub(crate) fn waiting(connection: &mut Connection, limit: i64) -> Result<Vec<Waiting>, Error> {
    Ok(both!(connection, c => domain_event::table
        .order(domain_event::id)
        .limit(limit)
        .select(Waiting::as_select())
        .load(c))?)
}

/// Takes events away; says which of them nobody else has taken before.
pub(crate) fn take(
    connection: &mut Connection,
    ids: &[ObjectId],
) -> Result<HashSet<ObjectId>, Error> {
    let these = domain_event::table.filter(domain_event::id.eq_any(ids.to_vec()));
    let delete = diesel::delete(these).returning(domain_event::id);
    let taken: Vec<ObjectId> = both!(connection, c => delete.get_results(c))?;
    Ok(taken.into_iter().collect())
}
