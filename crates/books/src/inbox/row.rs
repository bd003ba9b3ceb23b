//! The inbox's tables: which messages came, and what is to be read because of them.
//!
//! What changes a hint holds the lock of the connection's chain.

use std::collections::HashSet;

use chrono::TimeDelta;
use contract::id::ConnectionId;
use contract::{ObjectId, Timestamp};
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::upsert::excluded;
use store::{Connection, both, in_bulk, update_prepared};

use crate::Error;
use crate::mirror::Kind;
use crate::schema::{connection, inbox_hint, inbox_message};

/// For how long a message is remembered: longer than a source sends it again.
pub(crate) const REMEMBERED: TimeDelta = TimeDelta::days(7);
/// How long a reader has before another takes what it was to read.
const CLAIMED_FOR: TimeDelta = TimeDelta::seconds(30);
/// How long a hint rests that the source refuses for good.
const REST: TimeDelta = TimeDelta::days(1);
/// How long one rests at most that could not be read for a reason that passes.
const PATIENCE_MAX: TimeDelta = TimeDelta::hours(1);

/// Something to read again.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub(crate) struct Due {
    pub(crate) kind: String,
    pub(crate) id: String,
    /// The last message that told of it when it was claimed.
    told: i64,
    tries: i64,
}

/// For how long something that could not be read is left alone.
#[derive(Debug, Clone)]
pub(crate) enum Rest {
    /// The source was in trouble with it.
    UntilItPasses,
    /// The source does not give it, for this reason.
    WithProblem(String),
}

/// A message that came, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Insertable)]
#[diesel(table_name = inbox_message)]
pub(super) struct Came {
    pub(super) connection_id: String,
    pub(super) message_id: String,
    pub(super) arrived_ms: Timestamp,
    pub(super) is_unknown: bool,
}

/// Remembers messages, of which none is there twice; the ids of those that are new.
pub(super) fn remember(c: &mut Connection, came: &[Came]) -> Result<HashSet<String>, Error> {
    let mut new = HashSet::new();
    match c {
        Connection::Sqlite(c) => {
            for row in came {
                let insert = diesel::insert_into(inbox_message::table).values(row);
                if insert.on_conflict_do_nothing().execute(c)? > 0 {
                    new.insert(row.message_id.clone());
                }
            }
        }
        // A server is asked once.
        Connection::Postgres(c) => {
            let insert = diesel::insert_into(inbox_message::table).values(came);
            let insert = insert.on_conflict_do_nothing();
            let insert = insert.returning(inbox_message::message_id);
            new.extend(in_bulk(c, |c| insert.load(c))?);
        }
    }
    Ok(new)
}

/// Forgets some messages that came before an instant; how many.
pub(crate) fn forget(c: &mut Connection, before: Timestamp, at_most: i64) -> Result<usize, Error> {
    let old = inbox_message::table
        .filter(inbox_message::arrived_ms.lt(before))
        .limit(at_most)
        .select((inbox_message::connection_id, inbox_message::message_id));
    let old = both!(c, c => old.load::<(String, String)>(c))?;
    for (connection, message) in &old {
        let row = inbox_message::table.find((connection, message));
        both!(c, c => diesel::delete(row).execute(c))?;
    }
    Ok(old.len())
}

/// That a message told of an object.
#[derive(Debug, Clone, PartialEq, Eq, Insertable)]
#[diesel(table_name = inbox_hint)]
pub(super) struct NewHint {
    connection_id: String,
    kind: &'static str,
    object_id: String,
    told: i64,
    since_ms: Timestamp,
    due_ms: Timestamp,
    is_claimed: bool,
    tries: i64,
}

impl NewHint {
    pub(super) fn new(
        connection: ConnectionId,
        kind: Kind,
        id: ObjectId,
        told: i64,
        now: Timestamp,
    ) -> Self {
        Self {
            connection_id: connection.to_string(),
            kind: kind.name(),
            object_id: id.to_string(),
            told,
            since_ms: now,
            due_ms: now,
            is_claimed: false,
            tries: 0,
        }
    }
}

/// Notes of what messages told, of which nothing is there twice. What is being read is read once
/// more after that.
pub(super) fn tell(c: &mut Connection, told: &[NewHint]) -> Result<(), Error> {
    let key = (
        inbox_hint::connection_id,
        inbox_hint::kind,
        inbox_hint::object_id,
    );
    let again = (
        inbox_hint::told.eq(excluded(inbox_hint::told)),
        inbox_hint::due_ms.eq(case_when(inbox_hint::is_claimed, inbox_hint::due_ms)
            .otherwise(excluded(inbox_hint::due_ms))),
        inbox_hint::tries.eq(excluded(inbox_hint::tries)),
    );
    match c {
        Connection::Sqlite(c) => {
            for row in told {
                let insert = diesel::insert_into(inbox_hint::table).values(row);
                insert.on_conflict(key).do_update().set(again).execute(c)?;
            }
        }
        Connection::Postgres(c) => {
            let insert = diesel::insert_into(inbox_hint::table).values(told);
            let insert = insert.on_conflict(key).do_update().set(again);
            in_bulk(c, |c| insert.execute(c))?;
        }
    }
    Ok(())
}

