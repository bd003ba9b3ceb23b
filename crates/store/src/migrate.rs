//! Bringing a database to the program's version, and refusing one that is ahead of it.

use std::fmt::Display;

use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::sql_types::{Bool, Text};
use diesel::sqlite::Sqlite;
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

use crate::engine::{self, Access};
use crate::{Connection, DatabaseUrl, Error, both};

/// A crate's migrations, compiled in: the result of `embed_migrations!`.
pub type Migrations = EmbeddedMigrations;

/// Brings a store's file or schema to this program's version.
///
/// # Errors
/// [`Error::Newer`] when the database knows migrations that this program does not;
/// [`Error::Open`] when it cannot be reached or a migration fails.
pub fn migrate(url: &DatabaseUrl, name: &str, migrations: &Migrations) -> Result<(), Error> {
    let database = url.describe(name);
    match engine::connect(url, name, Access::Write)? {
        Connection::Sqlite(mut sqlite) => apply(&mut sqlite, &database, migrations),
        Connection::Postgres(mut postgres) => {
            create_schema(&mut postgres, name).map_err(|e| failed(&database, e))?;
            apply(&mut postgres, &database, migrations)
        }
    }
}

/// Whether a store was ever opened there for writing. Nothing is made of asking.
///
/// # Errors
/// [`Error::Open`] when the directory may not be looked into, or the database server cannot be
/// reached.
pub fn exists(url: &DatabaseUrl, name: &str) -> Result<bool, Error> {
    #[derive(QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Bool)]
        answer: bool,
    }
    if let DatabaseUrl::Sqlite(directory) = url {
        let found = directory.join(format!("{name}.db")).try_exists();
        return found.map_err(|e| failed(&url.describe(name), e));
    }
    let mut connection = engine::connect(url, name, Access::Read)?;
    let query = sql_query("SELECT to_regclass($1) IS NOT NULL AS answer")
        .bind::<Text, _>(format!("\"{name}\".__diesel_schema_migrations"));
    let Connection::Postgres(postgres) = &mut connection else {
        return Ok(false);
    };
    let answer: Answer = query
        .get_result(postgres)
        .map_err(|e| failed(&url.describe(name), e))?;
    Ok(answer.answer)
}

/// Whether a store's file or schema stands at this program's version, without touching it; and how it
/// can be read.
pub(crate) fn check(
    url: &DatabaseUrl,
    name: &str,
    migrations: &Migrations,
) -> Result<Access, Error> {
    let database = url.describe(name);
    let access = engine::access_to_read(url, name)?;
    let mut connection = engine::connect(url, name, access)?;
    let applied = applied(&mut connection)
        .map_err(|e| failed(&database, format!("nothing was kept in it yet ({e})")))?;
    let known = known::<Sqlite>(&database, migrations)?;
    refuse_newer(&database, &applied, &known)?;
    if pending(&applied, &known).next().is_some() {
        let older = "it was written by an older version of the program: \
                     start this version's server on it once, to bring it up to date";
        return Err(failed(&database, older));
    }
    Ok(access)
}

/// Makes the schema if need be. Two nodes may start at once: the second waits until the first has
/// closed its connection, then finds nothing left to do. A role that may not make schemas is fine
/// when the schema is there.
fn create_schema(connection: &mut PgConnection, name: &str) -> QueryResult<()> {
    connection.batch_execute(&format!(
        "SELECT pg_advisory_lock(7164293);
         DO $$ BEGIN
             IF to_regnamespace('\"{name}\"') IS NULL THEN CREATE SCHEMA \"{name}\"; END IF;
         END $$;"
    ))
}

pub(crate) fn apply<DB: Backend>(
    connection: &mut impl MigrationHarness<DB>,
    database: &str,
    migrations: &Migrations,
) -> Result<(), Error> {
    let known = known(database, migrations)?;
    let applied = connection.applied_migrations();
    let applied = applied.map_err(|e| failed(database, e))?;
    let applied: Vec<String> = applied.iter().map(ToString::to_string).collect();
    refuse_newer(database, &applied, &known)?;
    for migration in pending(&applied, &known) {
        connection
            .run_migration(migration)
            .map_err(|e| failed(database, e))?;
    }
    Ok(())
}

fn known<DB: Backend>(
    database: &str,
    migrations: &Migrations,
) -> Result<Vec<Box<dyn Migration<DB>>>, Error> {
    migrations.migrations().map_err(|e| failed(database, e))
}

fn applied(connection: &mut Connection) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Applied {
        #[diesel(sql_type = Text)]
        version: String,
    }
    let query = sql_query("SELECT version FROM __diesel_schema_migrations");
    let rows: Vec<Applied> = both!(connection, c => query.load(c))?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

fn version<DB: Backend>(migration: &dyn Migration<DB>) -> String {
    migration.name().version().to_string()
}

fn pending<'a, DB: Backend>(
    applied: &'a [String],
    known: &'a [Box<dyn Migration<DB>>],
) -> impl Iterator<Item = &'a dyn Migration<DB>> {
    known
        .iter()
        .map(|migration| &**migration)
        .filter(|migration| !applied.contains(&version(*migration)))
}

fn refuse_newer<DB: Backend>(
    database: &str,
    applied: &[String],
    known: &[Box<dyn Migration<DB>>],
) -> Result<(), Error> {
    let is_unknown = |v: &&String| !known.iter().any(|migration| version(&**migration) == **v);
    match applied.iter().filter(is_unknown).min() {
        None => Ok(()),
        Some(version) => Err(Error::Newer {
            database: database.to_owned(),
            version: version.clone(),
        }),
    }
}

fn failed(database: &str, reason: impl Display) -> Error {
    Error::Open {
        database: database.to_owned(),
        reason: reason.to_string(),
    }
}
