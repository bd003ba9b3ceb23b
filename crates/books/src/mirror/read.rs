//! Reading the mirror, as it stands or as it stood.

use contract::Timestamp;
use contract::id::ConnectionId;
use diesel::prelude::*;
use store::{Connection, both, random_bytes, update_prepared};

use super::canonical::canonical;
use super::flag::Flag;
use super::key::{key, keys};
use super::{Kind, Mirrored};
use crate::Error;
use crate::evidence::Chain;
use crate::schema::{mirror, object, version};

/// What the evidence of one connection says.
#[derive(Clone)]
pub struct Mirror {
    pub(super) chain: Chain,
}

/// As of when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// As it stands.
    Now,
    /// As it stood when this record had been appended, and none after it.
    Record(i64),
    /// As it was known at an instant.
    Instant(Timestamp),
}

/// What objects are looked for by. They are found by what they are now, and shown as of whenever
/// they are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// A reservation's confirmation code: of reservations, transactions and payout lines.
    Code(String),
    /// The listing of reservations and taxes (`account` for those of the account); the payout of
    /// payout lines.
    Parent(String),
    /// Dates from one to another, both included: arrivals of reservations, the merchant's dates of
    /// transactions, the process dates of payout lines.
    Days(String, String),
}

/// An object, as it was known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known<T> {
    /// The source's id of it, or what stands for one.
    pub id: String,
    /// What it was.
    pub value: T,
    /// The record that it was so by.
    pub record: i64,
    /// Whether the source had it no more; it is then what it was last.
    pub is_removed: bool,
    /// What in it the books do not understand.
    pub flags: Vec<Flag>,
}

/// A state of an object.
#[derive(Debug, Queryable)]
struct Row {
    id: String,
    record: i64,
    is_removed: bool,
    state: String,
}

impl Mirror {
    /// The mirror of a chain.
    pub fn of(chain: &Chain) -> Self {
        Self {
            chain: chain.clone(),
        }
    }

    /// One object; none if it was not known then.
    pub async fn get<T: Mirrored>(&self, id: &str, as_of: AsOf) -> Result<Option<Known<T>>, Error> {
        let ids = vec![id.to_owned()];
        let found = self
            .read(T::KIND, as_of, move |_, _| Ok(ids.clone()))
            .await?;
        Ok(found.into_iter().next())
    }

    /// Objects by what they are looked for by, in the order of their ids.
    pub async fn find<T: Mirrored>(
        &self,
        lookup: Lookup,
        as_of: AsOf,
    ) -> Result<Vec<Known<T>>, Error> {
        let ids = move |c: &mut Connection, mirror| ids_by(c, mirror, T::KIND, &lookup);
        self.read(T::KIND, as_of, ids).await
    }

    /// Some of all objects of a kind, in the order of their ids, after one of them. An empty list is
    /// the end.
    pub async fn page<T: Mirrored>(
        &self,
        after: &str,
        at_most: i64,
        as_of: AsOf,
    ) -> Result<Vec<Known<T>>, Error> {
        let mut after = after.to_owned();
        loop {
            let (id, from) = (self.chain.id, after);
            let ids = self.chain.store.read(move |c| match current(c, id)? {
                Some(mirror) => ids_after(c, mirror, T::KIND, &from, at_most),
                None => Ok(Vec::new()),
            });
            let ids = ids.await?;
            let Some(last) = ids.last().cloned() else {
                return Ok(Vec::new());
            };
            let found = self
                .read(T::KIND, as_of, move |_, _| Ok(ids.clone()))
                .await?;
            // Of those, none may have been known then, but some of the next.
            if !found.is_empty() {
                return Ok(found);
            }
            after = last;
        }
    }

    /// What in an object the books do not understand; nothing if it was not known then.
    pub async fn flags(&self, kind: Kind, id: &str, as_of: AsOf) -> Result<Vec<Flag>, Error> {
        let last = self.last_record(as_of).await?;
        let (chain, id) = (self.chain.id, id.to_owned());
        let read = self.chain.store.read(move |c| match current(c, chain)? {
            Some(mirror) => state(c, mirror, kind, &id, last),
            None => Ok::<_, Error>(None),
        });
        let Some(row) = read.await? else {
            return Ok(Vec::new());
        };
        let corrupt = |error| Error::Corrupt(format!("{kind} {}: {error}", row.id));
        kind.flags(&row.state).map_err(corrupt)
    }

    /// How many objects of a kind the source has, as far as is known.
    pub async fn count(&self, kind: Kind) -> Result<i64, Error> {
        let id = self.chain.id;
        let count = self.chain.store.read(move |c| {
            let Some(mirror) = current(c, id)? else {
                return Ok::<_, Error>(0);
            };
            let rows = object::table
                .filter(object::mirror_id.eq(mirror))
                .filter(object::kind.eq(kind.name()))
                .filter(object::is_removed.eq(false))
                .count();
            Ok(both!(c, c => rows.get_result::<i64>(c))?)
        });
        count.await
    }

    async fn read<T: Mirrored>(
        &self,
        kind: Kind,
        as_of: AsOf,
        ids: impl Fn(&mut Connection, i64) -> Result<Vec<String>, Error> + Send + 'static,
    ) -> Result<Vec<Known<T>>, Error> {
        let last = self.last_record(as_of).await?;
        let id = self.chain.id;
        let rows = self.chain.store.read(move |c| {
            let Some(mirror) = current(c, id)? else {
                return Ok(Vec::new());
            };
            let ids = ids(c, mirror)?;
            let states = ids.iter().map(|id| state(c, mirror, kind, id, last));
            states.collect::<Result<Vec<_>, Error>>()
        });
        let rows = rows.await?.into_iter().flatten();
        rows.map(|row| known(kind, row)).collect()
    }

