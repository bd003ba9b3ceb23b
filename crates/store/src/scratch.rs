//! A database for work that can be done anew: it has no name, keeps nothing, and takes no log.

use std::sync::{Arc, Mutex, PoisonError};

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, SqliteConnection};

use crate::migrate::{Migrations, apply};
use crate::{Connection, Error, Failure, engine};

const NAME: &str = "a scratch database";

/// Settings that must stand before the first page is written. A page holds several rows of a few
/// kilobytes, which may point to rows that are elsewhere. What does not fit into memory lies in a file without a name, in the directory for
/// temporary files.
const SETTINGS: &str = "PRAGMA page_size = 8192;
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA foreign_keys = OFF;
    PRAGMA cache_size = -65536;";

/// An embedded database of this process alone. Its clones share it; when the last is dropped it is
/// gone. After an error in it, whatever engine the store has, nothing in it counts.
#[derive(Clone)]
pub struct Scratch(Arc<Mutex<Connection>>);

impl Scratch {
    /// Makes an empty one with a store's tables.
    ///
    /// # Errors
    /// [`Error::Open`] when there is no room for temporary files.
    pub fn new(migrations: &Migrations) -> Result<Self, Error> {
        let failed = |reason: String| Error::Open {
            database: NAME.to_owned(),
            reason,
        };
        // To the engine, no name says just that.
        let mut sqlite = SqliteConnection::establish("").map_err(|e| failed(e.to_string()))?;
        let settings = sqlite.batch_execute(SETTINGS);
        settings.map_err(|e| failed(e.to_string()))?;
        apply(&mut sqlite, NAME, migrations)?;
        // It never ends: nothing is written before there is too much of it.
        let begun = sqlite.batch_execute("BEGIN");
        begun.map_err(|e| failed(e.to_string()))?;
        Ok(Self(Arc::new(Mutex::new(Connection::Sqlite(sqlite)))))
    }

    /// Works on it, on this thread, when all others are done with it.
    ///
    /// # Errors
    /// What `work` answers with, and [`Error::Panicked`].
    pub fn with<T, E: Failure>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        engine::run(&mut connection, work)
    }
}
