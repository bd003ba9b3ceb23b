//! What a record says: a pure function of the record.

use std::collections::HashSet;

use contract::Timestamp;
use guesty::seen::tax::Tax;
use guesty::{Rows, read_object};
use serde::de::DeserializeOwned;

use super::Kind;
use super::flag::Flagged;
use super::state::Seen;
use crate::evidence;

/// A record, as far as the mirror is concerned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) kind: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) status: i32,
    pub(crate) page: i32,
    pub(crate) pages: i32,
    pub(crate) body: &'a [u8],
}

/// What a record says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Objects, as the source has them.
    pub(crate) seen: Vec<Seen>,
    /// The ids of those that came on a page before: they are not counted again.
    pub(crate) again: HashSet<String>,
    /// An object that the source has no more.
    pub(crate) gone: Option<(Kind, String)>,
    /// The list that this is a page of, if all of it was read: what is not in it is no more.
    pub(crate) whole: Option<Whole>,
    /// What could not be told apart from other things, in words.
    pub(crate) unreadable: Vec<String>,
}

impl Reading {
    /// The objects in which there is something that the books do not understand.
    pub(crate) fn flagged(&self) -> impl Iterator<Item = Flagged> {
        let seen = self.seen.iter();
        seen.filter(|seen| !self.again.contains(&seen.id))
            .filter_map(Seen::flagged)
    }

    /// When something last happened of all that it tells, by the source's time.
    pub(super) fn active(&self) -> Option<Timestamp> {
        self.seen.iter().filter_map(|seen| seen.active).max()
    }
}

/// A page of a list that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) kind: Kind,
    pub(crate) scope: String,
    pub(crate) page: i32,
    pub(crate) pages: i32,
    /// How many rows were passed over before this page, where that was asked for.
    pub(crate) skip: Option<usize>,
    /// How many rows it has, and whether the first of them could be read.
    pub(crate) rows: usize,
    pub(crate) is_first_read: bool,
    /// Whether there are rows in it that cannot be read: they may be any.
    pub(crate) has_gaps: bool,
}

/// Reads a record. What is no reply, or a reply that the mirror has no use for, says nothing.
pub(crate) fn read(source: Source<'_>) -> Reading {
    if source.kind != evidence::Kind::Reply.name() {
        return Reading::default();
    }
    let Some(target) = source.subject.strip_prefix("GET /v1/") else {
        return Reading::default();
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path: Vec<&str> = path.split('/').collect();
    match (source.status, path.as_slice()) {
        (404, ["listings", id]) => gone(Kind::Property, id),
        (404, ["reservations", id]) => gone(Kind::Reservation, id),
        (200..=299, path) => read_success(source, path, query),
        _ => Reading::default(),
    }
}

fn read_success(source: Source<'_>, path: &[&str], query: &str) -> Reading {
    let body = source.body;
    match path {
        ["accounts", "me"] => one(body, Seen::account),
        ["listings"] => list(body, None, Seen::property),
        ["listings", _] => one(body, Seen::property),
        ["reservations"] => list(body, None, Seen::reservation),
        ["reservations", _] => one(body, Seen::reservation),
        ["taxes", "account"] => catalog(body, Kind::Tax, "account", Seen::tax),
        ["taxes", "unit-type", id] => catalog(body, Kind::Tax, id, Seen::tax),
        ["taxes", "unit-type", id, "actual"] => applied_taxes(body, id),
        ["additional-fees", "account"] => catalog(body, Kind::Fee, "account", Seen::fee),
        ["additional-fees", "listing", id] => catalog(body, Kind::Fee, id, Seen::fee),
        ["payment-transactions", "report" | "reports"] => {
            report(source, Kind::Transaction, query, Seen::transaction)
        }
        [
            "payment-transactions",
            "report" | "reports",
            "payouts-reconciliation",
        ] => report(source, Kind::PayoutLine, query, Seen::payout_line),
        _ => Reading::default(),
    }
}

fn gone(kind: Kind, id: &str) -> Reading {
    Reading {
        gone: Some((kind, id.to_owned())),
        ..Reading::default()
    }
}

fn one<T: DeserializeOwned>(body: &[u8], see: impl Fn(&T) -> Result<Seen, String>) -> Reading {
    let object = read_object(body).map_err(|error| error.to_string());
    let mut reading = Reading::default();
    match object.and_then(|object| see(&object)) {
        Ok(seen) => reading.seen.push(seen),
        Err(reason) => reading.unreadable.push(reason),
    }
    reading
}

fn list<T: DeserializeOwned>(
    body: &[u8],
    whole: Option<Whole>,
    see: impl Fn(&T) -> Result<Seen, String>,
) -> Reading {
    let rows = match Rows::<T>::read(body) {
        Ok(rows) => rows,
        Err(error) => {
            return Reading {
                unreadable: vec![error.to_string()],
                ..Reading::default()
            };
        }
    };
    let mut reading = Reading {
        whole,
        ..Reading::default()
    };
    let count = rows.items.len() + rows.unreadable.len();
    let mut is_first_read = rows.unreadable.first().is_none_or(|row| row.index > 0);
    for row in rows.unreadable {
        reading
            .unreadable
            .push(format!("row {}: {}", row.index + 1, row.reason));
    }
    for (index, row) in rows.items.iter().enumerate() {
        match see(row) {
            Ok(seen) => reading.seen.push(seen),
            Err(reason) => {
                is_first_read &= index > 0;
                reading.unreadable.push(reason);
            }
        }
    }
    if let Some(whole) = &mut reading.whole {
        (whole.rows, whole.is_first_read) = (count, is_first_read);
        whole.has_gaps = !reading.unreadable.is_empty();
    }
    reading
}

/// The catalog of the account or of a listing, which comes whole.
fn catalog<T: DeserializeOwned>(
    body: &[u8],
    kind: Kind,
    level: &str,
    see: impl Fn(&T, &str) -> Result<Seen, String>,
) -> Reading {
    let whole = Whole {
        kind,
        scope: level.to_owned(),
        page: 1,
        pages: 1,
        skip: None,
        rows: 0,
        is_first_read: true,
        has_gaps: false,
    };
    list(body, Some(whole), |row| see(row, level))
}

fn applied_taxes(body: &[u8], listing: &str) -> Reading {
    let mut reading = Reading::default();
    let rows = Rows::<Tax>::read(body).map_err(|error| error.to_string());
    match rows.and_then(|rows| Seen::applied_taxes(listing, &rows.items)) {
        Ok(seen) => reading.seen.push(seen),
        Err(reason) => reading.unreadable.push(reason),
    }
    reading
}

/// A page of a report of some dates. (A report of one reservation proves nothing of the others.)
fn report<T: DeserializeOwned>(
    source: Source<'_>,
    kind: Kind,
    query: &str,
    see: impl Fn(&T, &str) -> Result<Seen, String>,
) -> Reading {
    let parameter = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let (Some(start), Some(end)) = (parameter("startDate"), parameter("endDate")) else {
        return Reading::default();
    };
    let scope = format!("{start}..{end}");
    let whole = Whole {
        kind,
        scope: scope.clone(),
        page: source.page,
        pages: source.pages,
        skip: parameter("skip").and_then(|skip| skip.parse().ok()),
        rows: 0,
        is_first_read: true,
        has_gaps: false,
    };
    list(source.body, Some(whole), |row| see(row, &scope))
}
