//! Idempotency keys, with who is at their requests and the replies.

use contract::id::AccountId;
use contract::{ObjectId, Timestamp};
use diesel::prelude::*;
use store::{Connection, both, update_prepared};

use crate::Error;
use crate::model::idempotency_key::{KeptReply, KeyRecord};
use crate::schema::idempotency_key;

/// A key that a request came with.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = idempotency_key)]
pub(crate) struct NewKey {
    pub(crate) id: ObjectId,
    #[diesel(column_name = account_id)]
    pub(crate) account: AccountId,
    pub(crate) key: String,
    pub(crate) fingerprint: String,
    pub(crate) holder: ObjectId,
    #[diesel(column_name = held_until_ms)]
    pub(crate) held_until: Timestamp,
    pub(crate) is_begun: bool,
}

#[derive(Queryable)]
struct Row {
    id: ObjectId,
    fingerprint: String,
    held_until_ms: Timestamp,
    is_begun: bool,
    status: Option<i64>,
    content_type: Option<String>,
    reply: Option<String>,
}

/// A key that is known.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) id: ObjectId,
    /// Whether what was asked under it is committed.
    pub(crate) is_begun: bool,
    pub(crate) record: KeyRecord,
}

/// Keeps a key, unless the account has it; says whether it did.
pub(crate) fn insert(connection: &mut Connection, new: &NewKey) -> Result<bool, Error> {
    let insert = diesel::insert_into(idempotency_key::table).values(new.clone());
    let count = both!(connection, c => insert.on_conflict_do_nothing().execute(c))?;
    Ok(count > 0)
}

/// An account's key, locked.
pub(crate) fn find(
    connection: &mut Connection,
    account: AccountId,
    key: &str,
) -> Result<Option<Known>, Error> {
    let rows = idempotency_key::table
        .filter(idempotency_key::account_id.eq(account))
        .filter(idempotency_key::key.eq(key))
        .select((
            idempotency_key::id,
            idempotency_key::fingerprint,
            idempotency_key::held_until_ms,
            idempotency_key::is_begun,
            idempotency_key::status,
            idempotency_key::content_type,
            idempotency_key::reply,
        ));
    let row: Option<Row> = match connection {
        Connection::Sqlite(sqlite) => rows.first(sqlite).optional()?,
        Connection::Postgres(postgres) => rows.for_update().first(postgres).optional()?,
    };
    row.map(Known::try_from).transpose()
}

impl TryFrom<Row> for Known {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let reply = row.status.zip(row.reply).map(|(status, body)| {
            let status = u16::try_from(status)
                .map_err(|_| Error::Corrupt(format!("status {status} of a reply")))?;
            let content_type = row.content_type;
            Ok::<_, Error>(KeptReply {
                status,
                content_type,
                body,
            })
        });
        Ok(Self {
            id: row.id,
            is_begun: row.is_begun,
            record: KeyRecord {
                fingerprint: row.fingerprint,
                held_until: row.held_until_ms,
                reply: reply.transpose()?,
            },
        })
    }
}

/// Gives a request to another holder.
pub(crate) fn take_over(
    connection: &mut Connection,
    id: ObjectId,
    holder: ObjectId,
    until: Timestamp,
) -> Result<(), Error> {
    let changes = (
        idempotency_key::holder.eq(holder),
        idempotency_key::held_until_ms.eq(until),
    );
    let key = idempotency_key::table.find(id);
    update_prepared!(connection, key, changes)?;
    Ok(())
}

/// Keeps that what was asked is being committed; says whether the request is still this holder's.
pub(crate) fn begin(
    connection: &mut Connection,
    id: ObjectId,
    holder: ObjectId,
) -> Result<bool, Error> {
    let key = idempotency_key::table
        .find(id)
        .filter(idempotency_key::holder.eq(holder));
    let count = update_prepared!(connection, key, idempotency_key::is_begun.eq(true))?;
    Ok(count > 0)
}

/// Lets the holder have a request until an instant; that may be now.
pub(crate) fn hold(
    connection: &mut Connection,
    id: ObjectId,
    holder: ObjectId,
    until: Timestamp,
) -> Result<(), Error> {
    let key = idempotency_key::table
        .find(id)
        .filter(idempotency_key::holder.eq(holder));
    update_prepared!(connection, key, idempotency_key::held_until_ms.eq(until))?;
    Ok(())
}

/// Keeps the reply, if the request is still this holder's.
pub(crate) fn answer(
    connection: &mut Connection,
    id: ObjectId,
    holder: ObjectId,
    reply: &KeptReply,
    at: Timestamp,
) -> Result<(), Error> {
    let changes = (
        idempotency_key::held_until_ms.eq(at),
        idempotency_key::status.eq(i64::from(reply.status)),
        idempotency_key::content_type.eq(reply.content_type.as_deref()),
        idempotency_key::reply.eq(reply.body.as_str()),
    );
    let key = idempotency_key::table
        .find(id)
        .filter(idempotency_key::holder.eq(holder));
    update_prepared!(connection, key, changes)?;
    Ok(())
}

/// Forgets keys that nobody has had since an instant; says how many those were.
pub(crate) fn prune(
    connection: &mut Connection,
    before: Timestamp,
    limit: i64,
) -> Result<usize, Error> {
    let old: Vec<ObjectId> = idempotency_key::table
        .filter(idempotency_key::held_until_ms.lt(before))
        .order(idempotency_key::held_until_ms)
        .limit(limit)
        .select(idempotency_key::id)
        .load(connection)?;
    if old.is_empty() {
        return Ok(0);
    }
    // Asked again: one of them may have been taken over meanwhile.
    let gone = idempotency_key::table
        .filter(idempotency_key::id.eq_any(old))
        .filter(idempotency_key::held_until_ms.lt(before));
    Ok(diesel::delete(gone).execute(connection)?)
}
