//! Adjustments: what puts a balance right, always under an id and a category.

use contract::Timestamp;
use diesel::prelude::*;
use money::Money;
use store::Connection;

use super::super::account::Account;
use super::super::halt::Halt;
use super::super::refusal::Refusal;
use super::super::tables::activity as table;
use super::activity::{self, Kind, Row};
use super::calendar;
use super::state::{self, Draft};
use crate::SubAccountId;

/// What is put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// Whose balance.
    pub sub_account: SubAccountId,
    /// Names it.
    pub id: String,
    /// What for.
    pub category: String,
    /// How much; less than nothing, when the merchant owes it.
    pub amount: Money,
    /// Business time.
    pub at: Timestamp,
}

impl Adjustment {
    pub(super) fn check(&self, account: &Account) -> Result<(), Refusal> {
        for text in [&self.id, &self.category] {
            let fits = (1..=255).contains(&text.chars().count());
            if !fits || text.chars().any(char::is_control) {
                return Err(Refusal::InvalidAdjustmentName);
            }
        }
        // The least of all has no opposite to be taken away.
        let counts = !self.amount.is_zero() && self.amount.minor() != i64::MIN;
        if counts && self.amount.currency() == account.currency {
            Ok(())
        } else {
            Err(Refusal::InvalidAdjustment)
        }
    }
}

/// Makes it, if it was not made before.
pub(super) fn make(
    c: &mut Connection,
    account: &Account,
    adjustment: &Adjustment,
) -> Result<(), Halt> {
    let before: Option<Row> = table::table
        .filter(table::sub_account.eq(&account.id))
        .filter(table::adjustment_id.eq(&adjustment.id))
        .first(c)
        .optional()?;
    if let Some(before) = before {
        let same = before.amount_minor == adjustment.amount.minor()
            && before.adjustment_category.as_ref() == Some(&adjustment.category);
        return if same {
            Ok(())
        } else {
            Err(Refusal::AdjustmentExists(adjustment.id.clone()).into())
        };
    }
    let mut state = state::load(c, account)?;
    let at = adjustment.at.max(state.stepped_at);
    let row = state.count(&Draft {
        kind: Kind::Adjustment,
        amount_minor: adjustment.amount.minor(),
        settled_at: at,
        due_at: calendar::payout_of(at),
        transaction: None,
        reserve_at: None,
    })?;
    let row = Row {
        adjustment_id: Some(adjustment.id.clone()),
        adjustment_category: Some(adjustment.category.clone()),
        ..row
    };
    activity::insert(c, &[row])?;
    Ok(state::save(c, &state)?)
}
