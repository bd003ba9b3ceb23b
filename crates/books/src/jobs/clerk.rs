//! Reading again what messages told of one connection.

use std::sync::Arc;

use chrono::TimeDelta;
use contract::Timestamp;
use contract::id::ConnectionId;
use futures_util::future::join_all;
use guesty::{Guesty, Problem, RetryPolicy, Settings};
use store::Connection;
use tokio_util::sync::CancellationToken;

use crate::evidence::Chain;
use crate::inbox::row::{Due, Rest, claim};
use crate::mirror::Kind;
use crate::sync::{self, RereadError, Sync};
use crate::{Books, Error};

/// How much is read side by side.
const SIDE_BY_SIDE: i64 = 8;
/// How long a connection rests at most that does not work.
const REST_MAX: TimeDelta = TimeDelta::minutes(5);

/// What one process knows of a connection.
#[derive(Default)]
pub(super) struct Desk {
    /// When the credentials were saved that all this is about.
    saved_at: Option<Timestamp>,
    sync: Option<Sync>,
    /// How often the connection failed, one time after the other.
    failures: u32,
    not_before: Option<Timestamp>,
}

impl Desk {
    /// Forgets what was known of other credentials.
    pub(super) fn is_for(&mut self, saved_at: Timestamp) {
        if self.saved_at != Some(saved_at) {
            *self = Self {
                saved_at: Some(saved_at),
                ..Self::default()
            };
        }
    }

    pub(super) fn is_open(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|opens| opens <= now)
    }

    /// A connection that does not work is tried with one object at a time.
    fn at_once(&self) -> i64 {
        if self.failures == 0 { SIDE_BY_SIDE } else { 1 }
    }

    fn works(&mut self) {
        self.failures = 0;
        self.not_before = None;
    }

    fn fails(&mut self, now: Timestamp) {
        let rest = TimeDelta::seconds(1_i64 << self.failures.min(10)).min(REST_MAX);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(now + rest);
        self.sync = None;
    }

    /// The way to the account, of which it was made sure that it is the connection's.
    async fn sync(&mut self, books: &Books, id: ConnectionId) -> Result<Sync, Error> {
        if let Some(sync) = &self.sync {
            return Ok(sync.clone());
        }
        let way = books.way(id).await?;
        let way = Settings {
            limits: books.jobs().pace.limits(),
            // What fails is tried again from here, and after a restart, too.
            retry: RetryPolicy {
                tries: 1,
                ..way.retry
            },
            ..way
        };
        let reader = Guesty::new(way)?.reader();
        books.recognize(id, &reader).await?;
        let (chain, clock) = (books.begin_chain(id).await?, Arc::clone(books.clock()));
        let sync = Sync::new(&chain, reader, clock, sync::Settings::default());
        Ok(self.sync.insert(sync).clone())
    }
}

/// What became of something that was to be read.
#[derive(Clone)]
enum Outcome {
    Read,
    /// Others read it at the same time, again and again.
    Overtaken,
    /// The source was in trouble with it.
    NotNow,
    /// The source does not give it.
    Refused(String),
    /// Nothing can be read over this connection now.
    Trouble(String),
}

/// Reads all that is due of a connection, as long as it works.
pub(super) async fn work(
    books: &Books,
    id: ConnectionId,
    desk: &mut Desk,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let chain = books.begin_chain(id).await?;
    let mut has_trouble = false;
    while !has_trouble {
        let (now, at_most) = (books.clock().now(), desk.at_once());
        let claim = move |c: &mut Connection| claim(c, id, now, at_most);
        let due = books.store().write(chain.lock(), claim).await?;
        if due.is_empty() {
            break;
        }
        let outcomes = tokio::select! {
            // What was claimed is put back.
            () = stop.cancelled() => vec![Outcome::Overtaken; due.len()],
            outcomes = read(books, id, desk, &due) => outcomes?,
        };
        let trouble = outcomes.iter().find_map(Outcome::trouble);
        has_trouble = trouble.is_some() || stop.is_cancelled();
        match trouble {
            None => desk.works(),
            Some(reason) => {
                tracing::warn!(connection = %id, reason, "what changed cannot be read; it waits");
                desk.fails(books.clock().now());
            }
        }
        settle(books, &chain, due, &outcomes).await?;
    }
    Ok(())
}

