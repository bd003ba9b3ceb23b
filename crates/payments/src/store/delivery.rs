//! What is sent to subscribers: messages, to whom each goes, and every attempt.

use contract::id::{AccountId, ReservationId, WebhookAttemptId, WebhookId};
use contract::{ObjectId, Timestamp};
use diesel::dsl::AsSelect;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use store::{Connection, both, update_prepared};

use super::fragment::Backend;
use crate::Error;
use crate::schema::{webhook_attempt, webhook_delivery, webhook_message};

/// What is told, once for all who are told it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = webhook_message)]
pub(crate) struct Message {
    pub(crate) id: ObjectId,
    #[diesel(column_name = account_id)]
    pub(crate) account: AccountId,
    /// The webhook's name for it.
    pub(crate) event: String,
    pub(crate) event_id: ObjectId,
    #[diesel(column_name = reservation_id)]
    pub(crate) reservation: Option<ReservationId>,
    #[diesel(column_name = subject_id)]
    pub(crate) subject: ObjectId,
    /// What the subject's state does not tell: a JSON object.
    pub(crate) facts: String,
    /// As it is sent; none: not written yet.
    pub(crate) body: Option<String>,
    /// Whether what happens next belongs to it, too.
    pub(crate) is_open: bool,
    #[diesel(column_name = created_ms)]
    pub(crate) created: Timestamp,
}

impl Message {
    /// The `svix-id`.
    pub(crate) fn public_id(&self) -> String {
        public_id(self.id)
    }
}

fn public_id(message: ObjectId) -> String {
    format!("msg_{message}")
}

/// A message to one subscriber.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) message: Message,
    /// How often it was sent already.
    pub(crate) tries: i64,
}

/// Where a message stands that is still to be sent.
pub(crate) const PENDING: &str = "PENDING";
const SUCCEEDED: &str = "SUCCEEDED";
const FAILED: &str = "FAILED";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = webhook_delivery, treat_none_as_default_value = false)]
struct DeliveryRow {
    message_id: ObjectId,
    webhook_id: WebhookId,
    state: String,
    tries: i64,
    due_ms: Option<Timestamp>,
}

impl DeliveryRow {
    fn pending(message: ObjectId, webhook: WebhookId, due: Timestamp) -> Self {
        Self {
            message_id: message,
            webhook_id: webhook,
            state: PENDING.to_owned(),
            tries: 0,
            due_ms: Some(due),
        }
    }
}

/// Keeps a message, to be sent to these subscribers.
pub(crate) fn keep(
    connection: &mut Connection,
    message: &Message,
    to: &[WebhookId],
    due: Timestamp,
) -> Result<(), Error> {
    both!(connection, c => diesel::insert_into(webhook_message::table).values(message).execute(c))?;
    for webhook in to {
        let row = DeliveryRow::pending(message.id, *webhook, due);
        both!(connection, c => diesel::insert_into(webhook_delivery::table).values(row).execute(c))?;
    }
    Ok(())
}

/// Keeps a message that stays open, or joins the one of its reservation that is.
pub(crate) fn keep_open(
    connection: &mut Connection,
    message: &Message,
    to: &[WebhookId],
    due: Timestamp,
) -> Result<(), Error> {
    loop {
        let insert = diesel::insert_into(webhook_message::table).values(message);
        both!(connection, c => insert.on_conflict_do_nothing().execute(c))?;
        let open: Option<ObjectId> = webhook_message::table
            .filter(webhook_message::reservation_id.eq(message.reservation))
            .filter(webhook_message::is_open)
            .select(webhook_message::id)
            .first(connection)
            .optional()?;
        // It may have been closed between the two: then there is room for the new one.
        let Some(open) = open else { continue };
        for webhook in to {
            let row = DeliveryRow::pending(open, *webhook, due);
            let insert = diesel::insert_into(webhook_delivery::table).values(row);
            both!(connection, c => insert.on_conflict_do_nothing().execute(c))?;
        }
        return Ok(());
    }
}

