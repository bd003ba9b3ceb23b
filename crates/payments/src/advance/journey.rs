//! A clock on its way.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::Duration;
use contract::Timestamp;
use contract::id::AccountId;
use processors::MerchantId;
use store::Lock;

use super::outcome::Diary;
use super::{AdvanceError, Advanced, Happened, LEASE};
use crate::collect::batch::{self, Fate, Item, Manner};
use crate::collect::{self, Target};
use crate::jobs::processor_time;
use crate::model::Occasion;
use crate::model::agenda::as_of;
use crate::store::account::{self, Account};
use crate::store::agenda::{self, Due};
use crate::store::clock_lease;
use crate::{Error, Platform};

/// How much is carried out together at most.
const CHUNK: usize = 128;

/// Something on the agenda that had no turn yet.
#[derive(Debug, Clone, Copy)]
struct Pending {
    due: Due,
    /// As of when it is carried out.
    at: Timestamp,
}

/// A clock on its way.
pub(super) struct Journey<'a> {
    platform: &'a Arc<Platform>,
    account: AccountId,
    merchants: Vec<MerchantId>,
    /// As we left it. Only another node can have moved it meanwhile.
    offset_ms: i64,
    /// Business time when the journey began. What was due before is late.
    from: Timestamp,
    /// Where the clock was left: until then all is done.
    done_until: Timestamp,
    /// The latest instant as of which something was done.
    reached: Timestamp,
    diary: Diary,
    /// What had its turn: whatever is still due after that, is not tried again.
    tried: HashSet<Due>,
    /// What was started and not ended: by a journey that was interrupted, or by ours.
    started: Vec<Pending>,
    /// How much of the agenda must be read to find what was not tried yet.
    look_ahead: usize,
    /// Whether the clock moves with the journey.
    moves_clock: bool,
}

impl<'a> Journey<'a> {
    pub(super) fn new(platform: &'a Arc<Platform>, row: &Account, from: Timestamp) -> Self {
        Self {
            platform,
            account: row.id,
            merchants: Vec::new(),
            offset_ms: row.clock_offset_ms,
            from,
            done_until: from,
            reached: from,
            diary: Diary::default(),
            tried: HashSet::new(),
            started: Vec::new(),
            look_ahead: CHUNK,
            moves_clock: true,
        }
    }

    /// Leaves the clock where it is: whoever asks says what time it is.
    pub(super) fn without_clock(self) -> Self {
        Self {
            moves_clock: false,
            ..self
        }
    }

    /// Goes from instant to instant at which something is due. At one instant, what the platform has
    /// to do comes first, then what time brings about at the processors; then the clock moves.
    pub(super) async fn go(&mut self, target: Timestamp) -> Result<(), AdvanceError> {
        self.prepare().await.map_err(|error| self.stopped(error))?;
        loop {
            let step = self
                .next_step()
                .await
                .map_err(|error| self.stopped(error))?;
            let until = step.map_or(target, |step| step.min(target));
            let chunk = self.chunk(until).await.map_err(|e| self.stopped(e))?;
            if let Some(first) = chunk.first() {
                self.leave_behind(first.at).await?;
                self.carry_out(chunk).await.map_err(|e| self.stopped(e))?;
            } else if let Some(step) = step.filter(|step| *step <= target) {
                self.leave_behind(step).await?;
                self.pass_at_processors(step)
                    .await
                    .map_err(|e| self.stopped(e))?;
            } else {
                return self.stand_at(target).await;
            }
        }
    }

    pub(super) fn outcome(self, from: Timestamp) -> Advanced {
        let now = self.clock();
        self.diary.close(self.account, from, now)
    }

    /// Where the clock stands by now.
    fn clock(&self) -> Timestamp {
        self.platform.clock.now() + Duration::milliseconds(self.offset_ms)
    }

    /// Finds what a journey that was interrupted has left open: only a journey starts what lies in
    /// the future of its clock.
    async fn prepare(&mut self) -> Result<(), Error> {
        let (account, from) = (self.account, self.from);
        self.merchants = processor_time::merchants(self.platform, account).await?;
        let store = &self.platform.store;
        let started = store
            .read(move |c| agenda::started_since(c, account, from))
            .await?;
        self.started = started
            .into_iter()
            .map(|(due, at)| Pending { due, at })
            .collect();
        Ok(())
    }

    async fn next_step(&self) -> Result<Option<Timestamp>, Error> {
        processor_time::next_due(self.platform, &self.merchants).await
    }

    /// What comes next of what is due until an instant, and can be carried out together: of
    /// different reservations, so that nothing that comes of one concerns another; within a day,
    /// since a processor may close it with what is called in it; and an overdue answer by itself.
    async fn chunk(&mut self, until: Timestamp) -> Result<Vec<Pending>, Error> {
        let mut waiting = self.waiting(until).await?.into_iter();
        let Some(first) = waiting.next() else {
            return Ok(Vec::new());
        };
        let mut chunk = vec![first];
        if first.due.occasion == Occasion::Attempt {
            return Ok(chunk);
        }
        let mut reservations = HashSet::from([first.due.reservation]);
        chunk.extend(
            waiting
                .take(CHUNK - 1)
                .take_while(|next| next.due.occasion != Occasion::Attempt)
                .take_while(|next| next.at.date() == first.at.date())
                .take_while(|next| reservations.insert(next.due.reservation)),
        );
        Ok(chunk)
    }

