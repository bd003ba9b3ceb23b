//! Requests under a key of their client's: each is done once, however often it is sent.
//!
//! The key is committed before the work begins, and that the work has begun in the work's own
//! transaction, by nobody but the key's holder. So whoever takes over from a holder that died knows
//! whether there is anything to do, and where to look for what was done. It knows neither what is
//! asked nor how replies are written.

use std::convert::Infallible;
use std::time::Duration;

use contract::ObjectId;
use contract::id::AccountId;
use store::{Connection, Lock, new_id};
use tokio::time::{Instant, interval_at};

use crate::model::KeyRefusal;
use crate::model::idempotency_key::{IdempotencyKey, KeptReply, Ruling};
use crate::store::idempotency_key::{self, NewKey};
use crate::{Error, Platform};

/// For how long nobody else goes on with a request of whose holder nothing more is heard.
const LEASE: chrono::Duration = chrono::Duration::seconds(20);
/// How often a holder is heard of.
const RENEWED_EVERY: Duration = Duration::from_secs(5);
/// For how long replies are kept.
const KEPT: chrono::Duration = chrono::Duration::hours(24);
/// How many keys are forgotten at once.
const PRUNED_AT_ONCE: i64 = 500;

/// A request under a key, as far as it can be told from another.
#[derive(Debug, Clone)]
pub(crate) struct Keyed {
    pub(crate) account: AccountId,
    pub(crate) key: IdempotencyKey,
    pub(crate) fingerprint: String,
}

/// That a request is ours to do, or to go on with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    id: ObjectId,
    holder: ObjectId,
    is_begun: bool,
}

impl Claim {
    /// The id of what the request makes, the same for all who try.
    pub(crate) fn id_to_make<Id: From<ObjectId>>(&self) -> Id {
        self.id.into()
    }

    /// Whether an earlier try has committed what was asked. Then nothing is left but to find out what
    /// became of it.
    pub(crate) fn is_begun(&self) -> bool {
        self.is_begun
    }

    /// Keeps that the work has begun, in its own transaction.
    ///
    /// # Errors
    /// [`KeyRefusal::UnderWay`] when somebody has taken the request over: the work is theirs.
    pub(crate) fn begin(&self, connection: &mut Connection) -> Result<(), Error> {
        if idempotency_key::begin(connection, self.id, self.holder)? {
            Ok(())
        } else {
            Err(KeyRefusal::UnderWay.into())
        }
    }
}

/// What is to be done about a request.
#[derive(Debug, Clone)]
pub(crate) enum Claimed {
    /// It is to be carried out.
    Ours(Claim),
    /// It was; this is the reply.
    Answered(KeptReply),
}

/// Claims a request for whoever is about to carry it out.
///
/// # Errors
/// [`Error::Key`] when the key was another request's, or this one is under way.
pub(crate) async fn claim(platform: &Platform, keyed: Keyed) -> Result<Claimed, Error> {
    let wall = platform.clock.now();
    let Keyed {
        account,
        key,
        fingerprint,
    } = keyed;
    let new = NewKey {
        id: new_id(),
        account,
        key: key.as_str().to_owned(),
        fingerprint,
        holder: new_id(),
        held_until: wall + LEASE,
        is_begun: false,
    };
    let claim = move |c: &mut Connection| {
        loop {
            if idempotency_key::insert(c, &new)? {
                return Ok(Claimed::Ours(Claim {
                    id: new.id,
                    holder: new.holder,
                    is_begun: false,
                }));
            }
            // It may have been forgotten between the two: then there is room for the new one.
            let Some(known) = idempotency_key::find(c, new.account, &new.key)? else {
                continue;
            };
            return match known.record.rule(&new.fingerprint, wall)? {
                Ruling::Replay(reply) => Ok(Claimed::Answered(reply)),
                Ruling::TakeOver => {
                    idempotency_key::take_over(c, known.id, new.holder, new.held_until)?;
                    Ok(Claimed::Ours(Claim {
                        id: known.id,
                        holder: new.holder,
                        is_begun: known.is_begun,
                    }))
                }
            };
        }
    };
    platform.store.write(Lock::none(), claim).await
}

/// Lets it be known, for as long as this runs, that somebody is at a request.
pub(crate) async fn keep_hold(platform: &Platform, claim: Claim) -> Infallible {
    let mut ticks = interval_at(Instant::now() + RENEWED_EVERY, RENEWED_EVERY);
    loop {
        ticks.tick().await;
        hold_until(platform, claim, LEASE).await;
    }
}

/// Lets go of a request that has no reply, so that it can be sent again at once.
pub(crate) async fn let_go(platform: &Platform, claim: Claim) {
    hold_until(platform, claim, chrono::Duration::zero()).await;
}

async fn hold_until(platform: &Platform, claim: Claim, from_now: chrono::Duration) {
    let until = platform.clock.now() + from_now;
    let held = platform.store.write(Lock::none(), move |c| {
        idempotency_key::hold(c, claim.id, claim.holder, until)
    });
    // Whoever sends the request again waits until the lease has lapsed, and no longer.
    if let Err(error) = held.await {
        tracing::warn!(%error, "an idempotency key could not be held or let go of");
    }
}

/// Keeps a request's reply. Where that fails, the reply is nonetheless true; whoever sends the request
/// again is told what was done.
pub(crate) async fn answer(platform: &Platform, claim: Claim, reply: KeptReply) {
    let at = platform.clock.now();
    let kept = platform.store.write(Lock::none(), move |c| {
        idempotency_key::answer(c, claim.id, claim.holder, &reply, at)
    });
    if let Err(error) = kept.await {
        tracing::warn!(%error, "a reply could not be kept under its idempotency key");
    }
}

/// Forgets keys whose time is over; says how many those were.
pub(crate) async fn prune(platform: &Platform) -> Result<usize, Error> {
    let before = platform.clock.now() - KEPT;
    let mut forgotten = 0;
    loop {
        let count = platform
            .store
            .write(Lock::none(), move |c| {
                idempotency_key::prune(c, before, PRUNED_AT_ONCE)
            })
            .await?;
        if count == 0 {
            return Ok(forgotten);
        }
        forgotten += count;
    }
}
