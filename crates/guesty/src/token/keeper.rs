//! Holds the token that is in use, and decides when to ask for another.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use contract::Timestamp;

use super::{Endpoint, Token, TokenStore, TokenStoreError};
use crate::clock::WallClock;
use crate::error::{Error, Problem};

/// How long before its end a token is replaced, if it is good for more than twice that.
const MARGIN: TimeDelta = TimeDelta::minutes(30);
/// Tokens are counted over this span.
const DAY: TimeDelta = TimeDelta::hours(24);
/// A token that was accepted, or issued, so lately is not what a 403 is about.
const ACCEPTED_LATELY: TimeDelta = TimeDelta::minutes(1);
const ISSUED_LATELY: TimeDelta = TimeDelta::hours(1);
/// Tokens of the day that are not spent on finding out what a 403 is about.
const RESERVE: usize = 2;

/// The token in use.
pub(crate) struct Keeper {
    endpoint: Endpoint,
    store: Arc<dyn TokenStore>,
    clock: WallClock,
    per_day: usize,
    held: Mutex<Held>,
    /// Only one task asks; the others wait for its token.
    flight: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Held {
    token: Option<Token>,
    accepted_at: Option<Timestamp>,
    /// The source gives no token before.
    none_before: Option<Timestamp>,
}

impl Keeper {
    pub(crate) fn new(
        endpoint: Endpoint,
        store: Arc<dyn TokenStore>,
        clock: WallClock,
        per_day: u32,
    ) -> Arc<Self> {
        Arc::new(Self {
            endpoint,
            store,
            clock,
            per_day: usize::try_from(per_day).unwrap_or(usize::MAX),
            held: Mutex::default(),
            flight: tokio::sync::Mutex::new(()),
        })
    }

    /// A token that is good for a while.
    pub(crate) async fn current(self: &Arc<Self>) -> Result<Token, Error> {
        let now = self.clock.now();
        let held = self.held(|held| held.token.clone());
        match held {
            Some(token) if is_fresh(&token, now) => Ok(token),
            // One that ends soon still serves while there is no other.
            Some(token) if now < token.expires_at => {
                let next = self.obtain(is_fresh).await;
                next.or_else(|error| {
                    if error.is_transient() {
                        Ok(token)
                    } else {
                        Err(error)
                    }
                })
            }
            _ => self.obtain(is_fresh).await,
        }
    }

    /// Another token in place of one that was answered with 401 or 403; none if a 403 is about what
    /// was asked for, not about the token.
    pub(crate) async fn replace(
        self: &Arc<Self>,
        failed: &Token,
        is_403: bool,
    ) -> Result<Option<Token>, Error> {
        let held = self.held(|held| held.token.clone());
        if let Some(other) = held.filter(|held| held.access_token != failed.access_token) {
            return Ok(Some(other));
        }
        if is_403 && !self.may_be_refused(failed) {
            return Ok(None);
        }
        let bad = failed.access_token.clone();
        self.obtain(move |token, now| token.access_token != bad && now < token.expires_at)
            .await
            .map(Some)
    }

    /// A token was accepted just now.
    pub(crate) fn accepted(&self, token: &Token) {
        let now = self.clock.now();
        self.held(|held| {
            if held.token.as_ref() == Some(token) {
                held.accepted_at = Some(now);
            }
        });
    }

    /// Whether a 403 may mean that the token is not accepted, so that another is worth asking for.
    fn may_be_refused(&self, token: &Token) -> bool {
        let now = self.clock.now();
        let accepted_at = self.held(|held| held.accepted_at);
        let accepted_lately = accepted_at.is_some_and(|at| is_within(at, ACCEPTED_LATELY, now));
        let issued_lately = is_within(token.issued_at, ISSUED_LATELY, now);
        let left = self.per_day.saturating_sub(of_last_day(token, now).len());
        !accepted_lately && !issued_lately && left > RESERVE
    }

