//! What an object was, from the first that was known of it.

use std::collections::BTreeSet;

use contract::Timestamp;
use diesel::prelude::*;
use serde_json::Value as Json;
use store::{Connection, both};

use super::key::keys;
use super::read::{Mirror, current, ids_by};
use super::{Kind, Lookup};
use crate::Error;
use crate::schema::{evidence, object, version};

/// Something that became known of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The object.
    pub id: String,
    /// The record that it became known by.
    pub record: i64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub change: Change,
    /// The values that are other than before.
    pub values: Vec<Value>,
}

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was first seen.
    Appeared,
    /// It was other than before.
    Changed,
    /// The source had it no more.
    Removed,
    /// The source had it again.
    Returned,
}

/// A value that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Which, by its path: `money.totalPaid`.
    pub field: String,
    /// What it was.
    pub before: Option<String>,
    /// What it became.
    pub after: Option<String>,
}

#[derive(Queryable)]
struct Row {
    record: i64,
    is_removed: bool,
    state: String,
}

impl Mirror {
    /// What became known of the objects of a kind that have a confirmation code, or else of the one
    /// with that id, each from its beginning.
    pub async fn history(&self, kind: Kind, key: &str) -> Result<Vec<Step>, Error> {
        let (chain, key) = (self.chain.id, key.to_owned());
        let read = self.chain.store.read(move |c| {
            let Some(mirror) = current(c, chain)? else {
                return Ok::<_, Error>(Vec::new());
            };
            let mut steps = Vec::new();
            for id in ids_of(c, mirror, kind, &key)? {
                let states = states(c, mirror, kind, &id)?;
                let mut before: Option<Row> = None;
                for row in states {
                    let at = came_at(c, chain.as_str(), row.record)?;
                    steps.push(step(&id, at, before.as_ref(), &row)?);
                    before = Some(row);
                }
            }
            Ok(steps)
        });
        read.await
    }
}

fn ids_of(c: &mut Connection, mirror: i64, kind: Kind, key: &str) -> Result<Vec<String>, Error> {
    let found = ids_by(c, mirror, kind, &Lookup::Code(key.to_owned()))?;
    if !found.is_empty() {
        return Ok(found);
    }
    for key in keys(key) {
        let row = object::table.find((mirror, kind.name(), key));
        let id = row.select(object::id);
        let found = both!(c, c => id.load::<String>(c))?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

fn states(c: &mut Connection, mirror: i64, kind: Kind, id: &str) -> Result<Vec<Row>, Error> {
    let versions = version::table
        .filter(version::mirror_id.eq(mirror))
        .filter(version::kind.eq(kind.name()))
        .filter(version::id.eq(id))
        .order(version::record)
        .select((version::record, version::is_removed, version::state));
    let mut rows = both!(c, c => versions.load::<Row>(c))?;
    let last = object::table.find((mirror, kind.name(), id));
    let last = last.select((object::record, object::is_removed, object::state));
    rows.push(both!(c, c => last.first::<Row>(c))?);
    Ok(rows)
}

fn came_at(c: &mut Connection, chain: &str, record: i64) -> Result<Timestamp, Error> {
    let at = evidence::table
        .find((chain, record))
        .select(evidence::at_ms);
    Ok(both!(c, c => at.first::<Timestamp>(c))?)
}

fn step(id: &str, at: Timestamp, before: Option<&Row>, row: &Row) -> Result<Step, Error> {
    let change = match before {
        None => Change::Appeared,
        Some(_) if row.is_removed => Change::Removed,
        Some(before) if before.is_removed => Change::Returned,
        Some(_) => Change::Changed,
    };
    let was = before.map(|before| read(id, &before.state)).transpose()?;
    Ok(Step {
        id: id.to_owned(),
        record: row.record,
        at,
        change,
        values: differences(&was.unwrap_or_default(), &read(id, &row.state)?),
    })
}

fn read(id: &str, state: &str) -> Result<Json, Error> {
    serde_json::from_str(state).map_err(|error| Error::Corrupt(format!("{id}: {error}")))
}

/// The values that differ, in the order of the newer state.
fn differences(before: &Json, after: &Json) -> Vec<Value> {
    let (was, is) = (flat(before), flat(after));
    let find = |values: &[(String, String)], field: &str| {
        let mut found = values.iter().filter(|(name, _)| name == field);
        found.next().map(|(_, value)| value.clone())
    };
    let mut met = BTreeSet::new();
    let fields = is.iter().chain(&was).map(|(field, _)| field);
    let fields = fields.filter(|field| met.insert(field.as_str()));
    let values = fields.map(|field| Value {
        field: field.clone(),
        before: find(&was, field),
        after: find(&is, field),
    });
    values.filter(|value| value.before != value.after).collect()
}

/// All values with their paths.
fn flat(state: &Json) -> Vec<(String, String)> {
    fn walk(value: &Json, path: &str, values: &mut Vec<(String, String)>) {
        match (value.as_str().or_else(|| unreadable(value)), value) {
            (Some(text), _) => values.push((path.to_owned(), text.to_owned())),
            (None, Json::Object(_) | Json::Array(_)) => each(value, |name, inner| {
                let path = if path.is_empty() {
                    name
                } else {
                    format!("{path}.{name}")
                };
                walk(inner, &path, values);
            }),
            (None, _) => {}
        }
    }
    let mut values = Vec::new();
    walk(state, "", &mut values);
    values
}

/// The text of a field that could not be read, as [`guesty::Field`] writes it.
fn unreadable(value: &Json) -> Option<&str> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    fields.get("?")?.as_str()
}

/// Calls with each field of an object or item of a list, and its name or place.
fn each<'a>(value: &'a Json, mut visit: impl FnMut(String, &'a Json)) {
    match value {
        Json::Object(fields) => fields
            .iter()
            .for_each(|(name, inner)| visit(name.clone(), inner)),
        Json::Array(items) => {
            let places = items.iter().enumerate();
            places.for_each(|(place, item)| visit(place.to_string(), item));
        }
        _ => {}
    }
}
