//! Folding the chain anew.

use contract::id::ConnectionId;
use diesel::prelude::*;
use futures_util::future::try_join;
use futures_util::stream::{self, Stream, StreamExt};
use serde::{Deserialize, Serialize};
use store::{Connection, both, update_prepared};
use tokio::sync::mpsc;

use super::desk::Desk;
use super::difference::{Difference, Pair};
use super::fold::{Reading, Source, read};
use super::read::{Mirror, create, current, go_on};
use super::step::{Pages, step};
use crate::Error;
use crate::evidence::{Record, Verdict, after, parts, tip};
use crate::schema::mirror;
use crate::threads::{ahead, read_apart, side_by_side};

/// How many records are read together: a few megabytes, if they are pages of reservations.
const RECORDS: i64 = 20;
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
    /// What the one that there was had otherwise, the first of it.
    pub differences: Vec<Difference>,
}

impl Rebuilt {
    /// Whether the mirror that there was, if any, was as its evidence says.
    pub fn is_equal(&self) -> bool {
        (self.before.as_ref()).is_none_or(|before| *before == self.after)
    }
}

/// How far the chain is folded.
#[derive(Default)]
struct Fold {
    done: i64,
    pages: Pages,
}

/// Records in their order, by their numbers.
type Readings = Vec<(i64, Reading)>;

impl Mirror {
    /// Folds the chain from its first record into a new mirror, which then takes the place of the
    /// old one. Until then the old one is read and goes on; if this is interrupted, it stays. So it
    /// does over a chain that is not as it was appended: what is made of that is no better.
    /// `progress` is told how many records are done.
    pub async fn rebuild(&self, mut progress: impl FnMut(i64) + Send) -> Result<Rebuilt, Error> {
        let chain = &self.chain;
        let id = chain.id;
        if let Verdict::Broken { number, flaw } = chain.verify(None, |_| ()).await? {
            return Err(Error::Broken {
                connection: id,
                number,
                flaw,
            });
        }
        self.take_away_others().await?;
        let created = chain
            .store
            .write(chain.lock(), move |c| create(c, id, false));
        let new = created.await?;
        let mut fold = Fold::default();
        // Two mirrors of one moment: if more was appended before it, that is folded first.
        let (before, after) = loop {
            self.fold_on(new, &mut fold, &mut progress).await?;
            let was = self.fingerprint_of(None);
            let (was, is) = try_join(was, self.fingerprint_of(Some(new))).await?;
            if let ((length, before), (same, Some(after))) = (was, is)
                && (length, same) == (fold.done, fold.done)
            {
                break (before, after);
            }
        };
        let done = fold.done;
        let old = chain.store.read(move |c| current(c, id)).await?;
        let differences = match old {
            Some(old) if before.as_ref() != Some(&after) => {
                let folded = done;
                self.differences(Pair { old, new, folded }).await?
            }
            _ => Vec::new(),
        };
        self.put_in_place(new, done).await?;
        self.take_away_others().await?;
        Ok(Rebuilt {
            records: done,
            before,
            after,
            differences,
        })
    }

    /// Folds all records that came meanwhile into a new mirror. They are read and understood side by
    /// side, well before their turn.
    async fn fold_on(
        &self,
        new: i64,
        so_far: &mut Fold,
        progress: &mut (dyn FnMut(i64) + Send),
    ) -> Result<(), Error> {
        let last = self.chain.tip().await?.length;
        let mut parts = ahead(self.readings(so_far.done, last), 1);
        while let Some(readings) = enough(&mut parts).await? {
            let begun = so_far.pages.clone();
            so_far.done = readings.last().map_or(last, |(number, _)| *number);
            let id = self.chain.id;
            let folded = self.chain.store.write(self.chain.lock(), move |c| {
                is_there(c, id, new)?;
                let mut pages = begun.clone();
                fold(c, new, &readings, &mut pages)?;
                Ok::<_, Error>(pages)
            });
            so_far.pages = folded.await?;
            progress(so_far.done);
        }
        so_far.done = last;
        Ok(())
    }

    fn readings(
        &self,
        done: i64,
        last: i64,
    ) -> impl Stream<Item = Result<Readings, Error>> + Send + use<> {
        let (id, store) = (self.chain.id, self.chain.store.clone());
        let parts = parts(done, last, RECORDS).map(move |(start, end)| {
            let store = store.clone();
            async move {
                let read = move |c: &mut Connection| readings(c, id, start, end);
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
            is_there(c, id, new)?;
            let mut pages = Pages::default();
            for (start, end) in parts(done, tip(c, id)?.length, RECORDS) {
                let readings = readings(c, id, start, end)?;
                fold(c, new, &readings, &mut pages)?;
            }
            let of_chain = mirror::table.filter(mirror::chain_id.eq(id.as_str()));
            both!(c, c => diesel::update(of_chain).set(mirror::is_current.eq(false)).execute(c))?;
            update_prepared!(c, mirror::table.find(new), mirror::is_current.eq(true))?;
            Ok::<_, Error>(())
        });
        put.await
    }
}

/// Another rebuild takes away what this one has not finished.
fn is_there(c: &mut Connection, chain: ConnectionId, mirror: i64) -> Result<(), Error> {
    let row = mirror::table.find(mirror).filter(mirror::folded.ge(0));
    let row = row.select(mirror::id);
    let found = both!(c, c => row.first::<i64>(c).optional())?;
    found.map(|_| ()).ok_or(Error::RebuiltElsewhere(chain))
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

/// What the records say after one, up to another.
fn readings(
    c: &mut Connection,
    chain: ConnectionId,
    start: i64,
    end: i64,
) -> Result<Readings, Error> {
    let records = after(c, chain, start, end - start)?;
    let of_part = records.iter().filter(|record| record.number <= end);
    let readings = of_part.map(|record| {
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