/// The connections that have credentials and something to read, and when those were saved.
pub(crate) fn waiting(
    c: &mut Connection,
    now: Timestamp,
) -> Result<Vec<(ConnectionId, Timestamp)>, Error> {
    let due = inbox_hint::table
        .filter(inbox_hint::connection_id.eq(connection::id))
        .filter(inbox_hint::due_ms.le(now));
    let ids = connection::table
        .filter(connection::sealed_secret.is_not_null())
        .filter(diesel::dsl::exists(due))
        .select((connection::id, connection::saved_ms));
    Ok(both!(c, c => ids.load(c))?)
}

/// Takes some of what is due, what waits longest first. Whoever dies over it is succeeded soon.
pub(crate) fn claim(
    c: &mut Connection,
    connection: ConnectionId,
    now: Timestamp,
    at_most: i64,
) -> Result<Vec<Due>, Error> {
    let due = inbox_hint::table
        .filter(inbox_hint::connection_id.eq(connection.as_str()))
        .filter(inbox_hint::due_ms.le(now))
        .order((inbox_hint::due_ms, inbox_hint::told))
        .limit(at_most)
        .select((
            inbox_hint::kind,
            inbox_hint::object_id,
            inbox_hint::told,
            inbox_hint::tries,
        ));
    let due = both!(c, c => due.load::<Due>(c))?;
    for hint in &due {
        let claim = (
            inbox_hint::is_claimed.eq(true),
            inbox_hint::due_ms.eq(now + CLAIMED_FOR),
        );
        update_prepared!(c, hint.row(&connection), claim)?;
    }
    Ok(due)
}

type Row<'a> = diesel::dsl::Find<inbox_hint::table, (&'a str, &'a str, &'a str)>;

impl Due {
    fn row<'a>(&'a self, connection: &'a ConnectionId) -> Row<'a> {
        inbox_hint::table.find((connection.as_str(), self.kind.as_str(), self.id.as_str()))
    }

    /// A second, and twice as long each time, up to an hour.
    fn patience(&self) -> TimeDelta {
        let doublings = u32::try_from(self.tries).unwrap_or(u32::MAX).min(12);
        TimeDelta::seconds(1_i64 << doublings).min(PATIENCE_MAX)
    }

    /// It was read. If a message told of it since it was claimed, it is to be read again.
    pub(crate) fn is_done(
        &self,
        c: &mut Connection,
        connection: ConnectionId,
        now: Timestamp,
    ) -> Result<(), Error> {
        let done = self.row(&connection).filter(inbox_hint::told.eq(self.told));
        let done = both!(c, c => diesel::delete(done).execute(c))?;
        if done == 0 {
            self.put_back(c, connection, now)?;
        }
        Ok(())
    }

    /// It was not read, and is due as if it had not been claimed.
    pub(crate) fn put_back(
        &self,
        c: &mut Connection,
        connection: ConnectionId,
        now: Timestamp,
    ) -> Result<(), Error> {
        let again = (inbox_hint::is_claimed.eq(false), inbox_hint::due_ms.eq(now));
        update_prepared!(c, self.row(&connection), again)?;
        Ok(())
    }

    /// It could not be read, and is tried again after a while; at once, if another message told of
    /// it meanwhile.
    pub(crate) fn rest(
        &self,
        c: &mut Connection,
        connection: ConnectionId,
        now: Timestamp,
        rest: &Rest,
    ) -> Result<(), Error> {
        let (until, problem) = match rest {
            Rest::UntilItPasses => (now + self.patience(), None),
            // Not all databases keep a NUL in a text.
            Rest::WithProblem(problem) => (now + REST, Some(problem.replace('\0', ""))),
        };
        let rest = (
            inbox_hint::is_claimed.eq(false),
            inbox_hint::due_ms.eq(until),
            inbox_hint::tries.eq(self.tries + 1),
            inbox_hint::problem.eq(problem),
        );
        let same = self.row(&connection).filter(inbox_hint::told.eq(self.told));
        if update_prepared!(c, same, rest)? == 0 {
            self.put_back(c, connection, now)?;
        }
        Ok(())
    }
}
