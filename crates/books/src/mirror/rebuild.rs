//! Folding the chain anew.

use contract::id::ConnectionId;
use diesel::prelude::*;
use futures_util::future::try_join;
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use store::{Connection, Scratch, both, update_prepared};

use super::desk::Desk;
use super::difference::{Difference, Pair};
use super::fingerprint::{Place, Row, fingerprint};
use super::fold::{Reading, Source, read};
use super::read::{Mirror, create, current, go_on, last_active};
use super::step::{Pages, step};
use super::table::{Object, Version};
use crate::evidence::{Record, Verdict, after, parts, tip};
use crate::schema::mirror;
use crate::threads::{ahead, apart, read_apart, side_by_side};
use crate::{Error, MIGRATIONS};

/// The number of the mirror that the chain is folded into: there is no other in its database.
pub(super) const FOLDED: i64 = 1;
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
    /// Folds the chain from its first record into a new mirror, in a database of its own, and
    /// compares the two. A mirror that is equal byte for byte stays; any other is replaced. Until
    /// then the old one is read and goes on; if this is interrupted, it stays. So it does over a
    /// chain that is not as it was appended: what is made of that is no better. `progress` is told
    /// how many records are done.
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
        let scratch = apart(move || scratch(id)).await?;
        let mut fold = Fold::default();
        // Two mirrors of one moment: if more was appended before it, that is folded first.
        let (before, after) = loop {
            self.fold_on(&scratch, &mut fold, &mut progress).await?;
            let new = scratch.clone();
            let is = apart(move || new.with(|c| fingerprint(c, FOLDED)));
            let was = self.fingerprint_and_length();
            let ((before, length), after) = try_join(was, is).await?;
            if length == fold.done {
                break (before, after);
            }
        };
        let mut rebuilt = Rebuilt {
            records: fold.done,
            before,
            after,
            differences: Vec::new(),
        };
        if rebuilt.before.as_ref() == Some(&rebuilt.after) {
            return Ok(rebuilt);
        }
        if let Some(old) = chain.store.read(move |c| current(c, id)).await? {
            let pair = Pair {
                old,
                new: scratch.clone(),
                folded: fold.done,
            };
            rebuilt.differences = self.differences(pair).await?;
        }
        let new = self.copy(&scratch).await?;
        self.put_in_place(new, fold.done).await?;
        self.take_away_others().await?;
        Ok(rebuilt)
    }

    /// Folds all records that came meanwhile into a new mirror. They are read and understood side by
    /// side, well before their turn.
    async fn fold_on(
        &self,
        scratch: &Scratch,
        so_far: &mut Fold,
        progress: &mut (dyn FnMut(i64) + Send),
    ) -> Result<(), Error> {
        let last = self.chain.tip().await?.length;
        let mut next = ahead(together(self.readings(so_far.done, last)), 1);
        while let Some(readings) = next.recv().await {
            let readings = readings?;
            so_far.done = readings.last().map_or(last, |(number, _)| *number);
            let scratch = scratch.clone();
            let mut pages = std::mem::take(&mut so_far.pages);
            let folded = apart(move || {
                scratch.with(|c| fold(c, FOLDED, &readings, &mut pages))?;
                Ok(pages)
            });
            so_far.pages = folded.await?;
            progress(so_far.done);
        }
        so_far.done = last;
        Ok(())
    }

    /// Copies a new mirror to where mirrors are read, a part at a time: others that write wait
    /// meanwhile. It is not the one to be read yet.
    async fn copy(&self, scratch: &Scratch) -> Result<i64, Error> {
        let (chain, from) = (&self.chain, scratch.clone());
        let id = chain.id;
        let active = apart(move || from.with(|c| last_active(c, FOLDED))).await?;
        let created = chain.store.write(chain.lock(), move |c| {
            let new = create(c, id, false)?;
            go_on(c, new, active)?;
            Ok::<_, Error>(new)
        });
        let new = created.await?;
        self.copy_rows::<Object>(scratch, new).await?;
        self.copy_rows::<Version>(scratch, new).await?;
        Ok(new)
    }

    async fn copy_rows<R: Row + Send + Sync + 'static>(
        &self,
        scratch: &Scratch,
        new: i64,
    ) -> Result<(), Error> {
        let id = self.chain.id;
        let mut place = Place::default();
        loop {
            let (from, after) = (scratch.clone(), place);
            let read = move || {
                let rows = from.with(|c| R::after(c, FOLDED, &after))?;
                Ok(rows
                    .into_iter()
                    .map(|row| row.moved_to(new))
                    .collect::<Vec<_>>())
            };
            let rows = apart(read).await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            place = last.place();
            let copied = self.chain.store.write(self.chain.lock(), move |c| {
                is_there(c, id, new)?;
                R::insert(c, &rows)
            });
            copied.await?;
        }
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

    /// Makes a copied mirror the one to be read, unless the chain went on meanwhile: then it is folded
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

/// An empty mirror in a database of its own.
fn scratch(chain: ConnectionId) -> Result<Scratch, Error> {
    let scratch = Scratch::new(&MIGRATIONS)?;
    scratch.with(|c| {
        let id = create(c, chain, true)?;
        let row = mirror::table.find(id);
        both!(c, c => diesel::update(row).set(mirror::id.eq(FOLDED)).execute(c))?;
        Ok::<_, Error>(())
    })?;
    Ok(scratch)
}

/// Another rebuild takes away what this one has not finished.
fn is_there(c: &mut Connection, chain: ConnectionId, mirror: i64) -> Result<(), Error> {
    let row = mirror::table
        .find(mirror)
        .filter(mirror::is_leaving.eq(false));
    let row = row.select(mirror::id);
    let found = both!(c, c => row.first::<i64>(c).optional())?;
    found.map(|_| ()).ok_or(Error::RebuiltElsewhere(chain))
}

/// Parts together, so many that folding them is worth its while.
fn together(
    parts: impl Stream<Item = Result<Readings, Error>> + Send,
) -> impl Stream<Item = Result<Readings, Error>> + Send {
    stream::try_unfold(Box::pin(parts), async |mut parts| {
        let mut readings = Readings::new();
        let mut objects = 0;
        while objects < TOGETHER
            && let Some(part) = parts.try_next().await?
        {
            objects += (part.iter())
                .map(|(_, reading)| reading.seen.len().max(1))
                .sum::<usize>();
            readings.extend(part);
        }
        Ok((!readings.is_empty()).then_some((readings, parts)))
    })
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
    go_on(c, mirror, active.max())
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
