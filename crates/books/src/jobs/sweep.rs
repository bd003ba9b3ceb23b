//! Sweeps: reading what no message told.

use contract::Timestamp;
use contract::id::ConnectionId;
use store::Lock;

use crate::inbox::sweep;
use crate::{Books, Error};

/// The connections to be swept now that nobody else has taken.
pub(super) async fn claim(books: &Books, now: Timestamp) -> Result<Vec<ConnectionId>, Error> {
    let next = now + books.jobs().sweep_every;
    let store = books.store();
    let mut claimed = Vec::new();
    for id in store.read(move |c| sweep::due(c, now)).await? {
        let lock = Lock::row("connection", &id);
        let claim = move |c: &mut store::Connection| sweep::claim(c, id, now, next);
        if store.write(lock, claim).await? {
            claimed.push(id);
        }
    }
    Ok(claimed)
}

/// Sweeps a connection. What cannot be read is on record with the run, and left to the next time.
pub(super) async fn run(books: &Books, id: ConnectionId) -> Result<(), Error> {
    match books.sync_changed(id, books.jobs().pace).await {
        Ok(_) | Err(Error::SyncUnderWay { .. } | Error::Disconnected(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
