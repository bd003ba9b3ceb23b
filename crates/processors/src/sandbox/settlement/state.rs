//! How far a sub-account's settlement has come, and what it adds up to.

use chrono::Duration;
use contract::Timestamp;
use diesel::prelude::*;
use store::Connection;

use super::super::account::Account;
use super::super::refusal::Refusal;
use super::super::tables::settlement;
use super::activity::{Kind, Row};
use super::calendar;

/// A row.
#[derive(Debug, Clone, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = settlement)]
pub(crate) struct State {
    pub(crate) id: String,
    /// When the last step was.
    #[diesel(column_name = stepped_ms)]
    pub(crate) stepped_at: Timestamp,
    pub(crate) last_activity: i64,
    pub(crate) last_payout: i64,
    pub(crate) last_payout_position: i64,
    pub(crate) settled_minor: i64,
    pub(crate) fees_minor: i64,
    pub(crate) adjusted_minor: i64,
    pub(crate) reserve_minor: i64,
    pub(crate) paid_minor: i64,
}

/// An activity that is about to be written.
pub(crate) struct Draft {
    pub(crate) kind: Kind,
    pub(crate) amount_minor: i64,
    pub(crate) settled_at: Timestamp,
    pub(crate) due_at: Timestamp,
    pub(crate) transaction: Option<i64>,
    pub(crate) reserve_at: Option<Timestamp>,
}

/// Where the sub-account stands; at the beginning, when nothing was ever settled.
pub(crate) fn load(c: &mut Connection, account: &Account) -> QueryResult<State> {
    let state = settlement::table.find(&account.id).first(c).optional()?;
    Ok(state.unwrap_or_else(|| State {
        id: account.id.clone(),
        stepped_at: Timestamp::from_millis(-1),
        last_activity: 0,
        last_payout: 0,
        last_payout_position: 0,
        settled_minor: 0,
        fees_minor: 0,
        adjusted_minor: 0,
        reserve_minor: 0,
        paid_minor: 0,
    }))
}

/// Keeps where it stands now.
pub(crate) fn save(c: &mut Connection, state: &State) -> QueryResult<()> {
    let changed = diesel::update(settlement::table.find(&state.id))
        .set(state)
        .execute(c)?;
    if changed == 0 {
        diesel::insert_into(settlement::table)
            .values(state)
            .execute(c)?;
    }
    Ok(())
}

/// Adds to a sum.
pub(crate) fn add(sum: &mut i64, amount: i64) -> Result<(), Refusal> {
    *sum = sum.checked_add(amount).ok_or(Refusal::SumTooLarge)?;
    Ok(())
}

impl State {
    /// When the day ends in which something processed then is closed. What is posted late, for a day
    /// that was closed already, belongs to the next.
    pub(crate) fn closes_at(&self, processed_at: Timestamp) -> Timestamp {
        calendar::day_end(processed_at.max(self.stepped_at + Duration::milliseconds(1)))
    }

    /// Counts an activity, which gets the next number.
    pub(crate) fn count(&mut self, draft: &Draft) -> Result<Row, Refusal> {
        let amount = draft.amount_minor;
        match draft.kind {
            Kind::Transaction => add(&mut self.settled_minor, amount)?,
            Kind::PercentageFee | Kind::FixedFee | Kind::DisputeFee => {
                add(&mut self.fees_minor, -amount)?;
            }
            Kind::Adjustment => add(&mut self.adjusted_minor, amount)?,
            Kind::ReserveHeld | Kind::ReserveReleased | Kind::ReserveReturned => {
                add(&mut self.reserve_minor, -amount)?;
            }
        }
        self.last_activity += 1;
        Ok(Row {
            sub_account: self.id.clone(),
            number: self.last_activity,
            kind: draft.kind,
            amount_minor: amount,
            settled_at: draft.settled_at,
            due_at: draft.due_at,
            transaction_id: draft.transaction,
            reserve_at: draft.reserve_at,
            held_minor: (draft.kind == Kind::ReserveHeld).then_some(-amount),
            adjustment_id: None,
            adjustment_category: None,
            payout: None,
        })
    }
}