    /// A token that will do: the one that another task or process has got meanwhile, or a new one.
    ///
    /// It is asked for in a task of its own: a caller that goes away does not lose a token that was
    /// counted.
    async fn obtain(
        self: &Arc<Self>,
        will_do: impl Fn(&Token, Timestamp) -> bool + Send + Sync + 'static,
    ) -> Result<Token, Error> {
        let keeper = Arc::clone(self);
        let asking = tokio::spawn(async move { keeper.obtain_here(will_do).await });
        asking
            .await
            .unwrap_or_else(|stopped| Err(store_error(TokenStoreError::new(stopped))))
    }

    async fn obtain_here(
        &self,
        will_do: impl Fn(&Token, Timestamp) -> bool + Send + Sync,
    ) -> Result<Token, Error> {
        let _flight = self.flight.lock().await;
        let now = self.clock.now();
        let held = self.held(|held| held.token.clone());
        if let Some(token) = held.filter(|token| will_do(token, now)) {
            return Ok(token);
        }
        let stored = self.store.load().await.map_err(store_error)?;
        if let Some(token) = stored.filter(|token| will_do(token, now)) {
            return Ok(self.hold(token));
        }
        let mut lease = self.store.lock().await.map_err(store_error)?;
        let obtained = async {
            let stored = lease.load().await.map_err(store_error)?;
            let now = self.clock.now();
            match stored {
                Some(token) if will_do(&token, now) => Ok(token),
                stored => {
                    let token = self.ask(stored.as_ref(), now).await?;
                    if let Err(error) = lease.save(&token).await {
                        tracing::error!(%error, "a token could not be kept and is lost at the end");
                    }
                    Ok(token)
                }
            }
        }
        .await;
        lease.release().await;
        obtained.map(|token| self.hold(token))
    }

    async fn ask(&self, stored: Option<&Token>, now: Timestamp) -> Result<Token, Error> {
        let mut issued = stored.map_or_else(Vec::new, |token| of_last_day(token, now));
        let counted = (issued.len() >= self.per_day)
            .then(|| issued.iter().min().map(|&oldest| oldest + DAY))
            .flatten();
        let told = self.held(|held| held.none_before);
        if let Some(until) = counted.max(told).filter(|&until| until > now) {
            return Err(used_up(until - now));
        }
        let granted = self.endpoint.ask().await.inspect_err(|error| {
            if let Problem::TokensUsedUp(pause) = error.problem {
                let pause = TimeDelta::from_std(pause).unwrap_or(DAY).min(DAY);
                self.held(|held| held.none_before = Some(now + pause));
            }
        })?;
        issued.push(granted.issued_at);
        tracing::info!(expires_at = %granted.expires_at, of_last_day = issued.len(), "new token");
        Ok(Token {
            access_token: granted.access_token,
            issued_at: granted.issued_at,
            expires_at: granted.expires_at,
            issued_of_late: issued,
        })
    }

    fn hold(&self, token: Token) -> Token {
        self.endpoint.http.hidden.learn(&token.access_token);
        self.held(|held| {
            held.accepted_at = None;
            held.token = Some(token.clone());
        });
        token
    }

    fn held<T>(&self, work: impl FnOnce(&mut Held) -> T) -> T {
        work(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a token will be good for a while.
fn is_fresh(token: &Token, now: Timestamp) -> bool {
    let lifetime = token.expires_at - token.issued_at;
    now < token.expires_at - MARGIN.min(lifetime / 2)
}

fn is_within(instant: Timestamp, span: TimeDelta, now: Timestamp) -> bool {
    instant <= now && now < instant + span
}

fn of_last_day(token: &Token, now: Timestamp) -> Vec<Timestamp> {
    let issued = token.issued_of_late.iter().copied();
    issued.filter(|&at| is_within(at, DAY, now)).collect()
}

fn used_up(wait: TimeDelta) -> Error {
    Error {
        call: "POST /oauth2/token".to_owned(),
        tries: 0,
        problem: Problem::TokensUsedUp(wait.to_std().unwrap_or(Duration::ZERO)),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "an argument of map_err")]
fn store_error(error: TokenStoreError) -> Error {
    Error {
        call: "the access token".to_owned(),
        tries: 1,
        problem: Problem::TokenStore(error.to_string()),
    }
}
