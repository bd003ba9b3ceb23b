//! What the messages of each connection are signed with, at hand for a second.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;
use contract::Timestamp;
use contract::id::ConnectionId;
use tokio::sync::Semaphore;

use super::Stamp;
use super::signature::Key;
use crate::{Books, Error};

/// For how long a key serves without another look: one that was removed is refused after that.
const FRESH: TimeDelta = TimeDelta::seconds(1);
/// How many may look at once: strangers must not keep others from the database.
const LOOKS_MAX: usize = 4;

pub(crate) struct Keys {
    known: Mutex<HashMap<ConnectionId, (Timestamp, Key)>>,
    looks: Semaphore,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
            looks: Semaphore::new(LOOKS_MAX),
        }
    }
}

impl Keys {
    /// Whether a message is signed for a connection. One that is not there, or is disconnected, is
    /// told from a wrong signature neither by the answer nor by what is done for it.
    pub(crate) async fn admit(
        &self,
        books: &Books,
        connection: ConnectionId,
        stamp: &Stamp,
        body: &[u8],
    ) -> Result<bool, Error> {
        let now = books.clock().now();
        let at_hand = self.at_hand(connection, now);
        if is_signed(at_hand.as_ref(), stamp, body) {
            return Ok(true);
        }
        // The source may have a new key since.
        let key = self.look(books, connection).await?;
        let is_good = is_signed(key.as_ref(), stamp, body);
        let mut known = self.known();
        match key {
            Some(key) => drop(known.insert(connection, (now, key))),
            None => drop(known.remove(&connection)),
        }
        Ok(is_good)
    }

    fn at_hand(&self, connection: ConnectionId, now: Timestamp) -> Option<Key> {
        let (read_at, key) = self.known().get(&connection).cloned()?;
        let is_fresh = (TimeDelta::zero()..FRESH).contains(&(now - read_at));
        is_fresh.then_some(key)
    }

    async fn look(&self, books: &Books, connection: ConnectionId) -> Result<Option<Key>, Error> {
        let _turn = self.looks.acquire().await;
        let secret = books.webhook_secret(connection).await?;
        Ok(secret.as_ref().and_then(Key::of))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<ConnectionId, (Timestamp, Key)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without a key it takes as long to say no.
fn is_signed(key: Option<&Key>, stamp: &Stamp, body: &[u8]) -> bool {
    let signer = key.cloned().unwrap_or_else(Key::nobodys);
    signer.has_signed(stamp, body) && key.is_some()
}
