//! The steps of a sub-account's settlement, each one transaction with the sub-account locked. What is
//! due next follows from the books alone, so that whoever was stopped goes on where it was.

use chrono::Duration;
use contract::Timestamp;
use diesel::dsl::{exists, min, not};
use diesel::prelude::*;
use money::{Money, Rounding};
use store::Connection;

use super::super::account::Account;
use super::super::halt::Halt;
use super::super::refusal::Refusal;
use super::super::tables::{activity, payout, sub_account, transaction};
use super::super::transaction::settle;
use super::activity::{Kind, Row};
use super::rules::{self, Terms};
use super::state::{self, Draft, State};
use super::{ReserveOnRefund, calendar, payouts};
use crate::{PayoutStatus, Step, StepKind, SubAccountId, TransactionKind, TransactionStatus};

/// When there is something to do next, if there is anything.
pub(crate) fn next(c: &mut Connection, account: &Account) -> Result<Option<Timestamp>, Halt> {
    let state = state::load(c, account)?;
    Ok([next_close(c, &state)?, next_payout(c, &state)?]
        .into_iter()
        .flatten()
        .min())
}

/// Takes the next step, if it is due until then.
pub(crate) fn take(
    c: &mut Connection,
    account: &Account,
    until: Timestamp,
) -> Result<Option<Step>, Halt> {
    let mut state = state::load(c, account)?;
    let (close, pay) = (next_close(c, &state)?, next_payout(c, &state)?);
    let Some(at) = [close, pay].into_iter().flatten().min() else {
        return Ok(None);
    };
    if at > until {
        return Ok(None);
    }
    state.stepped_at = at;
    let kind = if close == Some(at) {
        close_day(c, account, &mut state, at)?
    } else {
        payouts::send(c, account, &mut state, at)?
    };
    state::save(c, &state)?;
    Ok(Some(Step {
        sub_account: SubAccountId::new(&account.id),
        at,
        kind,
    }))
}

