//! How the inbox of a connection stands.

use contract::Timestamp;
use contract::id::ConnectionId;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use store::{Connection, both};

use crate::schema::{inbox_hint, inbox_message};
use crate::{Books, Error};

/// How many of what cannot be read are told.
const UNREADABLE_MAX: i64 = 100;

/// How the inbox of a connection stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxState {
    /// How many objects are to be read again.
    pub waiting: i64,
    /// Since when the first of them waits.
    pub waiting_since: Option<Timestamp>,
    /// How many messages came in the last days that tell what the books do not understand; they are
    /// kept as evidence.
    pub unknown: i64,
    /// What the source told of and does not give, at most a hundred. It is tried again every day,
    /// and whenever a message tells of it.
    pub unreadable: Vec<Unreadable>,
}

/// Something that the source told of and does not give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Queryable)]
pub struct Unreadable {
    /// What it is.
    pub kind: String,
    /// Which.
    pub id: String,
    /// Why.
    pub reason: String,
}

impl Books {
    /// How the inbox of a connection stands.
    pub async fn inbox_state(&self, id: ConnectionId) -> Result<InboxState, Error> {
        self.store().read(move |c| state(c, id)).await
    }
}

fn state(c: &mut Connection, id: ConnectionId) -> Result<InboxState, Error> {
    let hints = inbox_hint::table.filter(inbox_hint::connection_id.eq(id.as_str()));
    let since = diesel::dsl::min(inbox_hint::since_ms);
    let waiting = hints.filter(inbox_hint::problem.is_null());
    let (count, since): (i64, Option<Timestamp>) =
        both!(c, c => waiting.select((diesel::dsl::count_star(), since)).first(c))?;
    let unreadable = hints
        .filter(inbox_hint::problem.is_not_null())
        .order((inbox_hint::kind, inbox_hint::object_id))
        .limit(UNREADABLE_MAX)
        .select((
            inbox_hint::kind,
            inbox_hint::object_id,
            inbox_hint::problem.assume_not_null(),
        ));
    let unknown = inbox_message::table
        .filter(inbox_message::connection_id.eq(id.as_str()))
        .filter(inbox_message::is_unknown.eq(true))
        .count();
    Ok(InboxState {
        waiting: count,
        waiting_since: since,
        unknown: both!(c, c => unknown.get_result(c))?,
        unreadable: both!(c, c => unreadable.load(c))?,
    })
}
