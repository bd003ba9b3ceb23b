//! What people ask of the books, as it passes between a command and the server that carries it out.
//!
//! It refuses to know who asks, and how that is carried.

use std::time::Duration;

use contract::id::ConnectionId;
use guesty::Limits;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::mirror::{Mirror, Rebuilt};
use crate::sync::{Part, Progress, Span, Summary, Sync};
use crate::{Books, Error, sync};

/// A limit that no source reaches.
const NO_LIMIT: u32 = 1_000_000;

/// A run that was killed is out of the way after a minute.
const PATIENCE: Duration = Duration::from_secs(70);
const PAUSE: Duration = Duration::from_millis(500);
/// How long a run that was cut short may take to say so.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The order to bring the mirror of one connection up to date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncOrder {
    /// Which connection.
    pub connection: ConnectionId,
    /// Which parts.
    pub parts: Vec<Part>,
    /// Which dates; see [`Sync::run`].
    pub span: Option<Span>,
    /// How fast.
    pub pace: Pace,
}

/// The order to fold the evidence of one connection into a new mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebuildOrder {
    /// Which connection.
    pub connection: ConnectionId,
}

/// How far a chain was folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folded {
    /// How many records are done.
    pub done: u64,
    /// How many there were at the beginning.
    pub total: u64,
}

/// How much of the source's limits a run may use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// Half of each: the account's other applications need the rest.
    #[default]
    Half,
    /// All that is documented.
    Full,
    /// More than is documented: for a source that sets no limits.
    Unlimited,
}

impl Pace {
    pub(crate) fn limits(self) -> Limits {
        match self {
            Self::Half => Limits::default(),
            Self::Full => Limits::full_speed(),
            Self::Unlimited => Limits {
                per_second: NO_LIMIT,
                per_minute: NO_LIMIT,
                per_hour: NO_LIMIT,
                ..Limits::full_speed()
            },
        }
    }
}

/// What is heard of an order while it is carried out: progress, again and again, and once its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heard<P, T> {
    /// How far it is.
    Progress(P),
    /// It was carried out.
    Done(T),
    /// It is not granted, and changed nothing; why.
    Refused(String),
    /// The evidence that it needs is not as it was appended, and it changed nothing; why.
    Broken(String),
    /// It could not be carried out; why.
    Failed(String),
}

impl<P, T> Heard<P, T> {
    /// The end of an order.
    pub fn end(result: Result<T, Error>) -> Self {
        match result {
            Ok(done) => Self::Done(done),
            Err(error @ Error::Broken { .. }) => Self::Broken(error.to_string()),
            Err(error) if error.is_refusal() => Self::Refused(error.to_string()),
            Err(error) => Self::Failed(error.to_string()),
        }
    }
}

impl Books {
    /// Brings the mirror of a connection up to date. What cannot be read is in the summary. Where
    /// another run is under way, it is waited for a minute and a bit: one that was killed is out of
    /// the way then.
    pub async fn sync(
        &self,
        order: &SyncOrder,
        progress: &(dyn Fn(Progress) + Send + std::marker::Sync),
    ) -> Result<Summary, Error> {
        self.sync_until(order, CancellationToken::new(), progress)
            .await
    }

    /// The same, ending once a token is cancelled: after what it is taking in, or when it has waited
    /// for another run in vain.
    pub async fn sync_until(
        &self,
        order: &SyncOrder,
        stop: CancellationToken,
        progress: &(dyn Fn(Progress) + Send + std::marker::Sync),
    ) -> Result<Summary, Error> {
        let sync = self.way_to_sync(order.connection, order.pace).await?;
        let sync = sync.until(stop.clone());
        let given_up = Instant::now() + PATIENCE;
        let mut is_told = false;
        loop {
            match sync.run(&order.parts, order.span, progress).await {
                Err(Error::SyncUnderWay { since, .. })
                    if Instant::now() < given_up && !stop.is_cancelled() =>
                {
                    if !is_told {
                        tracing::info!(%since, "another run is under way: waiting for its end");
                        is_told = true;
                    }
                    let _ = timeout(PAUSE, stop.cancelled()).await;
                }
                done => return done,
            }
        }
    }

    /// A run gives its place up when it is dropped, but on a task of its own: waits for that, not for
    /// long. Else the next run would have to wait for a minute.
    pub async fn sync_cut_short(&self, connection: ConnectionId) {
        let given_up = Instant::now() + LAST_WORDS;
        while Instant::now() < given_up {
            match self.last_sync(connection).await {
                Ok(Some(run)) if run.ended_at.is_none() => sleep(Duration::from_millis(10)).await,
                _ => return,
            }
        }
        tracing::warn!("the run stays on record as under way for a minute");
    }

    /// Reads what changed since the last time; see [`Sync::changed`].
    pub(crate) async fn sync_changed(
        &self,
        connection: ConnectionId,
        pace: Pace,
    ) -> Result<Summary, Error> {
        let sync = self.way_to_sync(connection, pace).await?;
        sync.changed(&|_| ()).await
    }

    async fn way_to_sync(&self, connection: ConnectionId, pace: Pace) -> Result<Sync, Error> {
        let reader = self.reader(connection, pace.limits()).await?;
        let chain = self.begin_chain(connection).await?;
        let (clock, settings) = (self.clock().clone(), sync::Settings::default());
        Ok(Sync::new(&chain, reader, clock, settings))
    }

    /// Folds the evidence of a connection into a new mirror, which takes the place of the old one.
    pub async fn rebuild(
        &self,
        order: RebuildOrder,
        progress: &(dyn Fn(Folded) + Send + std::marker::Sync),
    ) -> Result<Rebuilt, Error> {
        let chain = self.chain(order.connection).await?;
        let total = chain.tip().await?.length.unsigned_abs();
        let told = |done: i64| {
            let done = done.unsigned_abs();
            progress(Folded {
                done,
                total: total.max(done),
            });
        };
        Mirror::of(&chain).rebuild(told).await
    }
}