impl Outcome {
    fn trouble(&self) -> Option<&str> {
        match self {
            Self::Trouble(reason) => Some(reason),
            _ => None,
        }
    }
}

/// Reads what was claimed, side by side.
async fn read(
    books: &Books,
    id: ConnectionId,
    desk: &mut Desk,
    due: &[Due],
) -> Result<Vec<Outcome>, Error> {
    let sync = match desk.sync(books, id).await {
        Err(error) if error.is_refusal() || matches!(error, Error::Source(_)) => {
            return Ok(vec![Outcome::Trouble(error.to_string()); due.len()]);
        }
        sync => sync?,
    };
    let outcomes = due.iter().map(|hint| reread(books, id, &sync, hint));
    join_all(outcomes).await.into_iter().collect()
}

async fn reread(
    books: &Books,
    connection: ConnectionId,
    sync: &Sync,
    hint: &Due,
) -> Result<Outcome, Error> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == hint.kind);
    let kind = kind.ok_or_else(|| Error::Corrupt(format!("a hint at a {}", hint.kind)))?;
    let (done, clock) = (hint.clone(), Arc::clone(books.clock()));
    let settle = move |c: &mut Connection| done.is_done(c, connection, clock.now());
    match sync.reread_and(kind, &hint.id, Arc::new(settle)).await {
        Ok(_) => Ok(Outcome::Read),
        Err(RereadError::Source(error)) => Ok(weigh(&error)),
        Err(RereadError::Books(Error::Overtaken { .. })) => Ok(Outcome::Overtaken),
        Err(RereadError::Books(error @ Error::AnotherAccount { .. })) => {
            Ok(Outcome::Trouble(error.to_string()))
        }
        Err(RereadError::Books(error)) => Err(error),
    }
}

/// Whether what stands in the way is about the object or about the connection.
fn weigh(error: &guesty::Error) -> Outcome {
    match &error.problem {
        Problem::Forbidden(_)
        | Problem::NotFound(_)
        | Problem::Refused(_)
        | Problem::TooLarge { .. }
        | Problem::Unreadable(_)
        | Problem::PageRepeats { .. } => Outcome::Refused(error.to_string()),
        Problem::Unavailable(_)
        | Problem::TimedOut(_)
        | Problem::BrokenOff(_)
        | Problem::ListShifted { .. }
        | Problem::ListShrank { .. } => Outcome::NotNow,
        Problem::Credentials(_)
        | Problem::TokensUsedUp(_)
        | Problem::TokenStore(_)
        | Problem::Unauthorized(_)
        | Problem::RateLimited(_)
        | Problem::Unreachable(_)
        | Problem::Tls(_)
        | Problem::Redirected(_)
        | Problem::NotJson(_) => Outcome::Trouble(error.to_string()),
    }
}

/// Writes down what became of what was claimed.
async fn settle(
    books: &Books,
    chain: &Chain,
    due: Vec<Due>,
    outcomes: &[Outcome],
) -> Result<(), Error> {
    let rests: Vec<(Due, Option<Rest>)> = (due.into_iter().zip(outcomes))
        .filter_map(|(hint, outcome)| {
            let rest = match outcome {
                Outcome::Read => return None,
                Outcome::Overtaken | Outcome::Trouble(_) => None,
                Outcome::NotNow => Some(Rest::UntilItPasses),
                Outcome::Refused(reason) => Some(Rest::WithProblem(reason.clone())),
            };
            Some((hint, rest))
        })
        .collect();
    if rests.is_empty() {
        return Ok(());
    }
    let (id, now) = (chain.connection(), books.clock().now());
    let work = move |c: &mut Connection| {
        rests.iter().try_for_each(|(hint, rest)| match rest {
            Some(rest) => hint.rest(c, id, now, rest),
            None => hint.put_back(c, id, now),
        })
    };
    books.store().write(chain.lock(), work).await
}
