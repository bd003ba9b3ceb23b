//! Letting business time pass: a sandbox account's clock goes from one instant at which something is
//! due to the next, and each thing is done as of its own instant. Wall time goes its own way.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Duration;
use contract::Timestamp;
use contract::id::{AccountId, PaymentId, RefundId, ReservationId};
use serde::{Deserialize, Serialize};
use store::Lock;

use crate::jobs::agenda::carry_out_one;
use crate::model::agenda::as_of;
use crate::model::{Occasion, Span};
use crate::store::account::{self, Account};
use crate::store::agenda::{self, Due};
use crate::store::clock_lease;
use crate::{Error, Platform, SetupError};

/// The last instant that can be written with four digits for the year.
const CALENDAR_ENDS: Timestamp = Timestamp::from_millis(253_402_300_799_999);

/// For how long a server that moves a clock has it to itself, counted anew with each move: longer
/// than a processor's answer takes, and not so long that a server that died is waited for.
const LEASE: Duration = Duration::seconds(60);

/// Business time, ordered to pass.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdvanceOrder {
    /// Whose; `None`: the only account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// For how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Span>,
    /// Or until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

/// How far business time is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// So much further.
    By(Span),
    /// To an instant. Asked for again, it changes nothing more.
    To(Timestamp),
}

impl Until {
    /// One of the two.
    ///
    /// # Errors
    /// [`AdvanceError::ByOrTo`] without any, or with both.
    pub fn new(by: Option<Span>, to: Option<Timestamp>) -> Result<Self, AdvanceError> {
        match (by, to) {
            (Some(span), None) => Ok(Self::By(span)),
            (None, Some(instant)) => Ok(Self::To(instant)),
            _ => Err(AdvanceError::ByOrTo),
        }
    }

    fn target(self, now: Timestamp) -> Result<Timestamp, AdvanceError> {
        let target = match self {
            Self::By(span) => now + span.duration(),
            Self::To(instant) => instant,
        };
        let latest = (now + Span::MAX).min(CALENDAR_ENDS);
        if target < now {
            Err(AdvanceError::SetBack { target, now })
        } else if target > latest {
            Err(AdvanceError::TooFar { latest })
        } else {
            Ok(target)
        }
    }
}

/// What came of letting time pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advanced {
    /// Whose time it is.
    pub account: AccountId,
    /// Business time before.
    pub from: Timestamp,
    /// Business time after.
    pub now: Timestamp,
    /// What happened, in its order.
    pub happened: Vec<Happened>,
}

/// Something whose time came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// When, in business time.
    pub at: Timestamp,
    /// What the matter was.
    pub kind: Occasion,
    /// The reservation.
    pub reservation: ReservationId,
    /// Its payment.
    pub payment: PaymentId,
    /// The payment's refund, if it was about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<RefundId>,
    /// The status of the payment, or of the refund, after it.
    pub result: String,
    /// Why nothing could be done, if so; it stays due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The two clocks of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    /// Business time.
    pub now: Timestamp,
    /// Wall time.
    pub wall: Timestamp,
}

