//! A chain: beginning it, adding to it, reading it.

use std::sync::Arc;

use contract::Timestamp;
use contract::id::ConnectionId;
use diesel::prelude::*;
use store::{Connection, Lock, Store, both, in_bulk, random_bytes, update_prepared};
use vault::Vault;
use zeroize::Zeroizing;

use super::{Head, NewRecord, Record, Signer};
use crate::Error;
use crate::schema::{chain, evidence};

/// The evidence of one connection.
#[derive(Clone)]
pub struct Chain {
    pub(crate) store: Store,
    pub(crate) id: ConnectionId,
    pub(crate) signer: Arc<Signer>,
}

/// Where a chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// How many records it has.
    pub length: i64,
    /// The last one's signature.
    pub head: Head,
    /// When the last one came.
    pub at: Timestamp,
}

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = chain)]
struct Row {
    id: ConnectionId,
    sealed_key: Vec<u8>,
    length: i64,
    head: Vec<u8>,
    last_ms: Timestamp,
}

impl Chain {
    pub(crate) async fn find(
        store: &Store,
        vault: &Vault,
        id: ConnectionId,
    ) -> Result<Self, Error> {
        let row = store.read(move |c| row(c, id)).await?;
        let key = vault.open(&key_context(id), &row.sealed_key)?;
        Self::with_key(store, id, &key)
    }

    pub(crate) async fn begin(
        store: &Store,
        vault: &Vault,
        id: ConnectionId,
    ) -> Result<Self, Error> {
        match Self::find(store, vault, id).await {
            Err(Error::NoChain(_)) => {}
            found => return found,
        }
        let key = Zeroizing::new(random_bytes::<32>());
        let fresh = Row {
            id,
            sealed_key: vault.seal(&key_context(id), &*key)?,
            length: 0,
            head: Head::EMPTY.0.to_vec(),
            last_ms: Timestamp::from_millis(0),
        };
        let begun = store.write(Lock::none(), move |c| {
            // Programs that begin it at once all go on with the one that came first.
            let insert = diesel::insert_into(chain::table).values(&fresh);
            both!(c, c => insert.on_conflict_do_nothing().execute(c))?;
            Ok::<_, Error>(())
        });
        begun.await?;
        Self::find(store, vault, id).await
    }

    fn with_key(store: &Store, id: ConnectionId, key: &[u8]) -> Result<Self, Error> {
        let key = key.try_into();
        let key: &[u8; 32] = key.map_err(|_| Error::Corrupt(format!("the key of chain {id}")))?;
        Ok(Self {
            store: store.clone(),
            id,
            signer: Arc::new(Signer::new(key)),
        })
    }

    /// The connection whose evidence it is.
    pub fn connection(&self) -> ConnectionId {
        self.id
    }

    /// Where it ends.
    pub async fn tip(&self) -> Result<Tip, Error> {
        let id = self.id;
        self.store.read(move |c| tip(c, id)).await
    }

    /// Appends records that nothing is to be changed by, all or none of them.
    pub async fn append(&self, records: Vec<NewRecord>) -> Result<Tip, Error> {
        let (id, signer) = (self.id, Arc::clone(&self.signer));
        let work = move |c: &mut Connection| append(c, &signer, id, &records);
        self.store.write(self.lock(), work).await
    }

    /// Some of the records that come after another, in their order.
    pub async fn after(&self, number: i64, at_most: i64) -> Result<Vec<Record>, Error> {
        let id = self.id;
        self.store
            .read(move |c| after(c, id, number, at_most))
            .await
    }

    /// One record.
    pub async fn record(&self, number: i64) -> Result<Option<Record>, Error> {
        let next = self.after(number - 1, 1).await?.pop();
        Ok(next.filter(|record| record.number == number))
    }

