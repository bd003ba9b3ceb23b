//! The steps of a sub-account's settlement, each one transaction with the sub-account locked. What is
//! due next follows from the books alone, so that whoever was stopped goes on where it was.

use contract::Timestamp;
use diesel::dsl::min;
use diesel::prelude::*;
use store::Connection;

use super::super::account::Account;
use super::super::dispute;
use super::super::halt::Halt;
use super::super::tables::{activity, payout, transaction};
use super::state::{self, State};
use super::{close, payouts};
use crate::{PayoutStatus, Step, SubAccountId};

/// When there is something to do next, if there is anything.
pub(crate) fn next(c: &mut Connection, account: &Account) -> Result<Option<Timestamp>, Halt> {
    let state = state::load(c, account)?;
    Ok(Agenda::of(c, account, &state)?.next())
}

/// Takes the next step, if it is due until then.
pub(crate) fn take(
    c: &mut Connection,
    account: &Account,
    until: Timestamp,
) -> Result<Option<Step>, Halt> {
    let mut state = state::load(c, account)?;
    loop {
        let agenda = Agenda::of(c, account, &state)?;
        let Some(at) = agenda.next().filter(|at| *at <= until) else {
            return Ok(None);
        };
        let kind = if agenda.dispute == Some(at) {
            let Some(kind) = dispute::take(c, account, at)? else {
                continue;
            };
            kind
        } else {
            state.stepped_at = at;
            let kind = if agenda.close == Some(at) {
                close::day(c, account, &mut state, at)?
            } else {
                payouts::send(c, account, &mut state, at)?
            };
            state::save(c, &state)?;
            kind
        };
        return Ok(Some(Step {
            sub_account: SubAccountId::new(&account.id),
            at,
            kind,
        }));
    }
}

/// When each kind of step is due next.
struct Agenda {
    dispute: Option<Timestamp>,
    close: Option<Timestamp>,
    payout: Option<Timestamp>,
}

impl Agenda {
    fn of(c: &mut Connection, account: &Account, state: &State) -> Result<Self, Halt> {
        // Like everything else, a dispute that became known late is not in the past.
        let dispute = dispute::next(c, account)?;
        Ok(Self {
            dispute: dispute.map(|due| due.max(state.stepped_at)),
            close: next_close(c, state)?,
            payout: next_payout(c, state)?,
        })
    }

    fn next(&self) -> Option<Timestamp> {
        let all = [self.dispute, self.close, self.payout];
        all.into_iter().flatten().min()
    }
}

/// A day is closed when there is a transaction to settle, or a reserve to release.
fn next_close(c: &mut Connection, state: &State) -> QueryResult<Option<Timestamp>> {
    let posted: Option<Timestamp> = transaction::table
        .filter(transaction::sub_account.eq(&state.id))
        .filter(transaction::open_ms.is_not_null())
        .select(min(transaction::open_ms))
        .first(c)?;
    let held: Option<Timestamp> = activity::table
        .filter(activity::sub_account.eq(&state.id))
        .filter(activity::held_minor.is_not_null())
        .select(min(activity::reserve_ms))
        .first(c)?;
    let first = [posted, held].into_iter().flatten().min();
    Ok(first.map(|first| state.closes_at(first)))
}

fn next_payout(c: &mut Connection, state: &State) -> QueryResult<Option<Timestamp>> {
    let due: Option<Timestamp> = activity::table
        .filter(activity::sub_account.eq(&state.id))
        .filter(activity::payout.is_null())
        .filter(activity::due_ms.gt(state.stepped_at))
        .select(min(activity::due_ms))
        .first(c)?;
    let pending: Option<Timestamp> = payout::table
        .filter(payout::sub_account.eq(&state.id))
        .filter(payout::status.eq(PayoutStatus::PendingDueDate))
        .select(min(payout::process_ms))
        .first(c)?;
    Ok([due, pending].into_iter().flatten().min())
}