    /// The last record that counts; none: all do.
    pub(super) async fn last_record(&self, as_of: AsOf) -> Result<Option<i64>, Error> {
        Ok(match as_of {
            AsOf::Now => None,
            AsOf::Record(number) => Some(number),
            AsOf::Instant(at) => Some(self.chain.known_by(at).await?),
        })
    }
}

fn known<T: Mirrored>(kind: Kind, row: Row) -> Result<Known<T>, Error> {
    let corrupt = |error| Error::Corrupt(format!("{kind} {}: {error}", row.id));
    let value = serde_json::from_str(&row.state).map_err(corrupt)?;
    Ok(Known {
        flags: canonical(kind, &value).map_err(corrupt)?.1,
        value,
        id: row.id,
        record: row.record,
        is_removed: row.is_removed,
    })
}

/// The mirror to be read of a chain, if anything was mirrored yet.
pub(crate) fn current(c: &mut Connection, chain: ConnectionId) -> Result<Option<i64>, Error> {
    let found = mirror::table
        .filter(mirror::chain_id.eq(chain.as_str()))
        .filter(mirror::is_current.eq(true))
        .select(mirror::id);
    Ok(both!(c, c => found.first::<i64>(c).optional())?)
}

/// The mirror to be written, inside a transaction that holds the chain's lock.
pub(super) fn current_or_new(c: &mut Connection, chain: ConnectionId) -> Result<i64, Error> {
    match current(c, chain)? {
        Some(mirror) => Ok(mirror),
        None => create(c, chain, true),
    }
}

/// An empty mirror. Its number means nothing: nothing in it depends on that.
pub(super) fn create(
    c: &mut Connection,
    chain: ConnectionId,
    is_current: bool,
) -> Result<i64, Error> {
    let id = i64::from_be_bytes(random_bytes()) & i64::MAX;
    let values = (
        mirror::id.eq(id),
        mirror::chain_id.eq(chain.as_str()),
        mirror::is_current.eq(is_current),
    );
    let insert = diesel::insert_into(mirror::table).values(values);
    both!(c, c => insert.execute(c))?;
    Ok(id)
}

/// A mirror was told of what happened at an instant.
pub(super) fn go_on(
    c: &mut Connection,
    mirror: i64,
    active: Option<Timestamp>,
) -> Result<(), Error> {
    if active > last_active(c, mirror)? {
        update_prepared!(c, mirror::table.find(mirror), mirror::active_ms.eq(active))?;
    }
    Ok(())
}

/// When something last happened at the source, as far as a mirror knows.
pub(crate) fn last_active(c: &mut Connection, mirror: i64) -> Result<Option<Timestamp>, Error> {
    let active = mirror::table.find(mirror).select(mirror::active_ms);
    Ok(both!(c, c => active.first::<Option<Timestamp>>(c))?)
}

/// An object that is asked for, as it is or was.
fn state(
    c: &mut Connection,
    mirror: i64,
    kind: Kind,
    id: &str,
    last: Option<i64>,
) -> Result<Option<Row>, Error> {
    for key in keys(id) {
        let row = state_under(c, mirror, kind, &key, last)?;
        if row.is_some() {
            return Ok(row);
        }
    }
    Ok(None)
}

/// An object as it is, or as it was when record `last` had been appended.
fn state_under(
    c: &mut Connection,
    mirror: i64,
    kind: Kind,
    id: &str,
    last: Option<i64>,
) -> Result<Option<Row>, Error> {
    let row = object::table.find((mirror, kind.name(), id)).select((
        object::id,
        object::record,
        object::is_removed,
        object::state,
    ));
    let row = both!(c, c => row.first::<Row>(c).optional())?;
    let Some(last) = last.filter(|last| row.as_ref().is_some_and(|row| row.record > *last)) else {
        return Ok(row);
    };
    let row = version::table
        .filter(version::mirror_id.eq(mirror))
        .filter(version::kind.eq(kind.name()))
        .filter(version::id.eq(id))
        .filter(version::record.le(last))
        .order(version::record.desc())
        .select((
            version::id,
            version::record,
            version::is_removed,
            version::state,
        ));
    Ok(both!(c, c => row.first::<Row>(c).optional())?)
}

/// Which objects of a kind there are by what they are looked for by.
pub(super) fn ids_by(
    c: &mut Connection,
    mirror: i64,
    kind: Kind,
    lookup: &Lookup,
) -> Result<Vec<String>, Error> {
    let of_kind = object::table
        .filter(object::mirror_id.eq(mirror))
        .filter(object::kind.eq(kind.name()))
        .select(object::id)
        .order(object::id);
    let of = |text: &String| key(text.clone());
    let found: QueryResult<Vec<String>> = match lookup {
        Lookup::Code(code) => {
            let code = of(code);
            both!(c, c => of_kind.filter(object::code.eq(&code)).load::<String>(c))
        }
        Lookup::Parent(parent) => {
            let parent = of(parent);
            both!(c, c => of_kind.filter(object::parent.eq(&parent)).load::<String>(c))
        }
        Lookup::Days(from, to) => {
            let (from, to) = (of(from), of(to));
            both!(c, c => of_kind.filter(object::day.between(&from, &to)).load::<String>(c))
        }
    };
    Ok(found?)
}

fn ids_after(
    c: &mut Connection,
    mirror: i64,
    kind: Kind,
    after: &str,
    at_most: i64,
) -> Result<Vec<String>, Error> {
    let ids = object::table
        .filter(object::mirror_id.eq(mirror))
        .filter(object::kind.eq(kind.name()))
        .filter(object::id.gt(after))
        .order(object::id)
        .limit(at_most)
        .select(object::id);
    Ok(both!(c, c => ids.load::<String>(c))?)
}
