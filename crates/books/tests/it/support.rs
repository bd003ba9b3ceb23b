//! Books of a test's own.

use std::sync::Arc;

use books::evidence::{Chain, Kind, NewRecord};
use books::{Books, Error, MIGRATIONS, STORE_NAME};
use contract::Timestamp;
use contract::id::ConnectionId;
use diesel::prelude::*;
use store::testing::{Engine, Fixture, TestDatabase};
use store::{DatabaseUrl, Lock, ManualClock, Store, new_id};
use vault::{Key, Keyring, Vault};

/// Wall time in tests, until it is moved.
pub const START: &str = "2026-11-21T12:00:00.000Z";

/// Books with one connection.
pub struct Desk {
    pub books: Books,
    pub clock: Arc<ManualClock>,
    pub connection: ConnectionId,
    pub chain: Chain,
    database: TestDatabase,
}

impl Fixture for Desk {
    async fn on(engine: Engine) -> Self {
        let database = TestDatabase::new(engine, &[(STORE_NAME, &MIGRATIONS)]);
        let clock = Arc::new(ManualClock::at(START.parse().unwrap()));
        let books = open(&database, &clock, 7).unwrap();
        let connection = new_id();
        let chain = books.begin_chain(connection).await.unwrap();
        Self {
            books,
            clock,
            connection,
            chain,
            database,
        }
    }
}

fn open(database: &TestDatabase, clock: &Arc<ManualClock>, key: u8) -> Result<Books, Error> {
    open_with(database, clock, key, &[])
}

fn open_with(
    database: &TestDatabase,
    clock: &Arc<ManualClock>,
    first: u8,
    former: &[u8],
) -> Result<Books, Error> {
    let key = |key: u8| Key::from_bytes(&[key; 32]);
    let keys = Keyring::new(key(first), former.iter().copied().map(key).collect());
    let clock = Arc::<ManualClock>::clone(clock);
    Books::open(database.url(), Arc::new(Vault::new(keys)), clock)
}

impl Desk {
    /// Whether it stands on the server.
    pub fn is_postgres(&self) -> bool {
        matches!(self.database.url(), DatabaseUrl::Postgres(_))
    }

    /// Another process on the same database, with the key of so many.
    pub fn another(&self, key: u8) -> Books {
        open(&self.database, &self.clock, key).unwrap()
    }

    /// Another process on the same database, with a new key and former ones.
    pub fn with_keys(&self, key: u8, former: &[u8]) -> Books {
        open_with(&self.database, &self.clock, key, former).unwrap()
    }

    /// Runs a statement on the books' tables, as nobody should.
    pub async fn sql(&self, statement: impl Into<String>) {
        let statement = statement.into();
        let store = Store::open(self.database.url(), STORE_NAME, &MIGRATIONS).unwrap();
        let done: Result<usize, store::Error> = store
            .write(Lock::none(), move |c| {
                Ok(diesel::sql_query(&statement).execute(c)?)
            })
            .await;
        done.unwrap();
    }

    /// The bytes of all sealed secrets and tokens, as they lie in the tables.
    pub async fn sealed_texts(&self) -> Vec<Vec<u8>> {
        let read = self.books.store().read(|c| {
            let query = "SELECT sealed_secret AS sealed FROM connection \
                         WHERE sealed_secret IS NOT NULL \
                         UNION ALL SELECT sealed FROM access_token WHERE sealed IS NOT NULL \
                         UNION ALL SELECT sealed_secret FROM webhook \
                         WHERE sealed_secret IS NOT NULL";
            let rows: Vec<Sealed> = diesel::sql_query(query).load(c)?;
            Ok::<_, Error>(rows.into_iter().map(|row| row.sealed).collect())
        });
        read.await.unwrap()
    }

    /// Until when somebody may ask for a token, once all that was to be written is.
    pub async fn lease_ends(&self) -> Option<Timestamp> {
        let read = self.books.store().write(Lock::none(), |c| {
            let query = "SELECT until_ms FROM access_token";
            let row: Leased = diesel::sql_query(query).get_result(c)?;
            Ok::<_, Error>(row.until_ms)
        });
        read.await.unwrap().map(Timestamp::from_millis)
    }

    /// Appends so many records.
    pub async fn append(&self, count: i64) {
        let length = self.chain.tip().await.unwrap().length;
        let records = (length + 1..=length + count).map(record).collect();
        self.chain.append(records).await.unwrap();
    }
}

#[derive(QueryableByName)]
struct Sealed {
    #[diesel(sql_type = diesel::sql_types::Binary)]
    sealed: Vec<u8>,
}

#[derive(QueryableByName)]
struct Leased {
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    until_ms: Option<i64>,
}

/// A record that says its number.
pub fn record(number: i64) -> NewRecord {
    let at = START.parse::<Timestamp>().unwrap().millis() + number;
    let body = format!(r#"{{"number":{number}}}"#);
    let subject = format!("GET /v1/listings?skip={number}");
    let at = Timestamp::from_millis(at);
    NewRecord::new(Kind::Reply, subject, at, body.as_bytes())
        .unwrap()
        .with_status(200)
        .as_page(1, 0)
}