/// Takes what is due to be sent to a subscriber, the oldest first; until an instant it is nobody
/// else's to send. What was open is closed by that.
pub(crate) fn claim(
    connection: &mut Connection,
    webhook: WebhookId,
    now: Timestamp,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<Delivery>, Error> {
    let due = webhook_delivery::table
        .filter(webhook_delivery::webhook_id.eq(webhook))
        .filter(webhook_delivery::due_ms.is_not_null())
        .filter(webhook_delivery::due_ms.assume_not_null().le(now))
        .order((webhook_delivery::due_ms, webhook_delivery::message_id))
        .limit(limit)
        .select((webhook_delivery::message_id, webhook_delivery::tries));
    let due: Vec<(ObjectId, i64)> = match connection {
        Connection::Sqlite(sqlite) => due.load(sqlite)?,
        Connection::Postgres(postgres) => due.for_update().skip_locked().load(postgres)?,
    };
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<ObjectId> = due.iter().map(|(id, _)| *id).collect();
    let these = webhook_delivery::table
        .filter(webhook_delivery::webhook_id.eq(webhook))
        .filter(webhook_delivery::message_id.eq_any(ids.clone()));
    diesel::update(these)
        .set(webhook_delivery::due_ms.eq(until))
        .execute(connection)?;
    let messages = messages(connection, &ids)?;
    let open: Vec<ObjectId> = messages
        .iter()
        .filter(|message| message.is_open)
        .map(|message| message.id)
        .collect();
    if !open.is_empty() {
        diesel::update(webhook_message::table.filter(webhook_message::id.eq_any(open)))
            .set(webhook_message::is_open.eq(false))
            .execute(connection)?;
    }
    let tries = |id| {
        due.iter()
            .find(|(due, _)| *due == id)
            .map(|(_, tries)| *tries)
    };
    let delivery = |message: Message| {
        let tries = tries(message.id)?;
        Some(Delivery { message, tries })
    };
    Ok(messages.into_iter().filter_map(delivery).collect())
}

fn messages(connection: &mut Connection, ids: &[ObjectId]) -> Result<Vec<Message>, Error> {
    let mut messages: Vec<Message> = webhook_message::table
        .filter(webhook_message::id.eq_any(ids.to_vec()))
        .select(Message::as_select())
        .load(connection)?;
    messages.sort_by_key(|message| ids.iter().position(|id| *id == message.id));
    Ok(messages)
}

/// Keeps a message as it is to be sent, unless that has been done; answers with what is kept.
pub(crate) fn write_body(
    connection: &mut Connection,
    message: ObjectId,
    body: &str,
) -> Result<String, Error> {
    diesel::update(webhook_message::table.find(message))
        .filter(webhook_message::body.is_null())
        .set(webhook_message::body.eq(body))
        .execute(connection)?;
    let kept: Option<Option<String>> = webhook_message::table
        .find(message)
        .select(webhook_message::body)
        .first(connection)
        .optional()?;
    Ok(kept.flatten().unwrap_or_else(|| body.to_owned()))
}

/// What came of an attempt.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = webhook_attempt, treat_none_as_default_value = false)]
pub(crate) struct Attempt {
    pub(crate) id: WebhookAttemptId,
    #[diesel(column_name = webhook_id)]
    pub(crate) webhook: WebhookId,
    #[diesel(column_name = message_id)]
    pub(crate) message: ObjectId,
    #[diesel(column_name = at_ms)]
    pub(crate) at: Timestamp,
    pub(crate) latency_ms: i64,
    /// The receiver's answer.
    pub(crate) status: Option<i64>,
    pub(crate) error: Option<String>,
    pub(crate) response: Option<String>,
}

/// How a message goes on after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It has arrived.
    Arrived,
    /// It is sent again.
    Again(Timestamp),
    /// It is given up.
    GivenUp,
}

/// Keeps an attempt, and how its message goes on. Says whether there still is a subscriber for it.
pub(crate) fn settle(
    connection: &mut Connection,
    attempt: &Attempt,
    tries: i64,
    next: Next,
) -> Result<bool, Error> {
    let (state, due) = match next {
        Next::Arrived => (SUCCEEDED, None),
        Next::Again(at) => (PENDING, Some(at)),
        Next::GivenUp => (FAILED, None),
    };
    // One that was given up with its subscription stays so, unless it has arrived after all.
    let has_arrived = (next == Next::Arrived).into_sql::<Bool>();
    let delivery = webhook_delivery::table
        .find((attempt.message, attempt.webhook))
        .filter(webhook_delivery::state.eq(PENDING).or(has_arrived));
    let changes = (
        webhook_delivery::state.eq(state),
        webhook_delivery::tries.eq(tries),
        webhook_delivery::due_ms.eq(due),
    );
    let count = update_prepared!(connection, delivery, changes)?;
    if count == 0 {
        return Ok(false);
    }
    let insert = diesel::insert_into(webhook_attempt::table).values(attempt.clone());
    both!(connection, c => insert.execute(c))?;
    Ok(true)
}

/// Lets go of what was claimed and not sent.
pub(crate) fn release(
    connection: &mut Connection,
    webhook: WebhookId,
    messages: &[ObjectId],
    claimed_until: Timestamp,
    due: Timestamp,
) -> Result<(), Error> {
    diesel::update(
        webhook_delivery::table
            .filter(webhook_delivery::webhook_id.eq(webhook))
            .filter(webhook_delivery::message_id.eq_any(messages.to_vec()))
            .filter(webhook_delivery::due_ms.is_not_null())
            .filter(webhook_delivery::due_ms.assume_not_null().eq(claimed_until)),
    )
    .set(webhook_delivery::due_ms.eq(due))
    .execute(connection)?;
    Ok(())
}

