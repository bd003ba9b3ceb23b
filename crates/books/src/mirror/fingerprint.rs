//! Going through all that a mirror holds, in the order of its keys; comparing mirrors byte for byte.

use contract::Timestamp;
use data_encoding::HEXLOWER;
use diesel::prelude::*;
use sha2::{Digest, Sha256};
use store::{Connection, both};

use super::read::{Mirror, current, last_active};
use super::table::{self, Object, Version};
use crate::Error;
use crate::evidence::tip;
use crate::schema::{object, version};
use crate::threads::read_apart;

/// How many rows are read together.
const ROWS: i64 = 1_000;

impl Mirror {
    /// Stands for everything that the mirror holds: mirrors with the same fingerprint are equal byte
    /// for byte. None if nothing was mirrored yet.
    pub async fn fingerprint(&self) -> Result<Option<String>, Error> {
        Ok(self.fingerprint_and_length().await?.0)
    }

    /// The same, and how long the chain was then: all of it is of one moment, however much is
    /// appended meanwhile.
    pub(super) async fn fingerprint_and_length(&self) -> Result<(Option<String>, i64), Error> {
        let id = self.chain.id;
        let read = move |c: &mut Connection| {
            let length = tip(c, id)?.length;
            let mirror = current(c, id)?;
            let fingerprint = mirror.map(|mirror| fingerprint(c, mirror)).transpose()?;
            Ok((fingerprint, length))
        };
        read_apart(&self.chain.store, read).await
    }
}

/// Stands for everything that a mirror holds.
pub(super) fn fingerprint(c: &mut Connection, mirror: i64) -> Result<String, Error> {
    let mut hash = Sha256::new();
    let active = last_active(c, mirror)?;
    hash.update(active.map_or(i64::MIN, Timestamp::millis).to_be_bytes());
    add_all::<Object>(c, mirror, &mut hash)?;
    add_all::<Version>(c, mirror, &mut hash)?;
    Ok(HEXLOWER.encode(&hash.finalize()))
}

fn add_all<R: Row>(c: &mut Connection, mirror: i64, hash: &mut Sha256) -> Result<(), Error> {
    let mut place = Place::default();
    let mut count: u64 = 0;
    loop {
        let mut rows = R::after(c, mirror, &place)?;
        for row in &rows {
            row.add_to(hash);
        }
        count += rows.len() as u64;
        match rows.pop() {
            Some(last) => place = last.place(),
            None => break,
        }
    }
    // So that no row of one table can be taken for one of the next.
    hash.update(count.to_be_bytes());
    Ok(())
}

/// Where a row stands in the order of all: its kind, its id and its record.
pub(super) type Place = (String, String, i64);

/// Rows of one of the mirror's tables.
pub(super) trait Row: Sized {
    /// Some of the rows of a mirror that come after a place.
    fn after(c: &mut Connection, mirror: i64, place: &Place) -> Result<Vec<Self>, Error> {
        let (kind, id, record) = place;
        let rows = Self::of_kind(c, mirror, kind, id, *record)?;
        if !rows.is_empty() {
            return Ok(rows);
        }
        match Self::next_kind(c, mirror, kind)? {
            Some(kind) => Self::of_kind(c, mirror, &kind, "", 0),
            None => Ok(rows),
        }
    }

    fn of_kind(
        c: &mut Connection,
        mirror: i64,
        kind: &str,
        id: &str,
        record: i64,
    ) -> Result<Vec<Self>, Error>;

    fn next_kind(c: &mut Connection, mirror: i64, kind: &str) -> Result<Option<String>, Error>;

    /// Writes rows that are not there yet.
    fn insert(c: &mut Connection, rows: &[Self]) -> Result<(), Error>;

    /// The same row in another mirror.
    fn moved_to(self, mirror: i64) -> Self;

    fn add_to(&self, hash: &mut Sha256);

    fn place(&self) -> Place;
}

impl Row for Object {
    fn of_kind(
        c: &mut Connection,
        mirror: i64,
        kind: &str,
        id: &str,
        _: i64,
    ) -> Result<Vec<Self>, Error> {
        let rows = object::table
            .filter(object::mirror_id.eq(mirror))
            .filter(object::kind.eq(kind))
            .filter(object::id.gt(id))
            .order(object::id)
            .limit(ROWS);
        Ok(both!(c, c => rows.select(Self::as_select()).load(c))?)
    }

    fn next_kind(c: &mut Connection, mirror: i64, kind: &str) -> Result<Option<String>, Error> {
        let next = object::table
            .filter(object::mirror_id.eq(mirror))
            .filter(object::kind.gt(kind))
            .order(object::kind)
            .select(object::kind);
        Ok(both!(c, c => next.first(c).optional())?)
    }

    fn insert(c: &mut Connection, rows: &[Self]) -> Result<(), Error> {
        table::insert(c, &rows.iter().collect::<Vec<_>>())
    }

    fn moved_to(self, mirror: i64) -> Self {
        Self {
            mirror_id: mirror,
            ..self
        }
    }

    fn add_to(&self, hash: &mut Sha256) {
        for text in [&self.kind, &self.id, &self.state] {
            add(hash, Some(text));
        }
        for label in [&self.code, &self.parent, &self.day, &self.scope] {
            add(hash, label.as_deref());
        }
        hash.update(self.record.to_be_bytes());
        hash.update([u8::from(self.is_removed), u8::from(self.is_flagged)]);
    }

    fn place(&self) -> Place {
        (self.kind.clone(), self.id.clone(), self.record)
    }
}

impl Row for Version {
    fn of_kind(
        c: &mut Connection,
        mirror: i64,
        kind: &str,
        id: &str,
        record: i64,
    ) -> Result<Vec<Self>, Error> {
        let rows = version::table
            .filter(version::mirror_id.eq(mirror))
            .filter(version::kind.eq(kind))
            .filter(version::id.ge(id))
            .filter(version::id.gt(id).or(version::record.gt(record)))
            .order((version::id, version::record))
            .limit(ROWS);
        Ok(both!(c, c => rows.select(Self::as_select()).load(c))?)
    }

    fn next_kind(c: &mut Connection, mirror: i64, kind: &str) -> Result<Option<String>, Error> {
        let next = version::table
            .filter(version::mirror_id.eq(mirror))
            .filter(version::kind.gt(kind))
            .order(version::kind)
            .select(version::kind);
        Ok(both!(c, c => next.first(c).optional())?)
    }

    fn insert(c: &mut Connection, rows: &[Self]) -> Result<(), Error> {
        table::insert_versions(c, rows)
    }

    fn moved_to(self, mirror: i64) -> Self {
        Self {
            mirror_id: mirror,
            ..self
        }
    }

    fn add_to(&self, hash: &mut Sha256) {
        for text in [&self.kind, &self.id, &self.state] {
            add(hash, Some(text));
        }
        hash.update(self.record.to_be_bytes());
        hash.update(self.until_record.to_be_bytes());
        hash.update([u8::from(self.is_removed)]);
    }

    fn place(&self) -> Place {
        (self.kind.clone(), self.id.clone(), self.record)
    }
}

/// Adds a text behind its length, so that nothing can wander from one into the next.
fn add(hash: &mut Sha256, text: Option<&str>) {
    let length = text.map_or(u64::MAX, |text| text.len() as u64);
    hash.update(length.to_be_bytes());
    hash.update(text.unwrap_or_default());
}
