//! Reading one object again, because something was heard of it.
//!
//! Others may read the same object meanwhile: a list with it, another process. Where nobody can tell
//! whose answer is newer, it is asked for again.

use std::sync::Arc;

use guesty::{Error as SourceError, Problem, Reply};
use store::Connection;

use super::Sync;
use crate::Error;
use crate::in_short;
use crate::mirror::{Counts, Delivery, Kind, ReaderId, absorb};

/// How often an object is asked for that changes while it is read.
const TRIES_MAX: u32 = 8;

/// Why an object was not read again.
#[derive(Debug, thiserror::Error)]
pub enum RereadError {
    /// The source does not give it.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The books cannot take it in.
    #[error(transparent)]
    Books(#[from] Error),
}

/// What is done in the transaction in which an object is taken in.
pub(crate) type Settle =
    Arc<dyn Fn(&mut Connection) -> Result<(), Error> + Send + std::marker::Sync>;

impl Sync {
    /// Reads one object again and takes it in. That the source has it no more is an answer, too.
    pub async fn reread(&self, kind: Kind, id: &str) -> Result<Counts, RereadError> {
        self.reread_and(kind, id, Arc::new(|_| Ok(()))).await
    }

    /// The same, with something to be done in the same transaction, whether it changed or not.
    pub(crate) async fn reread_and(
        &self,
        kind: Kind,
        id: &str,
        settle: Settle,
    ) -> Result<Counts, RereadError> {
        let mut tries = 1;
        loop {
            let delivery = self.ask_for(kind, id).await?;
            match self.take(delivery, Arc::clone(&settle)).await {
                Err(Error::Overtaken { .. }) if tries < TRIES_MAX => tries += 1,
                taken => return Ok(taken?),
            }
        }
    }

    /// What the source has of an object now, if that can be read.
    async fn ask_for(&self, kind: Kind, id: &str) -> Result<Delivery, RereadError> {
        let asking = ReaderId::new().asks(&self.chain).await?;
        let reply = self.one_or_gone(kind, id).await?;
        self.is_ours().await?;
        let delivery = Delivery::of(&reply, 1, 1)?.asked(asking);
        match delivery.reading.unreadable.first() {
            None => Ok(delivery),
            Some(reason) => Err(RereadError::Source(SourceError {
                call: in_short(&format!("GET {}", reply.request)),
                tries: 1,
                problem: Problem::Unreadable(reason.clone()),
            })),
        }
    }

    async fn take(&self, delivery: Delivery, settle: Settle) -> Result<Counts, Error> {
        let (id, signer) = (self.chain.id, Arc::clone(&self.chain.signer));
        let work = move |c: &mut Connection| {
            let counts = absorb(c, &signer, id, std::slice::from_ref(&delivery))?;
            settle(c)?;
            Ok::<_, Error>(counts)
        };
        self.chain.store.write(self.chain.lock(), work).await
    }

    /// An object, or the reply that says that there is none.
    pub(super) async fn one_or_gone(&self, kind: Kind, id: &str) -> Result<Reply, SourceError> {
        match self.source.one(kind, id).await {
            Err(SourceError {
                call,
                problem: Problem::NotFound(refusal),
                ..
            }) => Ok(Reply {
                request: call.strip_prefix("GET ").unwrap_or(&call).to_owned(),
                status: refusal.status,
                body: refusal.body,
                received_at: self.now(),
                sent_at: None,
                request_id: refusal.request_id,
            }),
            answered => answered,
        }
    }
}
