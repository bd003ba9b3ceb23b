//! A fresh database for each test, on either engine.
//!
//! PostgreSQL's come from a server that the test command starts and names in
//! `NIGHTAUDIT_TEST_POSTGRES`; each is a copy of a template that was migrated once.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that has no database cannot go on"
)]

use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};
use tempfile::TempDir;

use crate::{DatabaseUrl, Migrations, migrate};

/// The environment variable that names the test server.
pub const SERVER_VARIABLE: &str = "NIGHTAUDIT_TEST_POSTGRES";

/// Which engine a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// The embedded engine.
    Sqlite,
    /// The server.
    Postgres,
}

/// What a story over both engines starts from.
pub trait Fixture: Sized {
    /// Makes it on an engine.
    fn on(engine: Engine) -> impl Future<Output = Self> + Send;
}

/// A database of a test's own; gone when it is dropped.
pub struct TestDatabase {
    url: DatabaseUrl,
    kept: Kept,
}

enum Kept {
    Directory { _directory: TempDir },
    Database { server: String, name: String },
}

impl TestDatabase {
    /// Makes a database with the named stores in it, migrated.
    ///
    /// # Panics
    /// When it cannot be made; tests cannot go on then.
    pub fn new(engine: Engine, stores: &[(&str, &Migrations)]) -> Self {
        match engine {
            Engine::Sqlite => {
                let directory = tempfile::tempdir().unwrap();
                Self {
                    url: DatabaseUrl::Sqlite(directory.path().to_owned()),
                    kept: Kept::Directory {
                        _directory: directory,
                    },
                }
            }
            Engine::Postgres => {
                let server = std::env::var(SERVER_VARIABLE).unwrap_or_else(|_| {
                    panic!(
                        "{SERVER_VARIABLE} names no PostgreSQL server: run the tests with \
                         `cargo xtask test`, which starts one"
                    )
                });
                let name = copy_of_template(&server, stores);
                Self {
                    url: DatabaseUrl::Postgres(with_database(&server, &name)),
                    kept: Kept::Database { server, name },
                }
            }
        }
    }

    /// Where it is.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Kept::Database { server, name } = &self.kept
            && let Ok(mut connection) = PgConnection::establish(server)
        {
            let _ = connection.batch_execute(&format!("DROP DATABASE \"{name}\" WITH (FORCE)"));
        }
    }
}

/// Runs statements on the tables of a store, past everything that guards them: as nobody should, and
/// some may.
///
/// # Panics
/// When they cannot be run.
pub fn meddle(url: &DatabaseUrl, store: &str, statements: &str) {
    match url {
        DatabaseUrl::Sqlite(directory) => {
            let file = directory.join(format!("{store}.db"));
            let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
            let patient = format!("PRAGMA busy_timeout = 10000; {statements}");
            connection.batch_execute(&patient).unwrap();
        }
        DatabaseUrl::Postgres(url) => {
            let mut connection = PgConnection::establish(url).unwrap();
            let there = format!("SET search_path TO \"{store}\"; {statements}");
            connection.batch_execute(&there).unwrap();
        }
    }
}

/// Puts another database's name into a server's URL.
fn with_database(server: &str, name: &str) -> String {
    let (base, parameters) = server.split_once('?').unwrap_or((server, ""));
    let (scheme, rest) = base.split_once("://").unwrap();
    let host = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{host}/{name}?{parameters}")
}

fn copy_of_template(server: &str, stores: &[(&str, &Migrations)]) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut connection = PgConnection::establish(server).unwrap();
    let template = template(server, &mut connection, stores);
    let name = format!(
        "test_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    connection
        .batch_execute(&format!(
            "DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE); "
        ))
        .unwrap();
    connection
        .batch_execute(&format!(
            "CREATE DATABASE \"{name}\" TEMPLATE \"{template}\""
        ))
        .unwrap();
    name
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    #[expect(dead_code, reason = "only its presence matters")]
    datname: String,
}

/// The migrated template for these stores and their migrations, made by the first test that asks.
fn template(server: &str, connection: &mut PgConnection, stores: &[(&str, &Migrations)]) -> String {
    let name = format!("template_{:016x}", fingerprint(stores));
    connection
        .batch_execute("SELECT pg_advisory_lock(1)")
        .unwrap();
    let found: Vec<Named> = diesel::sql_query("SELECT datname FROM pg_database WHERE datname = $1")
        .bind::<Text, _>(&name)
        .load(connection)
        .unwrap();
    if found.is_empty() {
        let building = format!("{name}_building");
        connection
            .batch_execute(&format!(
                "DROP DATABASE IF EXISTS \"{building}\" WITH (FORCE)"
            ))
            .unwrap();
        connection
            .batch_execute(&format!("CREATE DATABASE \"{building}\""))
            .unwrap();
        let url = DatabaseUrl::Postgres(with_database(server, &building));
        for (store, migrations) in stores {
            migrate(&url, store, migrations).unwrap();
        }
        connection
            .batch_execute(&format!(
                "ALTER DATABASE \"{building}\" RENAME TO \"{name}\""
            ))
            .unwrap();
    }
    connection
        .batch_execute("SELECT pg_advisory_unlock(1)")
        .unwrap();
    name
}

fn fingerprint(stores: &[(&str, &Migrations)]) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};

    use diesel::migration::{Migration, MigrationSource};
    use diesel::pg::Pg;

    let mut hasher = DefaultHasher::new();
    // Migrations carry names but hide their text, which may change while they are being written.
    let program = std::env::current_exe().unwrap();
    program.hash(&mut hasher);
    let built = program.metadata().and_then(|file| file.modified());
    built.unwrap().hash(&mut hasher);
    for (name, migrations) in stores {
        name.hash(&mut hasher);
        let migrations: Vec<Box<dyn Migration<Pg>>> = migrations.migrations().unwrap();
        for migration in migrations {
            migration.name().to_string().hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// Tells one story on both engines: each function becomes two tests.
///
/// ```ignore
/// store::on_both_engines! {
///     async fn a_payment_is_kept(app: TestApp) { … }
/// }
/// ```
#[macro_export]
macro_rules! on_both_engines {
    ($($(#[$attribute:meta])* async fn $name:ident($($fixture:ident)+: $type:ty) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports, reason = "a story need not use all that its file imports")]
            use super::*;

            $(#[$attribute])*
            async fn story($($fixture)+: $type) $body

            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                use $crate::testing::{Engine, Fixture};
                story(<$type as Fixture>::on(Engine::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgres() {
                use $crate::testing::{Engine, Fixture};
                story(<$type as Fixture>::on(Engine::Postgres).await).await;
            }
        }
    )+};
}
