//! The two doors.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::Text;
use diesel::{PgConnection, QueryResult, RunQueryDsl};

use crate::engine::Access;
use crate::migrate::{self, Migrations, migrate};
use crate::pool::Pool;
use crate::writer::Writer;
use crate::{Connection, DatabaseUrl, Error, Failure};

/// How often work on PostgreSQL is tried that lost a conflict.
const TRIES_MAX: u32 = 8;

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
    pub fn take(&self, connection: &mut Connection) -> QueryResult<()> {
        if let (Some((table, id)), Connection::Postgres(postgres)) = (&self.0, connection) {
            LockRow { table, id }.execute(postgres)?;
        }
        Ok(())
    }
}

/// A query of Diesel's own kind, which each connection prepares once: `sql_query` would ask the
/// server twice for every lock.
struct LockRow<'a> {
    table: &'static str,
    id: &'a str,
}

impl QueryFragment<Pg> for LockRow<'_> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.push_sql("SELECT 1 FROM ");
        pass.push_identifier(self.table)?;
        pass.push_sql(" WHERE id = ");
        pass.push_bind_param::<Text, _>(self.id)?;
        pass.push_sql(" FOR UPDATE");
        Ok(())
    }
}

/// Told from others by its SQL, since the table is only known when it runs.
impl QueryId for LockRow<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl RunQueryDsl<PgConnection> for LockRow<'_> {}

/// A store's database, open. Cheap to clone; all clones share connections.
///
/// When the last clone is dropped, writes that were handed in are finished and the file is closed.
#[derive(Clone)]
pub struct Store {
    pool: Arc<Pool>,
    writing: Writing,
}

#[derive(Clone)]
enum Writing {
    /// SQLite: one after the other, sharing commits.
    Queue(Arc<Writer>),
    /// PostgreSQL: side by side, on the readers' connections.
    Pool,
    /// Not at all.
    Refused,
}

impl Store {
    /// Opens the store called `name` (its file or schema) and brings it to this program's version.
    ///
    /// # Errors
    /// As [`migrate`](crate::migrate()).
    pub fn open(url: &DatabaseUrl, name: &str, migrations: &Migrations) -> Result<Self, Error> {
        migrate(url, name, migrations)?;
        let writing = match url {
            DatabaseUrl::Sqlite(_) => Writing::Queue(Arc::new(Writer::start(url.clone(), name)?)),
            DatabaseUrl::Postgres(_) => Writing::Pool,
        };
        Ok(Self::new(url, name, Access::Read, writing))
    }

    /// Opens the store for reading only, while a server may have it open for writing.
    ///
    /// # Errors
    /// [`Error::Newer`] as [`migrate`](crate::migrate()); [`Error::Open`] when it cannot be
    /// reached, does not exist yet, or stands at an older version.
    pub fn open_read_only(
        url: &DatabaseUrl,
        name: &str,
        migrations: &Migrations,
    ) -> Result<Self, Error> {
        let access = migrate::check(url, name, migrations)?;
        Ok(Self::new(url, name, access, Writing::Refused))
    }

    fn new(url: &DatabaseUrl, name: &str, access: Access, writing: Writing) -> Self {
        Self {
            pool: Pool::new(url.clone(), name, access),
            writing,
        }
    }

    /// Reads. All of `work` sees the database as it was committed when it began.
    ///
    /// On SQLite it runs on the caller's thread, so it must not read without bound.
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
        self.pool
            .run(move |pool| pool.transaction(Access::Read, work))
            .await
    }

    /// Runs `work` as one durable transaction, with `lock` held. It may run more than once, so it
    /// must have no effect outside the connection.
    ///
    /// # Errors
    /// What `work` answers with: then nothing of it is kept. [`Error::Unavailable`] or
    /// [`Error::Conflict`] when the database could not keep it, [`Error::Panicked`] when it
    /// panicked.
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
            Writing::Queue(writer) => writer.run(work).await,
            Writing::Pool => {
                self.pool
                    .run(move |pool| with_retries(pool, &lock, &work))
                    .await
            }
            Writing::Refused => Err(Error::ReadOnly.into()),
        }
    }
}

fn with_retries<T, E: Failure>(
    pool: &Pool,
    lock: &Lock,
    work: &impl Fn(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    let mut tried = 1;
    loop {
        let answer = pool.transaction(Access::Write, |connection| {
            lock.take(connection).map_err(Error::from)?;
            work(connection)
        });
        let failure = answer.as_ref().err().and_then(Failure::as_store);
        if tried == TRIES_MAX || !matches!(failure, Some(Error::Conflict(_))) {
            return answer;
        }
        // Those that lost together must not meet again together.
        let [jitter] = crate::random_bytes::<1>();
        let pause_ms = u64::from(jitter % 16) << tried.min(4);
        thread::sleep(Duration::from_millis(pause_ms));
        tried += 1;
    }
}
