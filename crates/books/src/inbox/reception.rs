//! Keeping what comes in. Messages that come at once share a transaction, so that a source that
//! tells much does not wait for the disk with each.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contract::Timestamp;
use contract::id::ConnectionId;
use store::Connection;
use tokio::sync::oneshot;

use super::hint::{self, Hint};
use super::row::{self, Came, NewHint};
use super::sweep;
use crate::evidence::{Chain, Kind, NewRecord, Signer, append};
use crate::{Books, Error};

/// How many messages share a transaction at most.
const TOGETHER: usize = 256;

/// A message whose signature is right.
pub(crate) struct Message {
    id: String,
    hint: Hint,
    record: NewRecord,
}

impl Message {
    pub(crate) fn new(id: &str, at: Timestamp, body: &[u8]) -> Result<Self, Error> {
        let (event, hint) = hint::read(body);
        let subject = format!("{event} {id}");
        Ok(Self {
            id: id.to_owned(),
            hint,
            record: NewRecord::new(Kind::Webhook, subject, at, body)?,
        })
    }
}

/// The books could not keep a message; why is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotKept;

/// Where messages wait for those that are being kept.
#[derive(Default)]
pub(crate) struct Reception {
    waiting: Mutex<HashMap<ConnectionId, Vec<Waiting>>>,
}

struct Waiting {
    message: Arc<Message>,
    is_kept: oneshot::Sender<()>,
}

impl Reception {
    /// Keeps a message as evidence, with what it hints at, unless it came before. What is kept is
    /// kept for good.
    pub(crate) async fn keep(
        &self,
        books: &Books,
        connection: ConnectionId,
        message: Message,
    ) -> Result<(), NotKept> {
        let (is_kept, kept) = oneshot::channel();
        let is_first = {
            let mut waiting = self.waiting();
            let is_first = !waiting.contains_key(&connection);
            let queue = waiting.entry(connection).or_default();
            let message = Arc::new(message);
            queue.push(Waiting { message, is_kept });
            is_first
        };
        if is_first {
            // A task of its own, since whoever asks may go away.
            tokio::spawn(attend(books.clone(), connection));
        }
        kept.await.map_err(|_| NotKept)
    }

    /// What waits; once nothing does, the next to come begins anew.
    fn take(&self, connection: ConnectionId) -> Vec<Waiting> {
        let mut waiting = self.waiting();
        let Some(queue) = waiting.get_mut(&connection) else {
            return Vec::new();
        };
        let taken: Vec<Waiting> = queue.drain(..queue.len().min(TOGETHER)).collect();
        if taken.is_empty() {
            waiting.remove(&connection);
        }
        taken
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<ConnectionId, Vec<Waiting>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps what waits, until nothing does.
async fn attend(books: Books, connection: ConnectionId) {
    let mut chain = None;
    loop {
        let together = books.inbox().reception.take(connection);
        if together.is_empty() {
            return;
        }
        for alone in keep_together(&books, &mut chain, connection, together).await {
            keep_together(&books, &mut chain, connection, vec![alone]).await;
        }
    }
}

/// Keeps messages in one transaction. Those are given back of which the database refuses one: it must
/// not keep out the others.
async fn keep_together(
    books: &Books,
    chain: &mut Option<Chain>,
    connection: ConnectionId,
    together: Vec<Waiting>,
) -> Vec<Waiting> {
    let messages = together.iter().map(|one| Arc::clone(&one.message));
    match keep_all(books, chain, connection, messages.collect()).await {
        Ok(()) => {
            books.inbox().bell.notify_one();
            for one in together {
                // Whoever went away is sent it again, and has it kept once.
                let _ = one.is_kept.send(());
            }
        }
        Err(Error::Store(error)) if together.len() > 1 && !error.is_retryable() => {
            return together;
        }
        Err(error) => {
            let lost = together.len();
            tracing::error!(%connection, lost, %error, "webhooks were not kept");
        }
    }
    Vec::new()
}

async fn keep_all(
    books: &Books,
    chain: &mut Option<Chain>,
    connection: ConnectionId,
    messages: Vec<Arc<Message>>,
) -> Result<(), Error> {
    // It is looked for once, and serves all that come without a pause.
    let chain = match chain {
        Some(chain) => chain,
        None => chain.insert(books.begin_chain(connection).await?),
    };
    let (signer, now) = (Arc::clone(&chain.signer), books.clock().now());
    let work = move |c: &mut Connection| keep(c, &signer, connection, &messages, now);
    books.store().write(chain.lock(), work).await
}

/// Inside a transaction that holds the chain's lock.
fn keep(
    c: &mut Connection,
    signer: &Signer,
    connection: ConnectionId,
    messages: &[Arc<Message>],
    now: Timestamp,
) -> Result<(), Error> {
    let mut met = HashSet::new();
    let once = messages.iter().filter(|message| met.insert(&message.id));
    let once: Vec<&Arc<Message>> = once.collect();
    let came: Vec<Came> = (once.iter())
        .map(|message| Came {
            connection_id: connection.to_string(),
            message_id: message.id.clone(),
            arrived_ms: now,
            is_unknown: message.hint == Hint::Unknown,
        })
        .collect();
    let new = row::remember(c, &came)?;
    let mut fresh = once;
    fresh.retain(|message| new.contains(&message.id));
    if fresh.is_empty() {
        return Ok(());
    }
    let records = fresh.iter().map(|message| &message.record);
    let last = append(c, signer, connection, records)?.length;
    let mut told = HashMap::new();
    for (message, record) in fresh.iter().rev().zip((1..=last).rev()) {
        match &message.hint {
            Hint::Reread(kind, id) => drop(told.entry((*kind, *id)).or_insert(record)),
            Hint::Sweep(_) => sweep::soon(c, connection, now)?,
            Hint::Acknowledged | Hint::Unknown => {}
        }
    }
    let told = told.into_iter();
    let told = told.map(|((kind, id), record)| NewHint::new(connection, kind, id, record, now));
    let told: Vec<NewHint> = told.collect();
    if !told.is_empty() {
        row::tell(c, &told)?;
    }
    Ok(())
}