/// Why business time did not pass, or not as far as it should.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// Elsewhere than in a sandbox, business time is wall time.
    #[error("business time can be moved in a sandbox only, and this platform is none")]
    NotASandbox,
    /// Neither or both.
    #[error(
        "give either \"by\", a span such as 7d or 12h, or \"to\", an instant such as \
         2023-09-01T12:00:00Z"
    )]
    ByOrTo,
    /// There is nobody's clock to move.
    #[error("there is no account yet: make one first")]
    NoAccount,
    /// The account cannot be told.
    #[error(transparent)]
    Account(SetupError),
    /// Clocks go forward only.
    #[error(
        "a clock cannot be set back: business time is {now} already, after {target}; give a later \
         instant"
    )]
    SetBack {
        /// Where it was to go.
        target: Timestamp,
        /// Where it stands.
        now: Timestamp,
    },
    /// Further than anybody can mean.
    #[error("too far at once: until {latest} is possible")]
    TooFar {
        /// The latest instant that can be asked for.
        latest: Timestamp,
    },
    /// Another server is moving the clock.
    #[error(
        "another server is moving this account's clock: wait until it is done, or for a minute if it \
         died, then ask again"
    )]
    Busy,
    /// Another node has moved the clock meanwhile.
    #[error(
        "another server moved the clock meanwhile: what was due until {at} is done; look where the \
         clock stands, and ask again"
    )]
    Overtaken {
        /// Until when all is done.
        at: Timestamp,
    },
    /// It went wrong on the way.
    #[error("stopped on the way: what was due until {at} is done; ask again to go on ({cause})")]
    Stopped {
        /// Until when all is done.
        at: Timestamp,
        /// What went wrong.
        cause: Error,
    },
    /// It went wrong before anything was changed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<SetupError> for AdvanceError {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::Failed(error) => Self::Failed(error),
            refused => Self::Account(refused),
        }
    }
}

/// One journey of a clock at a time: the next waits for its turn.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<AccountId, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    fn of(&self, account: AccountId) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(account).or_default())
    }
}

impl Platform {
    /// Lets business time of an account pass, as an operator orders it.
    ///
    /// # Errors
    /// As [`advance`](Self::advance), and when the account cannot be told.
    pub async fn order_advance(
        self: &Arc<Self>,
        order: AdvanceOrder,
    ) -> Result<Advanced, AdvanceError> {
        let until = Until::new(order.by, order.to)?;
        let account = match order.account {
            Some(named) => named,
            None => self.only_account().await?.ok_or(AdvanceError::NoAccount)?,
        };
        self.advance(account, until).await
    }

    /// Lets business time of an account pass. What is due on the way is done in its order, each
    /// thing as of its own instant, also what only comes into being on the way.
    ///
    /// The clock is moved when all of an instant is done: whoever is interrupted, or dropped, leaves
    /// it at the last instant that was finished, and asking again goes on from there.
    ///
    /// # Errors
    /// An [`AdvanceError`] that says what is possible, or how far it came.
    pub async fn advance(
        self: &Arc<Self>,
        account: AccountId,
        until: Until,
    ) -> Result<Advanced, AdvanceError> {
        if !self.settings.is_sandbox {
            return Err(AdvanceError::NotASandbox);
        }
        let turn = self.turns.of(account);
        let _mine = turn.lock().await;
        let row = self.store.read(move |c| account::find(c, account)).await?;
        let row = row.ok_or(SetupError::AccountNotFound(account))?;
        let mut journey = Journey::start(self, &row);
        let from = journey.done_until;
        let target = until.target(from)?;
        if !self.lease_clock(account).await? {
            return Err(AdvanceError::Busy);
        }
        let gone = journey.go(target).await;
        let node = self.node;
        let released = self
            .store
            .write(Lock::row("account", &account), move |c| {
                clock_lease::release(c, account, node)
            })
            .await;
        if let Err(error) = released {
            tracing::warn!(%error, "a clock's lease was not given back, and lapses by itself");
        }
        gone?;
        Ok(Advanced {
            account,
            from,
            now: journey.clock(),
            happened: journey.happened,
        })
    }
}

impl Platform {
    /// Makes the clock ours to move for a while; says whether it is.
    async fn lease_clock(&self, account: AccountId) -> Result<bool, Error> {
        let (node, wall) = (self.node, self.clock.now());
        self.store
            .write(Lock::row("account", &account), move |c| {
                clock_lease::take(c, account, node, wall, wall + LEASE)
            })
            .await
    }
}

/// A clock on its way.
struct Journey<'a> {
    platform: &'a Arc<Platform>,
    account: AccountId,
    /// As we left it. Only another node can have moved it meanwhile.
    offset_ms: i64,
    /// Until when all is done.
    done_until: Timestamp,
    happened: Vec<Happened>,
    /// What had its turn: whatever is still due after that, is not tried again.
    tried: HashSet<Due>,
    /// How much of the agenda must be read to find what was not tried yet.
    look_ahead: i64,
}

