//! The end of a business day: what was processed in it settles, with its fees and what is held of it,
//! and reserves whose days are over are released.

use std::collections::HashMap;

use chrono::Duration;
use contract::Timestamp;
use diesel::prelude::*;
use money::{Money, Rounding};
use store::{Connection, update_prepared};

use super::super::account::Account;
use super::super::halt::Halt;
use super::super::refusal::Refusal;
use super::super::tables::{activity as table, transaction};
use super::super::transaction::{Transaction, settle};
use super::activity::{self, Kind, Row};
use super::rules::{self, Effects, Terms};
use super::state::{self, Draft, State};
use super::{ReserveTerms, calendar};
use crate::{StepKind, TransactionKind, TransactionStatus};

/// Whether a sale is settled at an instant: its day is closed, or should have been by then.
pub(crate) fn is_settled(
    c: &mut Connection,
    account: &Account,
    sale: &Transaction,
    at: Timestamp,
) -> QueryResult<bool> {
    if sale.settled_at.is_some() {
        return Ok(true);
    }
    let state = state::load(c, account)?;
    Ok(at > state.closes_at(sale.system_at))
}

/// When a sale that was just made will be disputed, on a card whose holder does.
pub(crate) fn disputed_at(
    c: &mut Connection,
    account: &Account,
    sale: &Transaction,
) -> QueryResult<Timestamp> {
    let state = state::load(c, account)?;
    Ok(calendar::dispute_of(state.closes_at(sale.system_at)))
}

/// Closes a day.
pub(crate) fn day(
    c: &mut Connection,
    account: &Account,
    state: &mut State,
    at: Timestamp,
) -> Result<StepKind, Halt> {
    let open = open(c, account, at)?;
    let left = left_of_sales(&open);
    let reserve = ReserveTerms::load(c, account)?;
    let mut closing = Closing {
        account,
        state,
        at,
        rows: Vec::new(),
    };
    let mut settled = Vec::new();
    for one in &open {
        let effects = closing.effects(one, left.get(&one.chain()).copied())?;
        closing.record(one, &effects)?;
        if effects.settles && reserve.return_on(one.kind) {
            closing.give_back(c, one)?;
        }
        if effects.settles {
            settled.push(one.id);
        }
    }
    settle(c, account, &settled, at)?;
    close_rest(c, account, at)?;
    let released = closing.release(c)?;
    activity::insert(c, &closing.rows)?;
    Ok(StepKind::DayClosed {
        settled: settled.len(),
        released: Money::from_minor(released, account.currency),
    })
}

/// A transaction whose day is closed.
#[derive(Queryable)]
struct Open {
    id: i64,
    original: Option<i64>,
    kind: TransactionKind,
    status: TransactionStatus,
    amount_minor: i64,
}

impl Open {
    /// The charge or hold that it is, or follows up.
    fn chain(&self) -> i64 {
        self.original.unwrap_or(self.id)
    }
}

fn open(c: &mut Connection, account: &Account, at: Timestamp) -> QueryResult<Vec<Open>> {
    transaction::table
        .filter(transaction::sub_account.eq(&account.id))
        .filter(transaction::open_ms.le(Some(at)))
        .order(transaction::position)
        .select((
            transaction::id,
            transaction::original_id,
            transaction::kind,
            transaction::status,
            transaction::amount_minor,
        ))
        .load(c)
}

/// What voids have left of the sales that are closed now. A void is closed with its sale, after it in
/// the order of the books.
fn left_of_sales(open: &[Open]) -> HashMap<i64, i64> {
    let mut left = HashMap::new();
    let processed = |one: &&Open| one.status == TransactionStatus::Processed;
    for one in open.iter().filter(processed) {
        match one.kind.whole() {
            TransactionKind::Charge | TransactionKind::Capture => {
                left.insert(one.chain(), one.amount_minor);
            }
            // A hold's release voids no sale.
            TransactionKind::Void => {
                left.entry(one.chain())
                    .and_modify(|left| *left -= one.amount_minor);
            }
            _ => {}
        }
    }
    left
}

/// What does not settle is closed all the same.
fn close_rest(c: &mut Connection, account: &Account, at: Timestamp) -> QueryResult<()> {
    let rest = transaction::table
        .filter(transaction::sub_account.eq(&account.id))
        .filter(transaction::open_ms.le(Some(at)));
    update_prepared!(c, rest, transaction::open_ms.eq(None::<Timestamp>))?;
    Ok(())
}

/// A day that is being closed.
struct Closing<'a> {
    account: &'a Account,
    state: &'a mut State,
    at: Timestamp,
    rows: Vec<Row>,
}