    /// The number of the last record that had come by an instant; 0 if none had.
    pub async fn known_by(&self, at: Timestamp) -> Result<i64, Error> {
        let id = self.id;
        let last = self.store.read(move |c| {
            let records = evidence::table
                .filter(evidence::chain_id.eq(id.as_str()))
                .filter(evidence::at_ms.le(at))
                .order((evidence::at_ms.desc(), evidence::number.desc()))
                .select(evidence::number);
            Ok::<_, Error>(records.first(c).optional()?)
        });
        Ok(last.await?.unwrap_or(0))
    }

    /// What a transaction that adds to the chain locks.
    pub(crate) fn lock(&self) -> Lock {
        Lock::row("chain", &self.id)
    }
}

/// Appends records inside a transaction that holds the chain's lock.
///
/// A clock that was set back does not make a record older than the one before it: what was known at
/// an instant is then always a beginning of the chain.
pub(crate) fn append<'a>(
    c: &mut Connection,
    signer: &Signer,
    id: ConnectionId,
    records: impl IntoIterator<Item = &'a NewRecord>,
) -> Result<Tip, Error> {
    let mut tip = tip(c, id)?;
    let mut rows = Vec::new();
    for record in records {
        tip.length += 1;
        tip.at = tip.at.max(record.at);
        let mut record = Record {
            chain_id: id.to_string(),
            number: tip.length,
            kind: record.kind.name().to_owned(),
            subject: record.subject.clone(),
            status: record.status.into(),
            page: record.page,
            pages: record.pages,
            at: tip.at,
            body: record.body.clone(),
            signature: Vec::new(),
        };
        tip.head = signer.sign(tip.head, &record);
        record.signature = tip.head.0.to_vec();
        rows.push(record);
    }
    insert(c, &rows)?;
    let changes = (
        chain::length.eq(tip.length),
        chain::head.eq(tip.head.0.to_vec()),
        chain::last_ms.eq(tip.at),
    );
    update_prepared!(c, chain::table.find(id), changes)?;
    Ok(tip)
}

/// The embedded engine is fastest with a statement that is prepared once; a server is asked as rarely
/// as can be.
fn insert(c: &mut Connection, rows: &[Record]) -> Result<(), Error> {
    match c {
        Connection::Sqlite(c) => {
            for row in rows {
                let insert = diesel::insert_into(evidence::table).values(row);
                insert.execute(c)?;
            }
        }
        Connection::Postgres(c) => {
            let copy = diesel::copy_from(evidence::table).from_insertable(rows);
            in_bulk(c, |c| copy.execute(c))?;
        }
    }
    Ok(())
}

/// Where a chain ends.
pub(crate) fn tip(c: &mut Connection, id: ConnectionId) -> Result<Tip, Error> {
    let row = row(c, id)?;
    let head = row.head.try_into();
    let head = head.map_err(|_| Error::Corrupt(format!("the head of chain {id}")))?;
    Ok(Tip {
        length: row.length,
        head: Head(head),
        at: row.last_ms,
    })
}

/// Records that come after another.
pub(crate) fn after(
    c: &mut Connection,
    id: ConnectionId,
    number: i64,
    at_most: i64,
) -> Result<Vec<Record>, Error> {
    let records = evidence::table
        .filter(evidence::chain_id.eq(id.as_str()))
        .filter(evidence::number.gt(number))
        .order(evidence::number)
        .limit(at_most);
    Ok(both!(c, c => records.select(Record::as_select()).load(c))?)
}

/// The numbers of the records after one, up to another, in parts: each from one that is left out to
/// its last.
pub(crate) fn parts(after: i64, last: i64, size: i64) -> impl Iterator<Item = (i64, i64)> {
    let part = move |after: i64| (after < last).then(|| (after, last.min(after + size)));
    std::iter::successors(part(after), move |(_, end)| part(*end))
}

fn row(c: &mut Connection, id: ConnectionId) -> Result<Row, Error> {
    let row = chain::table.find(id);
    let row = both!(c, c => row.select(Row::as_select()).first(c).optional())?;
    row.ok_or(Error::NoChain(id))
}

/// Where the key is kept, so that it opens nowhere else.
pub(crate) fn key_context(id: ConnectionId) -> String {
    format!("books.chain_key/{id}")
}
