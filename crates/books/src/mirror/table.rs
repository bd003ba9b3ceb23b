//! Rows of objects and of their versions, as each engine reads and writes many of them fastest. On
//! the embedded engine that is one by one, with a statement that is prepared once; a server is asked
//! as rarely as can be.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Text};
use diesel::upsert::excluded;
use store::{Connection, in_bulk, update_prepared};

use super::Kind;
use super::state::{Labels, Seen};
use crate::Error;
use crate::schema::{object, version};

/// How many rows one statement writes: PostgreSQL takes 65,535 values at most.
const ROWS: usize = 1_000;

/// An object, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, QueryableByName, Selectable, Insertable)]
#[diesel(table_name = object, treat_none_as_default_value = false)]
pub(super) struct Object {
    pub(super) mirror_id: i64,
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) record: i64,
    pub(super) is_removed: bool,
    pub(super) is_flagged: bool,
    pub(super) code: Option<String>,
    pub(super) parent: Option<String>,
    pub(super) day: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) state: String,
}

/// What an object was, from one record until another.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = version, treat_none_as_default_value = false)]
pub(super) struct Version {
    pub(super) mirror_id: i64,
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) record: i64,
    pub(super) until_record: i64,
    pub(super) is_removed: bool,
    pub(super) state: String,
}

impl Object {
    pub(super) fn new(mirror: i64, record: i64, id: &str, seen: &Seen) -> Self {
        let Labels {
            code,
            parent,
            day,
            scope,
        } = seen.labels.clone();
        Self {
            mirror_id: mirror,
            kind: seen.kind.name().to_owned(),
            id: id.to_owned(),
            record,
            is_removed: false,
            is_flagged: !seen.flags.is_empty(),
            code,
            parent,
            day,
            scope,
            state: seen.state.clone(),
        }
    }

    /// What tells it from the others of its mirror.
    pub(super) fn key(&self) -> (&str, &str) {
        (&self.kind, &self.id)
    }

    pub(super) fn has_labels_of(&self, other: &Self) -> bool {
        let labels = |of: &Self| {
            (
                of.code.clone(),
                of.parent.clone(),
                of.day.clone(),
                of.scope.clone(),
            )
        };
        labels(self) == labels(other)
    }

    pub(super) fn until(self, until_record: i64) -> Version {
        Version {
            mirror_id: self.mirror_id,
            kind: self.kind,
            id: self.id,
            record: self.record,
            until_record,
            is_removed: self.is_removed,
            state: self.state,
        }
    }
}

/// Each by its key. Asked for a list of ids, a server that knows little of the table yet reads all
/// objects of the kind instead.
const FIND: &str = "SELECT found.* FROM unnest($3) AS wanted (id) CROSS JOIN LATERAL (
    SELECT * FROM object WHERE mirror_id = $1 AND kind = $2 AND object.id = wanted.id LIMIT 1
) AS found";

/// Those of some objects that there are.
pub(super) fn find(
    c: &mut Connection,
    mirror: i64,
    kind: Kind,
    ids: &[&str],
) -> Result<Vec<Object>, Error> {
    let mut found = Vec::new();
    match c {
        _ if ids.is_empty() => {}
        Connection::Sqlite(c) => {
            for id in ids {
                let row = object::table.find((mirror, kind.name(), id));
                found.extend(row.select(Object::as_select()).first(c).optional()?);
            }
        }
        Connection::Postgres(c) => {
            let query = sql_query(FIND)
                .bind::<BigInt, _>(mirror)
                .bind::<Text, _>(kind.name())
                .bind::<Array<Text>, _>(ids);
            found = query.load(c)?;
        }
    }
    Ok(found)
}

/// Writes objects that are not there yet.
pub(super) fn insert(c: &mut Connection, objects: &[&Object]) -> Result<(), Error> {
    match c {
        Connection::Sqlite(c) => {
            for object in objects {
                diesel::insert_into(object::table)
                    .values(*object)
                    .execute(c)?;
            }
        }
        Connection::Postgres(_) if objects.is_empty() => {}
        Connection::Postgres(c) => {
            let copy = diesel::copy_from(object::table).from_insertable(objects.to_vec());
            in_bulk(c, |c| copy.execute(c))?;
        }
    }
    Ok(())
}

/// Writes objects that are there with other states.
pub(super) fn update(c: &mut Connection, objects: &[&Object]) -> Result<(), Error> {
    if let Connection::Postgres(c) = c {
        return Ok(replace(c, objects)?);
    }
    for row in objects {
        let values = (
            object::record.eq(row.record),
            object::is_removed.eq(row.is_removed),
            object::is_flagged.eq(row.is_flagged),
            object::code.eq(&row.code),
            object::parent.eq(&row.parent),
            object::day.eq(&row.day),
            object::scope.eq(&row.scope),
            object::state.eq(&row.state),
        );
        let key = (row.mirror_id, &row.kind, &row.id);
        update_prepared!(c, object::table.find(key), values)?;
    }
    Ok(())
}

/// The same for those whose labels stay as they are, and with them the entries of the indexes.
pub(super) fn update_states(c: &mut Connection, objects: &[&Object]) -> Result<(), Error> {
    if let Connection::Postgres(c) = c {
        return Ok(replace(c, objects)?);
    }
    for row in objects {
        let values = (
            object::record.eq(row.record),
            object::is_removed.eq(row.is_removed),
            object::is_flagged.eq(row.is_flagged),
            object::state.eq(&row.state),
        );
        let key = (row.mirror_id, &row.kind, &row.id);
        update_prepared!(c, object::table.find(key), values)?;
    }
    Ok(())
}

fn replace(c: &mut PgConnection, objects: &[&Object]) -> QueryResult<()> {
    for objects in objects.chunks(ROWS) {
        let changes = (
            object::record.eq(excluded(object::record)),
            object::is_removed.eq(excluded(object::is_removed)),
            object::is_flagged.eq(excluded(object::is_flagged)),
            object::code.eq(excluded(object::code)),
            object::parent.eq(excluded(object::parent)),
            object::day.eq(excluded(object::day)),
            object::scope.eq(excluded(object::scope)),
            object::state.eq(excluded(object::state)),
        );
        diesel::insert_into(object::table)
            .values(objects.to_vec())
            .on_conflict((object::mirror_id, object::kind, object::id))
            .do_update()
            .set(changes)
            .execute(c)?;
    }
    Ok(())
}

/// Writes what objects were.
pub(super) fn insert_versions(c: &mut Connection, versions: &[Version]) -> Result<(), Error> {
    match c {
        Connection::Sqlite(c) => {
            for version in versions {
                diesel::insert_into(version::table)
                    .values(version)
                    .execute(c)?;
            }
        }
        Connection::Postgres(_) if versions.is_empty() => {}
        Connection::Postgres(c) => {
            let copy = diesel::copy_from(version::table).from_insertable(versions);
            in_bulk(c, |c| copy.execute(c))?;
        }
    }
    Ok(())
}
