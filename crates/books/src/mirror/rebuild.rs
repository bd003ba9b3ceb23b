//! Folding the chain anew.

use contract::id::ConnectionId;
use diesel::prelude::*;
use futures_util::future::try_join;
use futures_util::stream::{self, Stream, StreamExt};
use serde::{Deserialize, Serialize};
use store::{Connection, Lock, both, update_prepared};
use tokio::sync::mpsc;

use super::desk::Desk;
use super::fold::{Reading, Source, read};
use super::read::{Mirror, create, go_on};
use super::step::{Pages, step};
use crate::Error;
use crate::evidence::{Record, after, parts, tip};
use crate::schema::mirror;
use crate::threads::{ahead, read_apart, side_by_side};

/// How many records are read together: a few megabytes, if they are pages of reservations.
const RECORDS: i64 = 50;
/// How many objects, or records without any, are at least written together.
const TOGETHER: usize = 2_000;

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

/// Records in their order, by their numbers.
type Readings = Vec<(i64, Reading)>;

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
        let done = self.fold_all(new, &mut progress).await?;
        let (before, after) = try_join(self.fingerprint(), self.fingerprint_of(new)).await?;
        self.put_in_place(new, done).await?;
        self.take_away_others().await?;
        Ok(Rebuilt {
            records: done,
            before,
            after,
        })
    }

    /// Folds all records that there are into an empty mirror; how many. They are read and
    /// understood side by side, well before their turn.
    async fn fold_all(
        &self,
        new: i64,
        progress: &mut (dyn FnMut(i64) + Send),
    ) -> Result<i64, Error> {
        let last = self.chain.tip().await?.length;
        let mut parts = ahead(self.readings(last), 1);
        let mut pages = Pages::default();
        let mut done = 0;
        while let Some(readings) = enough(&mut parts).await? {
            done += i64::try_from(readings.len()).unwrap_or_default();
            let begun = pages.clone();
            let folded = self.chain.store.write(Lock::none(), move |c| {
                let mut pages = begun.clone();
                fold(c, new, &readings, &mut pages)?;
                Ok::<_, Error>(pages)
            });
            pages = folded.await?;
            progress(done);
        }
        Ok(done)
    }

    fn readings(&self, last: i64) -> impl Stream<Item = Result<Readings, Error>> + Send + use<> {
        let (id, store) = (self.chain.id, self.chain.store.clone());
        let parts = parts(0, last, RECORDS).map(move |(start, end)| {
            let store = store.clone();
            async move {
                let read = move |c: &mut Connection| readings(c, id, start, end - start);
                read_apart(&store, read).await
            }
        });
        stream::iter(parts).buffered(side_by_side())
    }

    /// Makes a new mirror the one to be read, unless the chain went on meanwhile: then it is folded
    /// on by the same step.
    async fn put_in_place(&self, new: i64, done: i64) -> Result<(), Error> {
        let id = self.chain.id;
        let put = self.chain.store.write(self.chain.lock(), move |c| {
            let mut pages = Pages::default();
            let mut done = done;
            while done < tip(c, id)?.length {
                let readings = readings(c, id, done, RECORDS)?;
                fold(c, new, &readings, &mut pages)?;
                done = readings.last().map_or(i64::MAX, |(number, _)| *number);
            }
            let of_chain = mirror::table.filter(mirror::chain_id.eq(id.as_str()));
            both!(c, c => diesel::update(of_chain).set(mirror::is_current.eq(false)).execute(c))?;
            update_prepared!(c, mirror::table.find(new), mirror::is_current.eq(true))?;
            Ok::<_, Error>(())
        });
        put.await
    }
}

/// The next parts, so many that a transaction is worth its while; none at the end.
async fn enough(
    parts: &mut mpsc::Receiver<Result<Readings, Error>>,
) -> Result<Option<Readings>, Error> {
    let mut readings = Readings::new();
    let mut objects = 0;
    while objects < TOGETHER
        && let Some(part) = parts.recv().await
    {
        let part = part?;
        objects += (part.iter())
            .map(|(_, reading)| reading.seen.len().max(1))
            .sum::<usize>();
        readings.extend(part);
    }
    Ok((!readings.is_empty()).then_some(readings))
}

/// Folds records into a mirror.
fn fold(
    c: &mut Connection,
    mirror: i64,
    readings: &[(i64, Reading)],
    pages: &mut Pages,
) -> Result<(), Error> {
    let mut desk = Desk::of(mirror);
    for (number, reading) in readings {
        step(c, &mut desk, *number, reading, pages)?;
    }
    desk.write(c)?;
    let active = readings.iter().filter_map(|(_, reading)| reading.active());
    match readings.last() {
        Some((last, _)) => go_on(c, mirror, *last, active.max()),
        None => Ok(()),
    }
}

/// What some of the records say that come after another.
fn readings(
    c: &mut Connection,
    chain: ConnectionId,
    number: i64,
    at_most: i64,
) -> Result<Readings, Error> {
    let records = after(c, chain, number, at_most)?;
    let readings = records.iter().map(|record| {
        let body = record.body()?;
        Ok((record.number, reading(record, &body)))
    });
    readings.collect()
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
