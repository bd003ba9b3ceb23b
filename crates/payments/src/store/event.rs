//! Domain events: what happened, written once, in the transaction that made it so. Webhooks read
//! them.

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