impl Closing<'_> {
    fn money(&self, minor: i64) -> Money {
        Money::from_minor(minor, self.account.currency)
    }

    fn effects(&self, one: &Open, left_of_sale: Option<i64>) -> Result<Effects, Refusal> {
        let terms = Terms {
            fee_rate: self.account.fee_rate,
            fee_fixed: self.account.fee_fixed,
            fee_dispute: self.account.fee_dispute,
            reserve_rate: self.account.reserve_rate,
        };
        let amount = self.money(one.amount_minor);
        let left = left_of_sale.map(|left| self.money(left));
        rules::effects(one.kind, one.status, amount, left, &terms).map_err(|_| Refusal::SumTooLarge)
    }

    fn record(&mut self, one: &Open, effects: &Effects) -> Result<(), Refusal> {
        let release_at = self.at + Duration::days(self.account.reserve_days);
        for (kind, amount, reserve_at) in [
            (Kind::Transaction, effects.moved.minor(), None),
            (Kind::PercentageFee, -effects.fee_percentage.minor(), None),
            (Kind::FixedFee, -effects.fee_fixed.minor(), None),
            (Kind::DisputeFee, -effects.fee_dispute.minor(), None),
            (
                Kind::ReserveHeld,
                -effects.reserve.minor(),
                Some(release_at),
            ),
        ] {
            if amount != 0 {
                let payout_at = calendar::payout_of(self.at);
                self.count(kind, amount, one.id, reserve_at, payout_at)?;
            }
        }
        Ok(())
    }

    fn count(
        &mut self,
        kind: Kind,
        amount_minor: i64,
        transaction: i64,
        reserve_at: Option<Timestamp>,
        due_at: Timestamp,
    ) -> Result<(), Refusal> {
        let row = self.state.count(&Draft {
            kind,
            amount_minor,
            settled_at: self.at,
            due_at,
            transaction: Some(transaction),
            reserve_at,
        })?;
        self.rows.push(row);
        Ok(())
    }

    /// Returns what was held of the part of a sale that went back, as far as it still is. The sale
    /// was settled before.
    fn give_back(&mut self, c: &mut Connection, back: &Open) -> Result<(), Halt> {
        let Some(held) = held_of(c, back.chain())? else {
            return Ok(());
        };
        let share = self
            .money(back.amount_minor)
            .times(&self.account.reserve_rate, Rounding::HalfUp)
            .map_err(|_| Refusal::SumTooLarge)?;
        let still_held = held.held_minor.unwrap_or(0);
        let returned = share.minor().min(still_held);
        if returned > 0 {
            let payout_at = calendar::payout_of(self.at);
            let collected_at = Some(held.settled_at);
            self.count(
                Kind::ReserveReturned,
                returned,
                back.id,
                collected_at,
                payout_at,
            )?;
            let left = Some(still_held - returned).filter(|left| *left > 0);
            let held = table::table.find((&held.sub_account, held.number));
            update_prepared!(c, held, table::held_minor.eq(left))?;
        }
        Ok(())
    }

    /// Releases what was held long enough; the next payout has it.
    fn release(&mut self, c: &mut Connection) -> Result<i64, Halt> {
        let held: Vec<Row> = table::table
            .filter(table::sub_account.eq(&self.account.id))
            .filter(table::held_minor.is_not_null())
            .filter(table::reserve_ms.le(Some(self.at)))
            .order(table::number)
            .load(c)?;
        let mut released = 0;
        for one in held {
            let (Some(amount), Some(transaction)) = (one.held_minor, one.transaction_id) else {
                continue;
            };
            let payout_at = calendar::payout_after(self.at);
            let collected_at = Some(one.settled_at);
            self.count(
                Kind::ReserveReleased,
                amount,
                transaction,
                collected_at,
                payout_at,
            )?;
            state::add(&mut released, amount)?;
        }
        let over = table::table
            .filter(table::sub_account.eq(&self.account.id))
            .filter(table::held_minor.is_not_null())
            .filter(table::reserve_ms.le(Some(self.at)));
        update_prepared!(c, over, table::held_minor.eq(None::<i64>))?;
        Ok(released)
    }
}

/// The reserve that is held of the sale of a chain: of the charge, or of the hold's capture.
fn held_of(c: &mut Connection, chain: i64) -> QueryResult<Option<Row>> {
    let captures = [
        TransactionKind::Capture.name(),
        TransactionKind::PartialCapture.name(),
    ];
    let capture: Option<i64> = transaction::table
        .filter(transaction::original_id.eq(chain))
        .filter(transaction::kind.eq_any(captures))
        .filter(transaction::status.eq(TransactionStatus::Processed))
        .select(transaction::id)
        .first(c)
        .optional()?;
    table::table
        .filter(table::transaction_id.eq(capture.unwrap_or(chain)))
        .filter(table::kind.eq(Kind::ReserveHeld))
        .filter(table::held_minor.is_not_null())
        .first(c)
        .optional()
}
