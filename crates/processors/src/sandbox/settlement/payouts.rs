//! The payouts of a sub-account: sent, rejected by the bank or declined, and sent again.

use contract::Timestamp;
use diesel::prelude::*;
use money::Money;
use store::Connection;

use super::super::account::Account;
use super::super::halt::Halt;
use super::super::refusal::Refusal;
use super::super::tables::{activity as activity_table, payout};
use super::super::transaction::{authorization_code, id_after};
use super::state::{self, State};
use super::{activity, calendar};
use crate::{Cursor, PayoutId, PayoutRecord, PayoutStatus, SentPayout, StepKind, SubAccountId};

/// Where the numbers of payouts begin, far from those of transactions.
const FIRST: i64 = 136_900_000_000;

/// A row.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = payout, treat_none_as_default_value = false)]
struct Row {
    id: i64,
    sub_account: String,
    position: i64,
    /// Itself, or the first of the payouts that it is issued again for: that one's lines are its.
    root: i64,
    reissue_of: Option<i64>,
    amount_minor: i64,
    status: PayoutStatus,
    #[diesel(column_name = process_ms)]
    process_at: Timestamp,
    #[diesel(column_name = rejected_ms)]
    rejected_at: Option<Timestamp>,
    code: String,
}

/// Who declines a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeclinedBy {
    /// The processor.
    Processor,
    /// The merchant.
    User,
}

/// Sends what is due: payouts that the bank has rejected, and one of all activities whose time has
/// come, if they are worth anything. If not, they wait for the next.
pub(crate) fn send(
    c: &mut Connection,
    account: &Account,
    state: &mut State,
    at: Timestamp,
) -> Result<StepKind, Halt> {
    let pending: Vec<Row> = payout::table
        .filter(payout::sub_account.eq(&account.id))
        .filter(payout::status.eq(PayoutStatus::PendingDueDate))
        .filter(payout::process_ms.le(at))
        .order(payout::id)
        .load(c)?;
    let as_sent = |id, amount_minor| SentPayout {
        id: public_id(id),
        amount: Money::from_minor(amount_minor, account.currency),
    };
    let mut sent = Vec::new();
    for again in pending {
        sent.push(as_sent(again.id, again.amount_minor));
        state::add(&mut state.paid_minor, again.amount_minor)?;
        let code = authorization_code(again.id);
        change(c, state, again.id, PayoutStatus::Processed, None, &code)?;
    }
    if let Some((new, amount_minor)) = send_new(c, account, state, at)? {
        sent.push(as_sent(new, amount_minor));
    }
    Ok(StepKind::PayoutsSent(sent))
}

fn send_new(
    c: &mut Connection,
    account: &Account,
    state: &mut State,
    at: Timestamp,
) -> Result<Option<(i64, i64)>, Halt> {
    let due = || {
        activity_table::table
            .filter(activity_table::sub_account.eq(&account.id))
            .filter(activity_table::payout.is_null())
            .filter(activity_table::due_ms.le(at))
    };
    let amounts: Vec<i64> = due().select(activity_table::amount_minor).load(c)?;
    let sum: i128 = amounts.into_iter().map(i128::from).sum();
    if sum <= 0 {
        return Ok(None);
    }
    let amount_minor = i64::try_from(sum).map_err(|_| Refusal::SumTooLarge)?;
    let id = next_id(account, state);
    // Diesel updates no filtered alias of a table, so the conditions are said again.
    diesel::update(activity_table::table)
        .filter(activity_table::sub_account.eq(&account.id))
        .filter(activity_table::payout.is_null())
        .filter(activity_table::due_ms.le(at))
        .set(activity_table::payout.eq(Some(id)))
        .execute(c)?;
    state::add(&mut state.paid_minor, amount_minor)?;
    let new = Row {
        id,
        sub_account: account.id.clone(),
        position: next_position(state),
        root: id,
        reissue_of: None,
        amount_minor,
        status: PayoutStatus::Processed,
        process_at: at,
        rejected_at: None,
        code: authorization_code(id),
    };
    diesel::insert_into(payout::table).values(new).execute(c)?;
    Ok(Some((id, amount_minor)))
}

/// The bank sends a payout back.
pub(crate) fn reject(
    c: &mut Connection,
    account: &Account,
    id: i64,
    return_code: &str,
    at: Timestamp,
) -> Result<PayoutId, Halt> {
    let rejected = find(c, account, id)?;
    if !rejected.is_sent(at) {
        return Err(Refusal::PayoutNotProcessed.into());
    }
    let status = PayoutStatus::RejectedByProcessor;
    issue_again(c, account, rejected, status, return_code, at)
}

