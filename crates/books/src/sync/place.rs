//! How far a list was read.

use chrono::Duration;
use contract::Timestamp;
use contract::id::ConnectionId;
use diesel::prelude::*;
use store::{Connection, both};

use crate::Error;
use crate::schema::sync_place;

/// A reading that was interrupted longer ago is begun anew.
const STALE: Duration = Duration::hours(6);

/// How far a list was read.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sync_place, treat_none_as_null = true)]
pub(super) struct Place {
    chain_id: String,
    list: String,
    begun_ms: Timestamp,
    pub(super) done: i64,
    pub(super) read_ms: Option<Timestamp>,
    /// The source's own time when this reading began.
    mark_ms: Option<Timestamp>,
    /// The id up to which all is in, of a reading that is under way.
    last_id: Option<String>,
}

impl Place {
    /// Where the reading of a list goes on: at its beginning, or where it was interrupted of late.
    pub(super) fn resume(
        c: &mut Connection,
        chain: ConnectionId,
        list: &str,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let row = sync_place::table.find((chain.as_str(), list));
        let found = both!(c, c => row.select(Self::as_select()).first::<Self>(c).optional())?;
        let begun = Self {
            chain_id: chain.to_string(),
            list: list.to_owned(),
            begun_ms: now,
            done: 0,
            read_ms: None,
            mark_ms: None,
            last_id: None,
        };
        Ok(match found {
            None => begun,
            Some(place) if place.is_under_way() && now - place.begun_ms < STALE => place,
            Some(place) => Self {
                read_ms: place.read_ms,
                ..begun
            },
        })
    }

    /// Whether it is known where to go on.
    fn is_under_way(&self) -> bool {
        self.done > 0 && self.last_id.is_some()
    }

    /// The same list from its beginning.
    pub(super) fn anew(self, now: Timestamp) -> Self {
        Self {
            begun_ms: now,
            done: 0,
            last_id: None,
            ..self
        }
    }

    /// What time it was at the source when this reading began, unless it began before.
    pub(super) fn marked(self, mark: Option<Timestamp>) -> Self {
        let mark_ms = if self.done == 0 { mark } else { self.mark_ms };
        Self { mark_ms, ..self }
    }

    pub(super) fn mark(&self) -> Option<Timestamp> {
        self.mark_ms
    }

    /// The id up to which all is in; empty at the beginning.
    pub(super) fn last(&self) -> &str {
        self.last_id.as_deref().unwrap_or_default()
    }

    /// So many rows are in, up to an id.
    pub(super) fn at(&self, done: u64, last: &str) -> Self {
        Self {
            done: i64::try_from(done).unwrap_or(i64::MAX),
            last_id: Some(last.to_owned()),
            ..self.clone()
        }
    }

    /// All rows are in.
    pub(super) fn at_end(&self) -> Self {
        self.at_end_as_of(Some(self.begun_ms))
    }

    /// All rows are in, as they were at an instant of the source's own time.
    pub(super) fn at_end_as_of(&self, read_ms: Option<Timestamp>) -> Self {
        Self {
            done: 0,
            read_ms,
            mark_ms: None,
            last_id: None,
            ..self.clone()
        }
    }

    /// Keeps it.
    pub(super) fn save(&self, c: &mut Connection) -> Result<(), Error> {
        let insert = diesel::insert_into(sync_place::table).values(self);
        let key = (sync_place::chain_id, sync_place::list);
        both!(c, c => insert.on_conflict(key).do_update().set(self).execute(c))?;
        Ok(())
    }
}
