//! The agenda's hands: takes what is due and carries it out, the oldest first, a few at a time.
//!
//! Any number of servers do so at once. Who commits the attempt first has it; the others see that
//! when they come to it, and go on to what is next.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use contract::Timestamp;
use contract::id::AccountId;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::processor_time;
use crate::collect::batch::{self, Fate, Item, Manner};
use crate::collect::{self, Target};
use crate::model::Occasion;
use crate::model::agenda::as_of;
use crate::store::account::{self, Account};
use crate::store::agenda::{self, Due, Place};
use crate::{Error, Platform};

/// How much is taken from the agenda at once.
const BATCH: i64 = 64;
/// How much of that shares its commits. On SQLite a guest who pays now waits for what was handed in
/// before: a backlog must not starve anybody.
const TOGETHER: usize = 16;
/// How many of these chunks are carried out side by side.
const SIDE_BY_SIDE: usize = 4;
/// How often the agenda is looked at: due payments run within a second of their time.
const EVERY: Duration = Duration::from_millis(500);
/// How often processors are asked whether their time has brought something about, in looks at the
/// agenda: they close days and send payouts, and a few seconds later will do.
const LOOKS_A_STEP: u32 = 10;

/// Looks at the agenda until told to stop.
pub(crate) async fn run(platform: Arc<Platform>, stop: CancellationToken) {
    for look in (0..LOOKS_A_STEP).cycle() {
        let ran = if look == 0 {
            run_due(&platform, &stop).await
        } else {
            run_own(&platform, &stop).await
        };
        if let Err(error) = ran {
            tracing::warn!(%error, "the agenda could not be looked at");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Carries out all that is due now, ours first, then the processors'; says how much that was.
pub(crate) async fn run_due(
    platform: &Arc<Platform>,
    stop: &CancellationToken,
) -> Result<usize, Error> {
    Ok(run_own(platform, stop).await? + processor_time::run_due(platform).await?)
}

/// Carries out what is due on the platform's own agenda. Told to stop, it ends what is under way.
async fn run_own(platform: &Arc<Platform>, stop: &CancellationToken) -> Result<usize, Error> {
    let mut count = 0;
    let mut after = Place::start();
    while !stop.is_cancelled() {
        let (wall, from) = (platform.clock.now(), after.clone());
        let due = platform
            .store
            .read(move |c| agenda::due(c, wall, &from, BATCH))
            .await?;
        if due.is_empty() {
            break;
        }
        let turns = one_of_each_reservation(due);
        let done = carry_out(platform, &turns).await;
        count += done.len();
        // What fails stays on the agenda. It is passed by until the next look, and keeps nobody waiting.
        if let Some(failed) = turns.iter().rfind(|due| !done.contains(due)) {
            after = Place::of(failed);
        }
    }
    Ok(count)
}

/// So that nothing that comes of one concerns another that is carried out with it.
fn one_of_each_reservation(mut due: Vec<Due>) -> Vec<Due> {
    let mut reservations = HashSet::new();
    due.retain(|due| reservations.insert(due.reservation));
    due
}

/// Carries out what is due; says what was done.
async fn carry_out(platform: &Arc<Platform>, due: &[Due]) -> HashSet<Due> {
    let mut waiting = chunks(due).into_iter();
    let mut running = JoinSet::new();
    let mut done = HashSet::new();
    loop {
        while running.len() < SIDE_BY_SIDE
            && let Some(chunk) = waiting.next()
        {
            running.spawn(carry_out_chunk(Arc::clone(platform), chunk));
        }
        match running.join_next().await {
            None => return done,
            Some(Ok(chunk)) => done.extend(chunk),
            Some(Err(error)) => tracing::error!(%error, "something due panicked"),
        }
    }
}

/// Overdue answers are looked up one by one; all else goes together.
fn chunks(due: &[Due]) -> Vec<Vec<Due>> {
    let is_overdue = |due: &&Due| due.occasion == Occasion::Attempt;
    let (overdue, dates): (Vec<&Due>, Vec<&Due>) = due.iter().partition(is_overdue);
    let dates = dates.chunks(TOGETHER);
    let overdue = overdue.chunks(1);
    dates
        .chain(overdue)
        .map(|chunk| chunk.iter().map(|due| **due).collect())
        .collect()
}

/// Carries out a chunk; says what was done.
async fn carry_out_chunk(platform: Arc<Platform>, chunk: Vec<Due>) -> Vec<Due> {
    let outcomes = match *chunk {
        [one] if one.occasion == Occasion::Attempt => vec![look_after(&platform, one).await],
        _ => carry_out_together(&platform, &chunk).await,
    };
    let mut done = Vec::with_capacity(chunk.len());
    for (due, outcome) in chunk.into_iter().zip(outcomes) {
        match outcome {
            Ok(()) => done.push(due),
            Err(error) => {
                platform.metrics.agenda_failed();
                tracing::warn!(%error, payment = %due.payment, "something due could not be done yet");
            }
        }
    }
    done
}

async fn carry_out_together(platform: &Arc<Platform>, chunk: &[Due]) -> Vec<Result<(), Error>> {
    match try_together(platform, chunk).await {
        Ok(outcomes) => outcomes,
        // One alone may be what the database cannot keep: the others must not suffer for it.
        Err(error) => {
            tracing::warn!(%error, "what is due is carried out one by one");
            let mut outcomes = Vec::with_capacity(chunk.len());
            for due in chunk {
                outcomes.push(look_after(platform, *due).await);
            }
            outcomes
        }
    }
}

async fn try_together(
    platform: &Arc<Platform>,
    chunk: &[Due],
) -> Result<Vec<Result<(), Error>>, Error> {
    let accounts = accounts(platform, chunk).await?;
    let wall = platform.clock.now();
    let mut items = Vec::with_capacity(chunk.len());
    for due in chunk {
        items.push(Item {
            target: target(due),
            payment: due.payment,
            refund: due.refund,
            at: at(&accounts, due, wall)?,
        });
    }
    let fates = batch::carry_out(platform, items, Manner::Server).await?;
    let outcomes = fates.into_iter().map(|fate| match fate {
        Fate::Refused(refused) => Err(refused),
        Fate::Done | Fate::Waiting => Ok(()),
    });
    Ok(outcomes.collect())
}

async fn look_after(platform: &Arc<Platform>, due: Due) -> Result<(), Error> {
    let accounts = accounts(platform, &[due]).await?;
    let at = at(&accounts, &due, platform.clock.now())?;
    collect::look_after(platform, target(&due), due.payment, due.refund, at).await
}

fn target(due: &Due) -> Target {
    Target {
        account: due.account,
        reservation: due.reservation,
    }
}

/// As of when something due is carried out.
fn at(
    accounts: &HashMap<AccountId, Account>,
    due: &Due,
    wall: Timestamp,
) -> Result<Timestamp, Error> {
    let account = accounts.get(&due.account);
    let account =
        account.ok_or_else(|| Error::Corrupt(format!("account {} is gone", due.account)))?;
    Ok(as_of(due.at, account.business_time(wall)))
}

async fn accounts(platform: &Platform, due: &[Due]) -> Result<HashMap<AccountId, Account>, Error> {
    let ids: HashSet<AccountId> = due.iter().map(|due| due.account).collect();
    let found = platform.store.read(move |c| {
        let found = ids.into_iter().map(|id| account::find(c, id));
        found.collect::<Result<Vec<_>, Error>>()
    });
    let found = found.await?.into_iter().flatten();
    Ok(found.map(|account| (account.id, account)).collect())
}
