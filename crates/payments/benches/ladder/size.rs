//! How much the databases hold: rows that payments write, and bytes.

use std::ops::Sub;

use diesel::QueryableByName;
use diesel::RunQueryDsl;
use diesel::sql_types::BigInt;
use payments::{MIGRATIONS, STORE_NAME};
use processors::sandbox;
use store::{DatabaseUrl, Error, Migrations, Store, both};

/// What a payment may write a row of, by the database that it is in.
const TABLES: [(&str, &Migrations, &[&str]); 2] = [
    (
        STORE_NAME,
        &MIGRATIONS,
        &[
            "payment",
            "attempt",
            "domain_event",
            "processor_transaction",
        ],
    ),
    ("sandbox", &sandbox::MIGRATIONS, &["transaction"]),
];

/// Sums over both databases.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) rows: i64,
    pub(crate) bytes: i64,
}

impl Sub for Size {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            rows: self.rows - other.rows,
            bytes: self.bytes - other.bytes,
        }
    }
}

#[derive(QueryableByName)]
struct Figure {
    #[diesel(sql_type = BigInt)]
    figure: i64,
}

impl Size {
    pub(crate) async fn of(database: &DatabaseUrl) -> Self {
        let mut size = Self { rows: 0, bytes: 0 };
        for (name, migrations, tables) in TABLES {
            let store = Store::open_read_only(database, name, migrations).unwrap();
            for table in tables {
                let count = format!("SELECT count(*) AS figure FROM \"{table}\"");
                size.rows += figure(&store, count).await;
            }
            match database {
                DatabaseUrl::Sqlite(_) => {
                    let bytes = "SELECT page_count * page_size AS figure \
                                 FROM pragma_page_count, pragma_page_size";
                    size.bytes += figure(&store, bytes.to_owned()).await;
                }
                // One database, whose schemas they are.
                DatabaseUrl::Postgres(_) => {
                    let bytes = "SELECT pg_database_size(current_database()) AS figure";
                    size.bytes = figure(&store, bytes.to_owned()).await;
                }
            }
        }
        size
    }
}

async fn figure(store: &Store, sql: String) -> i64 {
    let read = store.read(move |connection| {
        let found: Figure = both!(connection, c => diesel::sql_query(&sql).get_result(c))?;
        Ok::<_, Error>(found.figure)
    });
    read.await.unwrap()
}