/// Gives up all that was to be sent to a subscriber.
pub(crate) fn give_up_all(connection: &mut Connection, webhook: WebhookId) -> Result<(), Error> {
    let nothing: Option<Timestamp> = None;
    diesel::update(
        webhook_delivery::table
            .filter(webhook_delivery::webhook_id.eq(webhook))
            .filter(webhook_delivery::due_ms.is_not_null()),
    )
    .set((
        webhook_delivery::state.eq(FAILED),
        webhook_delivery::due_ms.eq(nothing),
    ))
    .execute(connection)?;
    Ok(())
}

/// An attempt with the message that was sent and where that stands.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) attempt: Attempt,
    pub(crate) event: String,
    pub(crate) state: String,
    pub(crate) due: Option<Timestamp>,
}

impl Told {
    /// The `svix-id`.
    pub(crate) fn message_id(&self) -> String {
        public_id(self.attempt.message)
    }
}

/// A page of the attempts to a subscriber, the newest first, and how many there are.
pub(crate) fn attempts(
    connection: &mut Connection,
    webhook: WebhookId,
    limit: i64,
    skip: i64,
) -> Result<(Vec<Told>, i64), Error> {
    let count = webhook_attempt::table
        .filter(webhook_attempt::webhook_id.eq(webhook))
        .count()
        .get_result(connection)?;
    let rows: Vec<(Attempt, String, String, Option<Timestamp>)> = told()
        .filter(webhook_attempt::webhook_id.eq(webhook))
        .order(webhook_attempt::id.desc())
        .limit(limit)
        .offset(skip)
        .select(columns())
        .load(connection)?;
    Ok((rows.into_iter().map(read).collect(), count))
}

/// An attempt by its id.
pub(crate) fn attempt(
    connection: &mut Connection,
    id: WebhookAttemptId,
) -> Result<Option<Told>, Error> {
    let one = told().filter(webhook_attempt::id.eq(id)).select(columns());
    Ok(one.first(connection).optional()?.map(read))
}

#[diesel::dsl::auto_type]
fn told() -> _ {
    let of_attempt = webhook_delivery::message_id
        .eq(webhook_attempt::message_id)
        .and(webhook_delivery::webhook_id.eq(webhook_attempt::webhook_id));
    let message = webhook_message::id.eq(webhook_attempt::message_id);
    webhook_attempt::table
        .inner_join(webhook_message::table.on(message))
        .inner_join(webhook_delivery::table.on(of_attempt))
}

type Columns = (
    AsSelect<Attempt, Backend>,
    webhook_message::event,
    webhook_delivery::state,
    webhook_delivery::due_ms,
);

fn columns() -> Columns {
    (
        Attempt::as_select(),
        webhook_message::event,
        webhook_delivery::state,
        webhook_delivery::due_ms,
    )
}

fn read((attempt, event, state, due): (Attempt, String, String, Option<Timestamp>)) -> Told {
    Told {
        attempt,
        event,
        state,
        due,
    }
}

/// Has a message sent again, as often as a new one.
pub(crate) fn replay(
    connection: &mut Connection,
    message: ObjectId,
    webhook: WebhookId,
    due: Timestamp,
) -> Result<(), Error> {
    diesel::update(webhook_delivery::table.find((message, webhook)))
        .set((
            webhook_delivery::state.eq(PENDING),
            webhook_delivery::tries.eq(0),
            webhook_delivery::due_ms.eq(due),
        ))
        .execute(connection)?;
    Ok(())
}

/// Takes away messages of before an instant that nobody waits for, with their deliveries and
/// attempts; says how many messages those were.
pub(crate) fn prune(
    connection: &mut Connection,
    before: Timestamp,
    limit: i64,
) -> Result<usize, Error> {
    let waited_for = webhook_delivery::table
        .filter(webhook_delivery::message_id.eq(webhook_message::id))
        .filter(webhook_delivery::due_ms.is_not_null());
    let old: Vec<ObjectId> = webhook_message::table
        .filter(webhook_message::created_ms.lt(before))
        .filter(diesel::dsl::not(diesel::dsl::exists(waited_for)))
        .order(webhook_message::created_ms)
        .limit(limit)
        .select(webhook_message::id)
        .load(connection)?;
    if old.is_empty() {
        return Ok(0);
    }
    diesel::delete(webhook_attempt::table.filter(webhook_attempt::message_id.eq_any(old.clone())))
        .execute(connection)?;
    diesel::delete(
        webhook_delivery::table.filter(webhook_delivery::message_id.eq_any(old.clone())),
    )
    .execute(connection)?;
    let gone = diesel::delete(webhook_message::table.filter(webhook_message::id.eq_any(old)));
    Ok(gone.execute(connection)?)
}