/// A day is closed when there is a transaction to settle, or a reserve to release. What is posted
/// late, for a day that was closed already, belongs to the next.
fn next_close(c: &mut Connection, state: &State) -> QueryResult<Option<Timestamp>> {
    let posted: Option<Timestamp> = transaction::table
        .filter(transaction::sub_account.eq(&state.id))
        .filter(transaction::position.gt(state.seen_position))
        .filter(transaction::settlement_ms.is_null())
        .filter(not(exists(activity::table.filter(
            activity::transaction_id.eq(transaction::id.nullable()),
        ))))
        .select(min(transaction::system_ms))
        .first(c)?;
    let held: Option<Timestamp> = activity::table
        .filter(activity::sub_account.eq(&state.id))
        .filter(activity::held_minor.is_not_null())
        .select(min(activity::reserve_ms))
        .first(c)?;
    let open = state.stepped_at + Duration::milliseconds(1);
    let first = [posted, held].into_iter().flatten().min();
    Ok(first.map(|first| calendar::day_end(first.max(open))))
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

/// A transaction whose day is closed.
#[derive(Queryable)]
struct Posted {
    id: i64,
    original: Option<i64>,
    kind: TransactionKind,
    status: TransactionStatus,
    amount_minor: i64,
}

fn close_day(
    c: &mut Connection,
    account: &Account,
    state: &mut State,
    at: Timestamp,
) -> Result<StepKind, Halt> {
    let posted: Vec<Posted> = transaction::table
        .filter(transaction::sub_account.eq(&account.id))
        .filter(transaction::position.gt(state.seen_position))
        .filter(transaction::system_ms.le(at))
        .filter(transaction::settlement_ms.is_null())
        .filter(not(exists(activity::table.filter(
            activity::transaction_id.eq(transaction::id.nullable()),
        ))))
        .order(transaction::position)
        .select((
            transaction::id,
            transaction::original_id,
            transaction::kind,
            transaction::status,
            transaction::amount_minor,
        ))
        .load(c)?;
    let on_refund: ReserveOnRefund = sub_account::table
        .find(&account.id)
        .select(sub_account::reserve_on_refund)
        .first(c)?;
    let mut settled = 0;
    for one in posted {
        settled += usize::from(close(c, account, state, &one, on_refund, at)?);
    }
    state.seen_position = seen(c, account, state, at)?;
    let released = release(c, state, at)?;
    Ok(StepKind::DayClosed {
        settled,
        released: Money::from_minor(released, account.currency),
    })
}

/// Up to where no transaction is left whose day is still open.
fn seen(c: &mut Connection, account: &Account, state: &State, at: Timestamp) -> QueryResult<i64> {
    let open: Option<i64> = transaction::table
        .filter(transaction::sub_account.eq(&account.id))
        .filter(transaction::position.gt(state.seen_position))
        .filter(transaction::settlement_ms.is_null())
        .filter(transaction::system_ms.gt(at))
        .select(min(transaction::position))
        .first(c)?;
    match open {
        Some(open) => Ok(open - 1),
        None => sub_account::table
            .find(&account.id)
            .select(sub_account::last_position)
            .first(c),
    }
}

/// Settles one transaction, with its fees and what is held of it; answers whether it settled.
fn close(
    c: &mut Connection,
    account: &Account,
    state: &mut State,
    one: &Posted,
    on_refund: ReserveOnRefund,
    at: Timestamp,
) -> Result<bool, Halt> {
    let terms = Terms {
        fee_rate: account.fee_rate,
        fee_fixed: account.fee_fixed,
        reserve_rate: account.reserve_rate,
    };
    let amount = Money::from_minor(one.amount_minor, account.currency);
    let effects =
        rules::effects(one.kind, one.status, amount, &terms).map_err(|_| Refusal::SumTooLarge)?;
    let release_at = at + Duration::days(account.reserve_days);
    for (kind, amount_minor, reserve_at) in [
        (
            Kind::Transaction,
            effects.sold.minor() - effects.refunded.minor(),
            None,
        ),
        (Kind::PercentageFee, -effects.fee_percentage.minor(), None),
        (Kind::FixedFee, -effects.fee_fixed.minor(), None),
        (
            Kind::ReserveHeld,
            -effects.reserve.minor(),
            Some(release_at),
        ),
    ] {
        if amount_minor != 0 {
            let draft = Draft {
                kind,
                amount_minor,
                settled_at: at,
                due_at: calendar::payout_of(at),
                transaction: Some(one.id),
                reserve_at,
            };
            state.record(c, &draft)?;
        }
    }
    if effects.settles {
        settle(c, account, one.id, at)?;
    }
    if effects.refunded.is_positive() && on_refund == ReserveOnRefund::Returned {
        give_back(c, account, state, one, at)?;
    }
    Ok(effects.settles)
}

/// Returns what was held of the refunded part of a sale, as far as it still is.
fn give_back(
    c: &mut Connection,
    account: &Account,
    state: &mut State,
    refund: &Posted,
    at: Timestamp,
) -> Result<(), Halt> {
    // The sale is the charge that the refund names, or the capture of the hold that it names.
    let sale = transaction::table
        .filter(transaction::id.nullable().eq(refund.original))
        .or_filter(transaction::original_id.eq(refund.original))
        .select(transaction::id.nullable());
    let held: Option<Row> = activity::table
        .filter(activity::kind.eq(Kind::ReserveHeld.name()))
        .filter(activity::held_minor.is_not_null())
        .filter(activity::transaction_id.eq_any(sale))
        .first(c)
        .optional()?;
    let Some(held) = held else { return Ok(()) };
    let share = Money::from_minor(refund.amount_minor, account.currency)
        .times(&account.reserve_rate, Rounding::HalfUp)
        .map_err(|_| Refusal::SumTooLarge)?;
    let still_held = held.held_minor.unwrap_or(0);
    let returned = share.minor().min(still_held);
    if returned == 0 {
        return Ok(());
    }
    let draft = Draft {
        kind: Kind::ReserveReturned,
        amount_minor: returned,
        settled_at: at,
        due_at: calendar::payout_of(at),
        transaction: Some(refund.id),
        reserve_at: Some(held.settled_at),
    };
    state.record(c, &draft)?;
    Ok(hold_only(c, &held, still_held - returned)?)
}

/// Releases what was held long enough; the next payout has it.
fn release(c: &mut Connection, state: &mut State, at: Timestamp) -> Result<i64, Halt> {
    let held: Vec<Row> = activity::table
        .filter(activity::sub_account.eq(&state.id))
        .filter(activity::held_minor.is_not_null())
        .filter(activity::reserve_ms.le(Some(at)))
        .order(activity::number)
        .load(c)?;
    let mut released = 0;
    for one in held {
        let amount_minor = one.held_minor.unwrap_or(0);
        let draft = Draft {
            kind: Kind::ReserveReleased,
            amount_minor,
            settled_at: at,
            due_at: calendar::payout_after(at),
            transaction: one.transaction_id,
            reserve_at: Some(one.settled_at),
        };
        state.record(c, &draft)?;
        hold_only(c, &one, 0)?;
        state::add(&mut released, amount_minor)?;
    }
    Ok(released)
}

fn hold_only(c: &mut Connection, held: &Row, left_minor: i64) -> QueryResult<()> {
    diesel::update(activity::table.find((&held.sub_account, held.number)))
        .set(activity::held_minor.eq(Some(left_minor).filter(|left| *left > 0)))
        .execute(c)?;
    Ok(())
}