/// A payout is declined, sent or not.
pub(crate) fn decline(
    c: &mut Connection,
    account: &Account,
    id: i64,
    by: DeclinedBy,
    at: Timestamp,
) -> Result<PayoutId, Halt> {
    let declined = find(c, account, id)?;
    if declined.status != PayoutStatus::PendingDueDate && !declined.is_sent(at) {
        return Err(Refusal::PayoutNotDeclinable.into());
    }
    let status = match by {
        DeclinedBy::Processor => PayoutStatus::DeclinedByProcessor,
        DeclinedBy::User => PayoutStatus::DeclinedByUser,
    };
    issue_again(c, account, declined, status, "", at)
}

/// A payout that came to nothing keeps its lines, and is issued again on the next business day.
fn issue_again(
    c: &mut Connection,
    account: &Account,
    ended: Row,
    status: PayoutStatus,
    code: &str,
    at: Timestamp,
) -> Result<PayoutId, Halt> {
    let mut state = state::load(c, account)?;
    change(c, &mut state, ended.id, status, Some(at), code)?;
    if ended.status == PayoutStatus::Processed {
        state::add(&mut state.paid_minor, -ended.amount_minor)?;
    }
    let again = Row {
        id: next_id(account, &mut state),
        position: next_position(&mut state),
        reissue_of: Some(ended.id),
        status: PayoutStatus::PendingDueDate,
        process_at: calendar::payout_after(at.max(state.stepped_at)),
        code: String::new(),
        ..ended
    };
    let new = public_id(again.id);
    diesel::insert_into(payout::table)
        .values(again)
        .execute(c)?;
    state::save(c, &state)?;
    Ok(new)
}

fn find(c: &mut Connection, account: &Account, id: i64) -> Result<Row, Halt> {
    let found = payout::table
        .filter(payout::sub_account.eq(&account.id))
        .filter(payout::id.eq(id))
        .first(c)
        .optional()?;
    Ok(found.ok_or_else(|| Refusal::UnknownPayout(id.to_string()))?)
}

impl Row {
    fn is_sent(&self, at: Timestamp) -> bool {
        self.status == PayoutStatus::Processed && at >= self.process_at
    }
}

/// A page of a sub-account's feed of payouts.
pub(crate) fn after(
    c: &mut Connection,
    account: &Account,
    after: Cursor,
    limit: usize,
) -> Result<Vec<PayoutRecord>, Halt> {
    let rows: Vec<Row> = payout::table
        .filter(payout::sub_account.eq(&account.id))
        .filter(payout::position.gt(after.0))
        .order(payout::position)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .load(c)?;
    rows.into_iter()
        .map(|row| record(c, account, row))
        .collect()
}

fn record(c: &mut Connection, account: &Account, row: Row) -> Result<PayoutRecord, Halt> {
    Ok(PayoutRecord {
        position: Cursor(row.position),
        id: public_id(row.id),
        sub_account: SubAccountId::new(row.sub_account),
        amount: Money::from_minor(row.amount_minor, account.currency),
        status: row.status,
        process_at: row.process_at,
        rejected_at: row.rejected_at,
        authorization_or_error_code: row.code,
        reissue_of: row.reissue_of.map(public_id),
        descriptor: account.descriptor.clone(),
        lines: activity::lines(c, account, row.root)?,
    })
}

/// Changes what became of a payout, and puts it at the end of the feed.
fn change(
    c: &mut Connection,
    state: &mut State,
    id: i64,
    status: PayoutStatus,
    rejected_at: Option<Timestamp>,
    code: &str,
) -> QueryResult<()> {
    diesel::update(payout::table.find(id))
        .set((
            payout::status.eq(status),
            payout::rejected_ms.eq(rejected_at),
            payout::code.eq(code),
            payout::position.eq(next_position(state)),
        ))
        .execute(c)?;
    Ok(())
}

fn next_id(account: &Account, state: &mut State) -> i64 {
    state.last_payout += 1;
    id_after(account, FIRST, state.last_payout)
}

fn next_position(state: &mut State) -> i64 {
    state.last_payout_position += 1;
    state.last_payout_position
}

fn public_id(id: i64) -> PayoutId {
    PayoutId::new(id.to_string())
}
