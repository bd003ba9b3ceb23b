//! Connections that blocking work borrows: both engines' readers, and PostgreSQL's writers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use crate::engine::{self, Access};
use crate::{Connection, DatabaseUrl, Error, Failure};

/// Connections of one store to PostgreSQL, which by default serves 97 in all.
const CONNECTIONS_MAX: usize = 24;

/// Connections, opened as they are first needed: to a server at most so many, to a file as many as
/// threads read at once.
pub(crate) struct Pool {
    url: DatabaseUrl,
    name: String,
    access: Access,
    slots: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(crate) fn new(url: DatabaseUrl, name: &str, access: Access) -> Arc<Self> {
        Arc::new(Self {
            url,
            name: name.to_owned(),
            access,
            slots: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            idle: Mutex::new(Vec::new()),
        })
    }

    /// Runs blocking work that borrows one connection at a time.
    ///
    /// A server is waited for on a thread that may wait. The embedded engine is not: reading a row
    /// takes 10 µs, handing the work to another thread and back 60 more.
    pub(crate) async fn run<T, E: Failure>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
    {
        if let DatabaseUrl::Sqlite(_) = self.url {
            return work(self);
        }
        let closing = || Error::Unavailable("the store is closing".to_owned());
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        let slot = slot.map_err(|_| closing())?;
        let pool = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            work(&pool)
        });
        task.await.unwrap_or_else(|error| {
            Err(E::from(if error.is_panic() {
                Error::Panicked
            } else {
                closing()
            }))
        })
    }

    /// Runs work as a transaction of its own: kept when it succeeds, rolled back when not.
    pub(crate) fn transaction<T, E: Failure>(
        &self,
        access: Access,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.begin(access)?;
        let mut answer = match engine::run(&mut connection, work) {
            Ok(value) => match engine::commit(&mut connection, access) {
                Ok(()) => Ok(value),
                Err(error) => Err(Error::from(error).into()),
            },
            refused => refused,
        };
        if self.access == Access::ReadCopy {
            answer = engine::is_still_alone(&self.url, &self.name)
                .map_err(E::from)
                .and(answer);
        }
        // A connection that cannot even roll back is closed, and its transaction ends with it.
        if engine::roll_back_to(&mut connection, 0).is_ok() {
            self.idle().push(connection);
        }
        answer
    }

    /// An idle connection or a new one, with a transaction begun. The server may have restarted
    /// since they were last used: those that cannot begin are dropped, and nothing is lost.
    fn begin(&self, access: Access) -> Result<Connection, Error> {
        loop {
            let idle = self.idle().pop();
            let Some(mut connection) = idle else { break };
            if engine::begin(&mut connection, access).is_ok() {
                return Ok(connection);
            }
        }
        let mut connection = engine::connect(&self.url, &self.name, self.access)
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        engine::begin(&mut connection, access)?;
        Ok(connection)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
