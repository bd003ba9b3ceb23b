//! Folding the chain anew, and comparing mirrors byte for byte.

use data_encoding::HEXLOWER;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Connection, Lock, both, update_prepared};

use super::fold::{Reading, Source, read};
use super::read::{Mirror, create, current, go_on};
use super::step::{Pages, step};
use crate::Error;
use crate::evidence::{Record, after, tip};
use crate::schema::{mirror, object, version};

/// How many records are folded together, and how many rows are read or taken away together.
const RECORDS: i64 = 200;
const ROWS: i64 = 2_000;

/// What became of a chain that was folded anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebuilt {
    /// How many records were folded.
    pub records: i64,
    /// The fingerprint of the mirror that there was; none if there was none.
    pub before: Option<String>,
    /// The fingerprint of the new one, which has taken its place.
    pub after: String,
}

impl Mirror {
    /// Folds the chain from its first record into a new mirror, which then takes the place of the
    /// old one. Until then the old one is read and goes on; if this is interrupted, it stays.
    /// `progress` is told how many records are done.
    pub async fn rebuild(&self, mut progress: impl FnMut(i64) + Send) -> Result<Rebuilt, Error> {
        let chain = &self.chain;
        let id = chain.id;
        self.take_away_others().await?;
        let created = chain
            .store
            .write(chain.lock(), move |c| create(c, id, false));
        let new = created.await?;
        let mut pages = Pages::default();
        let mut done = 0;
        loop {
            let records = chain.after(done, RECORDS).await?;
            let Some(last) = records.last().map(|record| record.number) else {
                break;
            };
            let readings = readings(records).await?;
            let begun = pages.clone();
            let folded = chain.store.write(Lock::none(), move |c| {
                let mut pages = begun.clone();
                for (number, reading) in &readings {
                    step(c, new, *number, reading, &mut pages)?;
                }
                let active = readings.iter().filter_map(|(_, reading)| reading.active());
                go_on(c, new, last, active.max())?;
                Ok::<_, Error>(pages)
            });
            pages = folded.await?;
            done = last;
            progress(done);
        }
        let before = self.fingerprint().await?;
        let after = self.fingerprint_of(new).await?;
        self.put_in_place(new, done).await?;
        self.take_away_others().await?;
        Ok(Rebuilt {
            records: done,
            before,
            after,
        })
    }

    /// Stands for everything that the mirror holds: mirrors with the same fingerprint are equal byte
    /// for byte. None if nothing was mirrored yet.
    pub async fn fingerprint(&self) -> Result<Option<String>, Error> {
        let id = self.chain.id;
        let mirror = self.chain.store.read(move |c| current(c, id)).await?;
        match mirror {
            Some(mirror) => Ok(Some(self.fingerprint_of(mirror).await?)),
            None => Ok(None),
        }
    }

    async fn fingerprint_of(&self, mirror: i64) -> Result<String, Error> {
        let mut hash = Sha256::new();
        let mut last = (String::new(), String::new());
        loop {
            let from = last.clone();
            let read = self.chain.store.read(move |c| objects(c, mirror, &from));
            let rows = read.await?;
            let Some(end) = rows.last() else { break };
            last = (end.kind.clone(), end.id.clone());
            rows.iter().try_for_each(|row| add(&mut hash, row))?;
        }
        let mut last = (String::new(), String::new(), 0);
        loop {
            let from = last.clone();
            let read = self.chain.store.read(move |c| versions(c, mirror, &from));
            let rows = read.await?;
            let Some(end) = rows.last() else { break };
            last = (end.kind.clone(), end.id.clone(), end.record);
            rows.iter().try_for_each(|row| add(&mut hash, row))?;
        }
        Ok(HEXLOWER.encode(&hash.finalize()))
    }

    /// Makes a new mirror the one to be read, unless the chain went on meanwhile: then it is folded
    /// on by the same step.
    async fn put_in_place(&self, new: i64, done: i64) -> Result<(), Error> {
        let id = self.chain.id;
        let put = self.chain.store.write(self.chain.lock(), move |c| {
            let mut pages = Pages::default();
            let mut done = done;
            while done < tip(c, id)?.length {
                for record in after(c, id, done, RECORDS)? {
                    let body = record.body()?;
                    let reading = reading(&record, &body);
                    step(c, new, record.number, &reading, &mut pages)?;
                    done = record.number;
                    go_on(c, new, done, reading.active())?;
                }
            }
            let of_chain = mirror::table.filter(mirror::chain_id.eq(id.as_str()));
            both!(c, c => diesel::update(of_chain).set(mirror::is_current.eq(false)).execute(c))?;
            update_prepared!(c, mirror::table.find(new), mirror::is_current.eq(true))?;
            Ok::<_, Error>(())
        });
        put.await
    }

