//! Connections that blocking work borrows: both engines' readers, and PostgreSQL's writers.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::engine::{self, Access};
use crate::{Connection, DatabaseUrl, Error};

/// A bounded set of connections, opened as they are first needed.
pub(crate) struct Pool {
    url: DatabaseUrl,
    name: String,
    access: Access,
    slots: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(crate) fn new(url: DatabaseUrl, name: &str, access: Access, size: usize) -> Arc<Self> {
        Arc::new(Self {
            url,
            name: name.to_owned(),
            access,
            slots: Arc::new(Semaphore::new(size)),
            idle: Mutex::new(Vec::with_capacity(size)),
        })
    }

    /// Runs blocking work on a connection, waiting for a free one. `work` says with its second
    /// value whether the connection may serve again.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Connection) -> (T, Reuse) + Send + 'static,
    ) -> Result<T, Error> {
        let gone = |_| Error::Unavailable("the store is closing".to_owned());
        let slot = Arc::clone(&self.slots)
            .acquire_owned()
            .await
            .map_err(gone)?;
        let pool = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            let mut connection = pool.take()?;
            // A panic unwinds past the lines below: its connection is dropped with it, and closed.
            let (value, reuse) = work(&mut connection);
            if reuse == Reuse::Yes {
                pool.idle
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(connection);
            }
            Ok(value)
        });
        task.await.unwrap_or(Err(Error::Panicked))
    }

    fn take(&self) -> Result<Connection, Error> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        match idle {
            Some(connection) => Ok(connection),
            None => engine::connect(&self.url, &self.name, self.access)
                .map_err(|error| Error::Unavailable(error.to_string())),
        }
    }
}

/// Whether a connection goes back to the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reuse {
    Yes,
    No,
}