impl<'a> Journey<'a> {
    fn start(platform: &'a Arc<Platform>, row: &Account) -> Self {
        Self {
            platform,
            account: row.id,
            offset_ms: row.clock_offset_ms,
            done_until: row.business_time(platform.clock.now()),
            happened: Vec::new(),
            tried: HashSet::new(),
            look_ahead: 1,
        }
    }

    /// Where the clock stands by now.
    fn clock(&self) -> Timestamp {
        self.platform.clock.now() + Duration::milliseconds(self.offset_ms)
    }

    async fn go(&mut self, target: Timestamp) -> Result<(), AdvanceError> {
        let mut present = self.done_until;
        while let Some(due) = self.next(target).await.map_err(|e| self.stopped(e))? {
            let at = as_of(due.at, present);
            if at > present {
                self.stand_at(present).await?;
                present = at;
            }
            self.carry_out(due, at).await.map_err(|e| self.stopped(e))?;
        }
        self.stand_at(target).await
    }

    /// The first thing due until an instant that had no turn yet.
    async fn next(&mut self, until: Timestamp) -> Result<Option<Due>, Error> {
        let account = self.account;
        // Due in the account's business time, whose clock is still behind.
        let wall = until - Duration::milliseconds(self.offset_ms);
        loop {
            let limit = self.look_ahead;
            let store = &self.platform.store;
            let found = store
                .read(move |c| agenda::due(c, wall, Some(account), limit))
                .await?;
            let is_all = found.len() < usize::try_from(limit).unwrap_or(usize::MAX);
            let next = found.into_iter().find(|due| !self.tried.contains(due));
            if next.is_some() || is_all {
                return Ok(next);
            }
            self.look_ahead *= 2;
        }
    }

    async fn carry_out(&mut self, due: Due, at: Timestamp) -> Result<(), Error> {
        self.tried.insert(due);
        let reason = match carry_out_one(self.platform, due, at).await {
            Ok(()) => None,
            Err(fault @ Error::Store(_)) => return Err(fault),
            Err(refused) => Some(refused.to_string()),
        };
        let store = &self.platform.store;
        let result = store.read(move |c| agenda::standing(c, due)).await?;
        self.happened.push(Happened {
            at,
            kind: due.occasion,
            reservation: due.reservation,
            payment: due.payment,
            refund: due.refund,
            result: result.to_owned(),
            reason,
        });
        Ok(())
    }

    /// Moves the clock to an instant until which all is done. Wall time may have brought it further
    /// by itself: it is never set back.
    async fn stand_at(&mut self, instant: Timestamp) -> Result<(), AdvanceError> {
        let (account, before) = (self.account, self.offset_ms);
        let (node, wall) = (self.platform.node, self.platform.clock.now());
        let ahead = instant - self.platform.clock.now();
        let after = ahead.num_milliseconds().max(before);
        if after > before {
            let moved = self
                .platform
                .store
                .write(Lock::row("account", &account), move |c| {
                    let row = account::find(c, account)?;
                    let is_ours = row.is_some_and(|row| row.clock_offset_ms == before);
                    let is_ours =
                        is_ours && clock_lease::take(c, account, node, wall, wall + LEASE)?;
                    if is_ours {
                        account::set_clock(c, account, after)?;
                    }
                    Ok::<_, Error>(is_ours)
                })
                .await
                .map_err(|error| self.stopped(error))?;
            self.platform.callers.forget();
            if !moved {
                return Err(AdvanceError::Overtaken {
                    at: self.done_until,
                });
            }
            self.offset_ms = after;
        }
        self.done_until = instant;
        Ok(())
    }

    fn stopped(&self, cause: Error) -> AdvanceError {
        AdvanceError::Stopped {
            at: self.done_until,
            cause,
        }
    }
}
