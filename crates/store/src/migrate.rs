//! Bringing a database to the program's version, and refusing one that is ahead of it.

use std::collections::HashSet;

use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::{Connection as _, PgConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

use crate::engine::{self, Access};
use crate::{Connection, DatabaseUrl, Error};

/// A crate's migrations, compiled in: the result of `embed_migrations!`.
pub type Migrations = EmbeddedMigrations;

/// Brings a store's file or schema to this program's version.
///
/// # Errors
/// [`Error::Newer`] when the database knows migrations that this program does not;
/// [`Error::Open`] when it cannot be reached or a migration fails.
pub fn migrate(url: &DatabaseUrl, name: &str, migrations: &Migrations) -> Result<(), Error> {
    if let DatabaseUrl::Postgres(server) = url {
        create_schema(server, name).map_err(|reason| Error::Open {
            database: url.describe(name),
            reason,
        })?;
    }
    match engine::connect(url, name, Access::Write)? {
        Connection::Sqlite(mut sqlite) => apply(&mut sqlite, url, name, migrations),
        Connection::Postgres(mut postgres) => {
            // Two nodes may start at once: the second waits, then finds nothing left to do.
            postgres
                .batch_execute("SELECT pg_advisory_lock(7164293)")
                .map_err(|e| Error::Open {
                    database: url.describe(name),
                    reason: e.to_string(),
                })?;
            apply(&mut postgres, url, name, migrations)
        }
    }
}

fn create_schema(server: &str, name: &str) -> Result<(), String> {
    let mut connection = PgConnection::establish(server).map_err(|e| e.to_string())?;
    connection
        .batch_execute(&format!(
            "SELECT pg_advisory_lock(7164293);
             SET client_min_messages TO warning;
             CREATE SCHEMA IF NOT EXISTS \"{name}\";"
        ))
        .map_err(|e| e.to_string())
}

fn apply<DB: Backend>(
    connection: &mut impl MigrationHarness<DB>,
    url: &DatabaseUrl,
    name: &str,
    migrations: &Migrations,
) -> Result<(), Error> {
    let failed = |reason: String| Error::Open {
        database: url.describe(name),
        reason,
    };
    let known: Vec<Box<dyn Migration<DB>>> =
        migrations.migrations().map_err(|e| failed(e.to_string()))?;
    let known: HashSet<String> = known
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let applied = connection
        .applied_migrations()
        .map_err(|e| failed(e.to_string()))?;
    let unknown = applied
        .iter()
        .map(ToString::to_string)
        .filter(|v| !known.contains(v))
        .min();
    if let Some(version) = unknown {
        return Err(Error::Newer {
            database: url.describe(name),
            version,
        });
    }
    let source: &dyn MigrationSource<DB> = migrations;
    let pending: Vec<Box<dyn Migration<DB>>> =
        source.migrations().map_err(|e| failed(e.to_string()))?;
    let applied: HashSet<String> = applied.iter().map(ToString::to_string).collect();
    for migration in pending {
        if !applied.contains(&migration.name().version().to_string()) {
            connection
                .run_migration(&*migration)
                .map_err(|e| failed(e.to_string()))?;
        }
    }
    Ok(())
}