    /// What is due until an instant and had no turn yet, in its order; not always all of it.
    async fn waiting(&mut self, until: Timestamp) -> Result<Vec<Pending>, Error> {
        let started: HashSet<_> = self.started.iter().map(|one| one.due.item()).collect();
        let account = self.account;
        let mut found: Vec<Pending> = loop {
            let limit = self.look_ahead;
            let store = &self.platform.store;
            let rows = store
                .read(move |c| {
                    agenda::due_of(c, account, until, i64::try_from(limit).unwrap_or(i64::MAX))
                })
                .await?;
            let is_all = rows.len() < limit;
            let new: Vec<_> = rows
                .into_iter()
                .filter(|due| !self.tried.contains(due) && !started.contains(&due.item()))
                .collect();
            if !new.is_empty() || is_all {
                break new.into_iter().map(|due| self.pending(due)).collect();
            }
            self.look_ahead *= 2;
        };
        if !self.started.is_empty() {
            found.extend(self.started.iter().filter(|one| one.at <= until));
            found.sort_by_key(|one| one.due.order());
        }
        Ok(found)
    }

    /// What was late when the journey began is done as of then; all else as of its own instant.
    fn pending(&self, due: Due) -> Pending {
        let at = if due.at > self.from {
            due.at
        } else {
            as_of(due.at, self.from)
        };
        Pending { due, at }
    }

    async fn carry_out(&mut self, chunk: Vec<Pending>) -> Result<(), Error> {
        let items: HashSet<_> = chunk.iter().map(|one| one.due.item()).collect();
        self.started.retain(|one| !items.contains(&one.due.item()));
        let fates = self.fates(&chunk).await?;
        let mut had_turn = Vec::with_capacity(chunk.len());
        for (one, fate) in chunk.into_iter().zip(fates) {
            let reason = match fate {
                Fate::Waiting => {
                    self.started.push(one);
                    continue;
                }
                Fate::Done => None,
                Fate::Refused(refused) => Some(refused.to_string()),
            };
            self.tried.insert(one.due);
            self.reached = self.reached.max(one.at);
            had_turn.push((one, reason));
        }
        let due: Vec<Due> = had_turn.iter().map(|(one, _)| one.due).collect();
        let store = &self.platform.store;
        let results = store.read(move |c| agenda::standings(c, &due)).await?;
        for ((one, reason), result) in had_turn.into_iter().zip(results) {
            self.diary
                .add(Happened::due(one.at, &one.due, result, reason));
        }
        Ok(())
    }

    /// Carries out a chunk. It goes on to its end if the journey is dropped: attempts in the future of
    /// the clock must not be left open for want of a caller.
    async fn fates(&self, chunk: &[Pending]) -> Result<Vec<Fate>, Error> {
        let (platform, chunk) = (Arc::clone(self.platform), chunk.to_vec());
        let working = tokio::spawn(async move {
            match *chunk {
                [one] if one.due.occasion == Occasion::Attempt => {
                    Ok(vec![look_after(&platform, one).await?])
                }
                _ => {
                    let items = chunk.iter().map(item).collect();
                    batch::carry_out(&platform, items, Manner::Journey).await
                }
            }
        });
        working.await.map_err(|_| store::Error::Panicked)?
    }

    async fn pass_at_processors(&mut self, until: Timestamp) -> Result<(), Error> {
        let steps = processor_time::run_until(self.platform, &self.merchants, until).await?;
        self.reached = self.reached.max(until);
        for happened in steps.into_iter().flat_map(Happened::step) {
            self.diary.add(happened);
        }
        Ok(())
    }

    /// All before the next instant is done: the clock may stand at the last of it.
    async fn leave_behind(&mut self, next: Timestamp) -> Result<(), AdvanceError> {
        if self.done_until < self.reached && self.reached < next {
            self.stand_at(self.reached).await?;
        }
        Ok(())
    }

    /// Moves the clock to an instant until which all is done. Wall time may have brought it further
    /// by itself: it is never set back.
    async fn stand_at(&mut self, instant: Timestamp) -> Result<(), AdvanceError> {
        if !self.moves_clock {
            self.done_until = instant;
            return Ok(());
        }
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

fn target(due: &Due) -> Target {
    Target {
        account: due.account,
        reservation: due.reservation,
    }
}

fn item(pending: &Pending) -> Item {
    Item {
        target: target(&pending.due),
        payment: pending.due.payment,
        refund: pending.due.refund,
        at: pending.at,
    }
}

/// Finds out about an answer that is overdue.
async fn look_after(platform: &Arc<Platform>, one: Pending) -> Result<Fate, Error> {
    let Due {
        payment, refund, ..
    } = one.due;
    match collect::look_after(platform, target(&one.due), payment, refund, one.at).await {
        Ok(()) => Ok(Fate::Done),
        Err(fault @ Error::Store(_)) => Err(fault),
        Err(refused) => Ok(Fate::Refused(refused)),
    }
}
