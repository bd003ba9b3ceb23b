//! Runs on record: what was to be read, and what came of it.

use contract::id::ConnectionId;
use contract::{ObjectId, Timestamp};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use store::{Connection, both};

use super::{Part, Span, Summary};
use crate::schema::sync_run;
use crate::{Books, Error};

/// What a run is to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) parts: Vec<Part>,
    pub(super) changed_only: bool,
    pub(super) span: Option<Span>,
}

/// A run, as it is on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Which run.
    pub id: ObjectId,
    /// What was to be read.
    pub parts: Vec<Part>,
    /// Whether only what had changed was, as far as the source can tell.
    pub changed_only: bool,
    /// The dates, if not all.
    pub span: Option<Span>,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended, or was last heard of; none: it is under way.
    pub ended_at: Option<Timestamp>,
    /// When somebody first asked it to end before its time.
    pub stop_asked_at: Option<Timestamp>,
    /// What came of it; none if it is under way or was interrupted.
    pub summary: Option<Summary>,
}

impl RunRecord {
    /// Whether it came to its end, and all was read.
    pub fn is_complete(&self) -> bool {
        self.summary.as_ref().is_some_and(Summary::is_complete)
    }
}

impl Books {
    /// The last run over a connection, from the database alone.
    pub async fn last_sync(&self, id: ConnectionId) -> Result<Option<RunRecord>, Error> {
        let now = self.clock().now();
        self.store().read(move |c| last(c, id, now)).await
    }
}

/// A run's row.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = sync_run)]
pub(super) struct Row {
    pub(super) id: ObjectId,
    chain_id: String,
    parts: String,
    changed_only: bool,
    from_day: Option<String>,
    to_day: Option<String>,
    pub(super) began_ms: Timestamp,
    pub(super) until_ms: Timestamp,
    ended_ms: Option<Timestamp>,
    summary: Option<String>,
    stop_ms: Option<Timestamp>,
}

impl Row {
    /// One that begins.
    pub(super) fn new(
        id: ObjectId,
        chain: ConnectionId,
        plan: &Plan,
        now: Timestamp,
        until: Timestamp,
    ) -> Self {
        let parts: Vec<String> = plan.parts.iter().map(ToString::to_string).collect();
        Self {
            id,
            chain_id: chain.to_string(),
            parts: parts.join(" "),
            changed_only: plan.changed_only,
            from_day: plan.span.map(|span| span.from().to_string()),
            to_day: plan.span.map(|span| span.to().to_string()),
            began_ms: now,
            until_ms: until,
            ended_ms: None,
            summary: None,
            stop_ms: None,
        }
    }

    /// What it says at an instant: one that nobody has renewed since was interrupted.
    fn read(self, now: Timestamp) -> Result<RunRecord, Error> {
        let corrupt = |what: &str| Error::Corrupt(format!("the {what} of sync run {}", self.id));
        let part = |name: &str| {
            let mut parts = Part::ALL.into_iter();
            parts.find(|part| part.to_string() == name)
        };
        let parts = self.parts.split_whitespace().map(part);
        let day = |day: &str| day.parse().ok();
        let span = self.from_day.as_deref().zip(self.to_day.as_deref());
        let span = span.map(|(from, to)| Span::new(day(from)?, day(to)?).ok());
        let summary = self.summary.as_deref().map(serde_json::from_str);
        Ok(RunRecord {
            id: self.id,
            parts: (parts.collect::<Option<_>>()).ok_or_else(|| corrupt("parts"))?,
            changed_only: self.changed_only,
            span: span
                .map(|span| span.ok_or_else(|| corrupt("dates")))
                .transpose()?,
            began_at: self.began_ms,
            ended_at: self
                .ended_ms
                .or((self.until_ms <= now).then_some(self.until_ms)),
            stop_asked_at: self.stop_ms,
            summary: summary.transpose().map_err(|_| corrupt("summary"))?,
        })
    }
}

/// The run of a chain that has not ended, dead or alive.
pub(super) fn under_way(c: &mut Connection, chain: ConnectionId) -> Result<Option<Row>, Error> {
    let row = sync_run::table
        .filter(sync_run::chain_id.eq(chain.as_str()))
        .filter(sync_run::ended_ms.is_null());
    Ok(both!(c, c => row.select(Row::as_select()).first(c).optional())?)
}

/// A run as it is on record.
pub(super) fn by_id(c: &mut Connection, id: ObjectId, now: Timestamp) -> Result<RunRecord, Error> {
    let row = sync_run::table.find(id);
    let row: Option<Row> = both!(c, c => row.select(Row::as_select()).first(c).optional())?;
    row.ok_or_else(|| Error::Corrupt(format!("sync run {id}, which is gone")))?
        .read(now)
}

fn last(
    c: &mut Connection,
    chain: ConnectionId,
    now: Timestamp,
) -> Result<Option<RunRecord>, Error> {
    let rows = sync_run::table
        .filter(sync_run::chain_id.eq(chain.as_str()))
        .order((sync_run::began_ms.desc(), sync_run::id.desc()));
    let row: Option<Row> = both!(c, c => rows.select(Row::as_select()).first(c).optional())?;
    row.map(|row| row.read(now)).transpose()
}
