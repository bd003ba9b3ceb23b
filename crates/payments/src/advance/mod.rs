//! Letting business time pass: a sandbox account's clock goes from one instant at which something is
//! due to the next, and each thing is done as of its own instant. Wall time goes its own way.

mod error;
mod journey;
mod order;
mod outcome;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Duration;
use contract::Timestamp;
use contract::id::AccountId;
use serde::{Deserialize, Serialize};
use store::Lock;
use utoipa::ToSchema;

pub use self::error::AdvanceError;
pub use self::order::{AdvanceOrder, Until};
pub use self::outcome::{Advanced, Happened, Kind, Total};

use self::journey::Journey;
use crate::store::{account, clock_lease, feed};
use crate::{Error, Platform, SetupError};

/// For how long a server that moves a clock has it to itself, counted anew with each move: longer
/// than a processor's answer takes, and not so long that a server that died is waited for.
const LEASE: Duration = Duration::seconds(60);

/// The two clocks of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Clocks {
    /// Business time.
    pub now: Timestamp,
    /// Wall time.
    pub wall: Timestamp,
}

/// One journey of a clock at a time: the next waits for its turn.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<AccountId, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    pub(crate) fn of(&self, account: AccountId) -> Arc<tokio::sync::Mutex<()>> {
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
        let account = self.account_ordered(order.account).await?;
        let account = account.ok_or(AdvanceError::NoAccount)?;
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
        let from = row.business_time(self.clock.now());
        let target = until.target(from)?;
        if !self.lease_clock(account).await? {
            return Err(AdvanceError::Busy);
        }
        let mut journey = Journey::new(self, &row, from);
        let gone = journey.go(target).await;
        self.release_clock(account).await;
        gone?;
        self.import_all_of(account).await;
        Ok(journey.outcome(from))
    }
}

impl Platform {
    /// Does what is due of an account between two instants, and leaves its clock alone, which stands
    /// before both: nobody else sees any of it as due. Whoever calls has the clock's lease, which is
    /// prolonged.
    pub(crate) async fn pass(
        self: &Arc<Self>,
        row: &account::Account,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<(), AdvanceError> {
        if !self.lease_clock(row.id).await? {
            return Err(AdvanceError::Busy);
        }
        Journey::new(self, row, from)
            .without_clock()
            .go(until)
            .await
    }

    /// Reports show what has happened as soon as the order is answered. A report imports what is
    /// missing before it is read, so a failure is nobody's loss.
    pub(crate) async fn import_all_of(&self, account: AccountId) {
        let read = self.store.read(move |c| feed::sources(c, Some(account)));
        let imported = async {
            for source in read.await? {
                self.imports.catch_up(&source).await?;
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = imported.await {
            tracing::warn!(%error, "what has happened could not be imported yet");
        }
    }

    /// Makes the clock ours to move for a while; says whether it is.
    pub(crate) async fn lease_clock(&self, account: AccountId) -> Result<bool, Error> {
        let (node, wall) = (self.node, self.clock.now());
        self.store
            .write(Lock::row("account", &account), move |c| {
                clock_lease::take(c, account, node, wall, wall + LEASE)
            })
            .await
    }

    /// Lets others move the clock. Where that fails, they wait until the lease lapses.
    pub(crate) async fn release_clock(&self, account: AccountId) {
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
    }
}