    /// Takes away the mirrors that are not read, a part at a time.
    async fn take_away_others(&self) -> Result<(), Error> {
        let id = self.chain.id;
        loop {
            let part = self.chain.store.write(self.chain.lock(), move |c| {
                let other = mirror::table
                    .filter(mirror::chain_id.eq(id.as_str()))
                    .filter(mirror::is_current.eq(false))
                    .select(mirror::id);
                let other = both!(c, c => other.first::<i64>(c).optional())?;
                let Some(other) = other else {
                    return Ok(false);
                };
                if delete_some(c, other)? == 0 {
                    let row = mirror::table.find(other);
                    both!(c, c => diesel::delete(row).execute(c))?;
                }
                Ok::<_, Error>(true)
            });
            if !part.await? {
                return Ok(());
            }
        }
    }
}

/// Adds a row to a fingerprint, as a line of JSON.
fn add(hash: &mut Sha256, row: &impl Serialize) -> Result<(), Error> {
    let line = serde_json::to_string(row).map_err(|error| Error::Corrupt(error.to_string()))?;
    hash.update(line);
    hash.update("\n");
    Ok(())
}

/// Reads records on a thread that may take its time.
async fn readings(records: Vec<Record>) -> Result<Vec<(i64, Reading)>, Error> {
    let work = move || {
        let readings = records.iter().map(|record| {
            let body = record.body()?;
            Ok((record.number, reading(record, &body)))
        });
        readings.collect::<Result<Vec<_>, Error>>()
    };
    let read = tokio::task::spawn_blocking(work).await;
    read.map_err(|_| Error::Store(store::Error::Panicked))?
}

fn reading(record: &Record, body: &[u8]) -> Reading {
    read(Source {
        kind: &record.kind,
        subject: &record.subject,
        status: record.status,
        page: record.page,
        pages: record.pages,
        body,
    })
}

#[derive(Serialize, Queryable, Selectable)]
#[diesel(table_name = object)]
struct ObjectRow {
    kind: String,
    id: String,
    record: i64,
    is_removed: bool,
    is_flagged: bool,
    code: Option<String>,
    parent: Option<String>,
    day: Option<String>,
    scope: Option<String>,
    state: String,
}

#[derive(Serialize, Queryable, Selectable)]
#[diesel(table_name = version)]
struct VersionRow {
    kind: String,
    id: String,
    record: i64,
    until_record: i64,
    is_removed: bool,
    state: String,
}

fn objects(
    c: &mut Connection,
    mirror: i64,
    (kind, id): &(String, String),
) -> Result<Vec<ObjectRow>, Error> {
    let later = object::kind.gt(kind);
    let next = object::kind.eq(kind).and(object::id.gt(id));
    let rows = object::table
        .filter(object::mirror_id.eq(mirror))
        .filter(object::kind.ge(kind))
        .filter(later.or(next))
        .order((object::kind, object::id))
        .limit(ROWS);
    Ok(both!(c, c => rows.select(ObjectRow::as_select()).load::<ObjectRow>(c))?)
}

fn versions(
    c: &mut Connection,
    mirror: i64,
    (kind, id, record): &(String, String, i64),
) -> Result<Vec<VersionRow>, Error> {
    let later = version::kind.gt(kind);
    let next = version::kind.eq(kind).and(version::id.gt(id));
    let same = version::kind.eq(kind).and(version::id.eq(id));
    let rows = version::table
        .filter(version::mirror_id.eq(mirror))
        .filter(version::kind.ge(kind))
        .filter(later.or(next).or(same.and(version::record.gt(record))))
        .order((version::kind, version::id, version::record))
        .limit(ROWS);
    Ok(both!(c, c => rows.select(VersionRow::as_select()).load::<VersionRow>(c))?)
}

/// Deletes some rows of a mirror; how many.
fn delete_some(c: &mut Connection, mirror: i64) -> Result<usize, Error> {
    let mut deleted = 0;
    for row in objects(c, mirror, &<_>::default())? {
        let row = object::table.find((mirror, row.kind, row.id));
        deleted += both!(c, c => diesel::delete(row).execute(c))?;
    }
    for row in versions(c, mirror, &<_>::default())? {
        let row = version::table.find((mirror, row.kind, row.id, row.record));
        deleted += both!(c, c => diesel::delete(row).execute(c))?;
    }
    Ok(deleted)
}
