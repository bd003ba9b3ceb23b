//! The two doors.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use diesel::RunQueryDsl;
use diesel::sql_types::Text;

use crate::engine::{self, Access};
use crate::migrate::{Migrations, migrate};
use crate::pool::{Pool, Reuse};
use crate::writer::Writer;
use crate::{Connection, DatabaseUrl, Error, Failure};

/// How often work on PostgreSQL is tried that lost a conflict.
const TRIES_MAX: u32 = 8;
/// Connections of one store to PostgreSQL, for each of its two doors.
const POSTGRES_CONNECTIONS: usize = 24;

/// The aggregate that a transaction is about: its row is locked before anything is read, so that
/// two commands on one aggregate never decide on the same state. SQLite has one writer, and needs
/// no lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock(Option<(&'static str, String)>);

impl Lock {
    /// The row of `table` whose `id` column has this value. A row that does not exist locks
    /// nothing.
    pub fn row(table: &'static str, id: &impl ToString) -> Self {
        Self(Some((table, id.to_string())))
    }

    /// Nothing to lock: the work only inserts, or its own statements are enough.
    pub const fn none() -> Self {
        Self(None)
    }

    /// Takes the lock inside a transaction that has begun already, beside its first.
    pub fn take(&self, connection: &mut Connection) -> diesel::QueryResult<()> {
        if let (Some((table, id)), Connection::Postgres(postgres)) = (&self.0, connection) {
            diesel::sql_query(format!("SELECT 1 FROM {table} WHERE id = $1 FOR UPDATE"))
                .bind::<Text, _>(id)
                .execute(postgres)?;
        }
        Ok(())
    }
}

/// A store's database, open. Cheap to clone; all clones share connections.
#[derive(Clone)]
pub struct Store {
    readers: Arc<Pool>,
    writing: Writing,
}

#[derive(Clone)]
enum Writing {
    Sqlite(Writer),
    Postgres(Arc<Pool>),
}

impl Store {
    /// Opens the store called `name` (its file or schema) and brings it to this program's version.
    ///
    /// # Errors
    /// As [`migrate`].
    pub fn open(url: &DatabaseUrl, name: &str, migrations: &Migrations) -> Result<Self, Error> {
        migrate(url, name, migrations)?;
        let (readers, writing) = match url {
            DatabaseUrl::Sqlite(_) => (
                std::thread::available_parallelism()
                    .map_or(4, NonZero::get)
                    .max(4),
                Writing::Sqlite(Writer::start(url.clone(), name)?),
            ),
            DatabaseUrl::Postgres(_) => (
                POSTGRES_CONNECTIONS,
                Writing::Postgres(Pool::new(
                    url.clone(),
                    name,
                    Access::Write,
                    POSTGRES_CONNECTIONS,
                )),
            ),
        };
        Ok(Self {
            readers: Pool::new(url.clone(), name, Access::Read, readers),
            writing,
        })
    }

    /// Reads. Each call sees the database as it is committed now.
    ///
    /// # Errors
    /// What `work` answers with, and [`Error::Unavailable`] or [`Error::Panicked`].
    pub async fn read<T, E>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: Failure,
    {
        let answer = self.readers.run(move |connection| {
            let answer = work(connection);
            let reuse = reuse_after(&answer);
            (answer, reuse)
        });
        answer.await.map_err(E::from)?
    }

    /// Runs `work` as one durable transaction, with `lock` held. It may run more than once, so it
    /// must have no effect outside the connection.
    ///
    /// # Errors
    /// What `work` answers with: then nothing of it is kept. [`Error::Unavailable`] when the
    /// database could not keep it, [`Error::Panicked`] when it panicked.
    pub async fn write<T, E>(
        &self,
        lock: Lock,
        work: impl Fn(&mut Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: Failure,
    {
        match &self.writing {
            Writing::Sqlite(writer) => writer.run(work).await,
            Writing::Postgres(pool) => {
                let answer = pool.run(move |connection| {
                    let answer = with_retries(connection, &lock, &work);
                    let reuse = reuse_after(&answer);
                    (answer, reuse)
                });
                answer.await.map_err(E::from)?
            }
        }
    }
}

fn reuse_after<T, E: Failure>(answer: &Result<T, E>) -> Reuse {
    match answer.as_ref().err().and_then(Failure::as_store) {
        Some(Error::Unavailable(_) | Error::Panicked) => Reuse::No,
        _ => Reuse::Yes,
    }
}

fn with_retries<T, E: Failure>(
    connection: &mut Connection,
    lock: &Lock,
    work: &impl Fn(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    let mut tried = 1;
    loop {
        let answer = in_transaction(connection, lock, work);
        let conflict = match answer.as_ref().err().and_then(Failure::as_store) {
            Some(Error::Unavailable(reason)) => is_conflict(reason),
            _ => false,
        };
        if !conflict || tried == TRIES_MAX {
            return answer;
        }
        // Those that lost together must not meet again together.
        let [jitter] = crate::random_bytes::<1>();
        std::thread::sleep(Duration::from_millis(
            u64::from(jitter % 16) << tried.min(4),
        ));
        tried += 1;
    }
}

/// Conflicts that PostgreSQL rolled back for certain, and that a repeat resolves. A lost connection
/// is none: the commit may have been kept.
fn is_conflict(reason: &str) -> bool {
    reason.contains("deadlock detected") || reason.contains("could not serialize")
}

fn in_transaction<T, E: Failure>(
    connection: &mut Connection,
    lock: &Lock,
    work: &impl Fn(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    engine::begin(connection).map_err(Error::from)?;
    let worked = catch_unwind(AssertUnwindSafe(|| {
        lock.take(connection).map_err(Error::from)?;
        work(connection)
    }));
    let answer = worked.unwrap_or_else(|_| Err(Error::Panicked.into()));
    let ended = if answer.is_ok() {
        engine::commit(connection)
    } else {
        engine::roll_back_to(connection, 0)
    };
    match ended {
        Ok(()) => answer,
        // The refusal stands, whatever became of the connection.
        Err(_) if answer.is_err() => answer,
        Err(error) => Err(Error::from(error).into()),
    }
}
